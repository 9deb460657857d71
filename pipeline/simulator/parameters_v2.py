"""Reads the parameters of v2 requests, and refuses those that a v2 Terminal refuses.

Its refusals are 473; their texts are not known, and are ours. Parameters that are not read here
are ignored.
"""

from collections.abc import Callable, Sequence
from datetime import date

from pipeline.simulator.market.greeks import INTERVALS, Query, is_daily
from pipeline.simulator.parameters import (
    LONGEST_LISTING,
    ONE_DAY,
    RATE_TYPES,
    Parameters,
    Refused,
    check_range,
    date_of,
    decimal_of,
    whole_of,
)
from transforms.market import calendar
from transforms.market.clock import DAY_MS
from transforms.orders import Order

_RATES = frozenset(map(str.upper, RATE_TYPES))


def required(parameters: Parameters, name: str) -> str:
    """Returns a parameter that has to be there.

    Raises:
        Refused: it is not.
    """
    value = parameters.get(name, "")
    if not value:
        raise Refused(473, f"Missing parameter: {name}")
    return value


def parse_date(parameters: Parameters, name: str) -> date:
    """Returns a date, given as `20240314`.

    Raises:
        Refused: it is not given, or is no date; 0, for every expiration, is none here.
    """
    text = required(parameters, name)
    day = date_of(text) if text.isdecimal() else None
    if day is None:
        raise Refused(473, f"Invalid {name}: {text}")
    return day


def flag(parameters: Parameters, name: str, *, default: bool) -> bool:
    """Returns a parameter that is true or false.

    Raises:
        Refused: it is neither.
    """
    text = parameters.get(name, str(default)).lower()
    if text not in ("true", "false"):
        raise Refused(473, f"Invalid {name}: {parameters[name]}")
    return text == "true"


def bulk_queries(
    parameters: Parameters, order: Order, rows: str, listed: Callable[[str], Sequence[date]]
) -> list[Query]:
    """Returns what a bulk request asks for: a query for each expiration.

    That is the one that is given, or all for 0, where there is one row for each trade date.

    Args:
        parameters: the request's.
        order: of the data.
        rows: its key of `greeks.COLUMNS`.
        listed: returns the expirations of a symbol.

    Raises:
        Refused: with the status and text to answer.
    """
    if parameters.get("exp") != "0" or not (order.daily and order.every_expiration):
        return [_bulk_query(parameters, rows)]
    first, last = parse_date(parameters, "start_date"), parse_date(parameters, "end_date")
    if first != last:
        raise Refused(473, ONE_DAY)
    root = required(parameters, "root").upper()
    near = (day for day in listed(root) if 0 <= (day - first).days <= LONGEST_LISTING)
    return [_bulk_query({**parameters, "exp": f"{day:%Y%m%d}"}, rows) for day in near]


def _bulk_query(parameters: Parameters, order: str) -> Query:
    """Returns what a request for every contract of an expiration asks for.

    `rth=false` and `ivl=0` ask for rows outside the session, too; this market has none there.
    """
    symbol = required(parameters, "root").upper()
    expiration = parse_date(parameters, "exp")
    first, last = parse_date(parameters, "start_date"), parse_date(parameters, "end_date")
    check_range(first, last, 473)
    if flag(parameters, "pretty_time", default=False):
        raise Refused(473, "Invalid pretty_time: this stand-in has none")
    flag(parameters, "rth", default=True)
    rate = parameters.get("rate", "SOFR")
    if rate not in _RATES:
        raise Refused(473, f"Invalid rate: {rate}")
    interval = 0 if is_daily(order) else _milliseconds(parameters, "ivl", 0)
    return Query(
        symbol,
        expiration,
        first,
        last,
        order,
        interval=interval or INTERVALS["tick"],
        start=_milliseconds(parameters, "start_time", calendar.OPEN_MS),
        end=_milliseconds(parameters, "end_time", calendar.CLOSE_MS),
        version="1",
        rate=decimal_of(parameters, "rate_value", 473),
        annual_dividend=decimal_of(parameters, "annual_div", 473) or 0.0,
        v2=True,
    )


def _milliseconds(parameters: Parameters, name: str, default: int) -> int:
    value = whole_of(parameters, name, 0, 473)
    if value is not None and value > DAY_MS:
        raise Refused(473, f"Invalid {name}: {parameters[name]}")
    return default if value is None else value

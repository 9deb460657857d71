"""What a v3 request for Greeks asks the simulated market for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from pipeline.simulator.market.greeks import EOD, INTERVALS, Query
from pipeline.simulator.parameters import (
    LONGEST_LISTING,
    ONE_DAY,
    RATE_TYPES,
    Parameters,
    Refused,
    dates_of,
    decimal_of,
    parse_date,
    range_of,
    required,
    rights_of,
    strike_of,
    time_of,
    whole_of,
)
from transforms.market import calendar
from transforms.orders import Order


def queries_of(
    parameters: Parameters, order: Order, listed: Callable[[str], Sequence[date]]
) -> list[Query]:
    """Returns what a request for an order of data asks for.

    That is one query for each expiration: the one that is given, or all for `*`, where the order
    has that.

    Args:
        parameters: the request's.
        order: of the data.
        listed: returns the expirations of a symbol.

    Raises:
        Refused: with the status and text to answer.
    """
    ask = _daily if order.daily else _intraday
    if parameters.get("expiration") != "*" or not order.every_expiration:
        return [ask(parameters, order.name)]
    first, last = _dates(parameters, order.name)
    if first != last:
        raise Refused(400, ONE_DAY)
    reach = whole_of(parameters, "max_dte", 0)
    end = first + timedelta(days=LONGEST_LISTING if reach is None else reach)
    symbol = required(parameters, "symbol").upper()
    near = [day for day in listed(symbol) if first <= day <= end]
    return [ask({**parameters, "expiration": day.isoformat()}, order.name) for day in near]


def _dates(parameters: Parameters, order: str) -> tuple[date, date]:
    return range_of(parameters) if order == EOD else dates_of(parameters)


def _daily(parameters: Parameters, order: str) -> Query:
    return _query(parameters, order, _dates(parameters, order))


def _intraday(parameters: Parameters, order: str) -> Query:
    interval = parameters.get("interval", "1s")
    if interval not in INTERVALS:
        raise Refused(400, f"Invalid interval: {interval}")
    query = _query(parameters, order, _dates(parameters, order))
    if query.first_date != query.last_date and INTERVALS[interval] < INTERVALS["1m"]:
        raise Refused(400, "Intervals of less than 1m must be requested one day at a time.")
    return replace(
        query,
        interval=INTERVALS[interval],
        start=time_of(parameters, "start_time", calendar.OPEN_MS),
        end=time_of(parameters, "end_time", calendar.CLOSE_MS),
    )


def _query(parameters: Parameters, order: str, dates: tuple[date, date]) -> Query:
    """Returns what both kinds of request have in common.

    `rate_value` is read as a decimal (0.05 is 5 %), as a live Terminal was seen to do, though its
    documentation says percent.
    """
    symbol = required(parameters, "symbol").upper()
    # `*` is refused here: some endpoints do not take it.
    expiration = parse_date(parameters, "expiration")
    rights = rights_of(parameters)
    nbbo = parameters.get("option_use_nbbo", "true")
    if nbbo not in ("true", "false"):
        raise Refused(400, f"Invalid option_use_nbbo: {nbbo}")
    version = parameters.get("version", "latest")
    if version not in ("latest", "1"):
        raise Refused(400, f"Invalid version: {version}")
    rate_type = parameters.get("rate_type", "sofr")
    if rate_type not in RATE_TYPES:
        raise Refused(400, f"Invalid rate_type: {rate_type}")
    return Query(
        symbol,
        expiration,
        *dates,
        order,
        rights=rights,
        strike=strike_of(parameters),
        strike_range=whole_of(parameters, "strike_range"),
        version=version,
        rate=decimal_of(parameters, "rate_value"),
        annual_dividend=decimal_of(parameters, "annual_dividend") or 0.0,
        option_use_nbbo=nbbo == "true",
    )

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
    if parameters.get("expiration") != "*" or not order.every_expiration:
        return [_query(parameters, order)]
    first, last = _dates(parameters, order)
    if first != last:
        raise Refused(400, ONE_DAY)
    reach = whole_of(parameters, "max_dte", 0)
    end = first + timedelta(days=LONGEST_LISTING if reach is None else reach)
    symbol = required(parameters, "symbol").upper()
    near = [day for day in listed(symbol) if first <= day <= end]
    return [_query({**parameters, "expiration": day.isoformat()}, order) for day in near]


def _dates(parameters: Parameters, order: Order) -> tuple[date, date]:
    return range_of(parameters) if order.name == EOD else dates_of(parameters)


def _query(parameters: Parameters, order: Order) -> Query:
    """Returns what a request for one expiration asks for.

    `rate_value` is read as a decimal (0.05 is 5 %), as a live Terminal was seen to do, though its
    documentation says percent.
    """
    interval = parameters.get("interval", "1s")
    if not order.daily and interval not in INTERVALS:
        raise Refused(400, f"Invalid interval: {interval}")
    first, last = _dates(parameters, order)
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
    query = Query(
        symbol,
        expiration,
        first,
        last,
        order.name,
        rights=rights,
        strike=strike_of(parameters),
        strike_range=whole_of(parameters, "strike_range"),
        version=version,
        rate=decimal_of(parameters, "rate_value"),
        annual_dividend=decimal_of(parameters, "annual_dividend") or 0.0,
        option_use_nbbo=nbbo == "true",
    )
    if order.daily:
        return query
    if first != last and INTERVALS[interval] < INTERVALS["1m"]:
        raise Refused(400, "Intervals of less than 1m must be requested one day at a time.")
    return replace(
        query,
        interval=INTERVALS[interval],
        start=time_of(parameters, "start_time", calendar.OPEN_MS),
        end=time_of(parameters, "end_time", calendar.CLOSE_MS),
    )

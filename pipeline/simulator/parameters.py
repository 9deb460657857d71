"""Reads the parameters of v3 requests, and refuses those that the Terminal refuses.

Parameters that no endpoint knows are ignored, as the Terminal does.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from pipeline.simulator.formats import CONTENT_TYPES
from pipeline.simulator.market.greeks import INTERVALS, Query
from transforms.market import calendar, clock_ms

_RIGHTS = {
    "call": ("CALL",),
    "c": ("CALL",),
    "put": ("PUT",),
    "p": ("PUT",),
    "both": ("CALL", "PUT"),
}
_RATE_TYPES = {
    "sofr",
    *(f"treasury_m{months}" for months in (1, 3, 6)),
    *(f"treasury_y{years}" for years in (1, 2, 3, 5, 7, 10, 20, 30)),
}
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_MONTH = timedelta(days=31)

_LONGEST_LISTING = 380  # days

ONE_DAY = "Option history requests without a specific expiration must be one day at a time."

Parameters = Mapping[str, str]


class Refused(Exception):
    """Ends a request with a status and a plain text.

    `Invalid right: …`, `Invalid interval: …` and `ONE_DAY` are the Terminal's own texts; the other
    refusals are worded like these.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def required(parameters: Parameters, name: str) -> str:
    """Returns a parameter that has to be there."""
    value = parameters.get(name, "")
    if not value:
        raise Refused(400, f"Missing required parameter: {name}")
    return value


def parse_date(parameters: Parameters, name: str) -> date:
    """Returns a date, given as `2024-03-14` or `20240314`."""
    text = required(parameters, name)
    day = date_of(text)
    if day is None:
        raise Refused(400, f"Invalid {name}: {text}")
    return day


def date_of(text: str) -> date | None:
    """Returns the date that a text denotes, or None."""
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def format_of(parameters: Parameters) -> str:
    """Returns the format of the answer: csv, json or ndjson."""
    form = parameters.get("format", "csv").lower()
    if form not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise Refused(400, f"Invalid format: {form} (this stand-in has {known})")
    return form


def _time(parameters: Parameters, name: str, default: int) -> int:
    """Returns a time of day in milliseconds since midnight."""
    text = parameters.get(name)
    if text is None:
        return default
    try:
        return clock_ms(text)
    except ValueError:
        raise Refused(400, f"Invalid {name}: {text}") from None


def decimal_of(parameters: Parameters, name: str, status: int = 400) -> float | None:
    """Returns a number, or None if it is not given.

    Raises:
        Refused: with that status: it is not a number.
    """
    text = parameters.get(name)
    try:
        value = None if text is None else Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if value is not None and not value.is_finite():
        raise Refused(status, f"Invalid {name}: {text}")
    return None if value is None else float(value)


def _whole(parameters: Parameters, name: str, least: int = 1) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) < least:
        raise Refused(400, f"Invalid {name}: {text}")
    return int(text)


def _strike(parameters: Parameters) -> int | None:
    if parameters.get("strike", "*") == "*":
        return None
    strike = decimal_of(parameters, "strike")
    return None if strike is None else round(strike * 1000)


def _dates(parameters: Parameters) -> tuple[date, date]:
    """Returns the first and last trade date; `date` goes before `start_date` and `end_date`."""
    if "date" in parameters:
        day = parse_date(parameters, "date")
        return day, day
    return _range(parameters)


def _range(parameters: Parameters) -> tuple[date, date]:
    first, last = parse_date(parameters, "start_date"), parse_date(parameters, "end_date")
    check_range(first, last)
    return first, last


def check_range(first: date, last: date, status: int = 400) -> None:
    """Checks a range of trade dates.

    Raises:
        Refused: with that status if it is empty, with 570 if it is longer than a month.
    """
    if first > last:
        raise Refused(status, f"Invalid date range: {first} is after {last}")
    if last - first > _MONTH:
        raise Refused(570, f"Large request: {first} to {last} is more than one month")


def greeks_query(parameters: Parameters, order: str) -> Query:
    """Returns what a request for the history of Greeks asks for.

    Raises:
        Refused: with the status and text to answer.
    """
    interval = parameters.get("interval", "1s")
    if interval not in INTERVALS:
        raise Refused(400, f"Invalid interval: {interval}")
    query = _query(parameters, order, _dates(parameters))
    if query.first_date != query.last_date and INTERVALS[interval] < INTERVALS["1m"]:
        raise Refused(400, "Intervals of less than 1m must be requested one day at a time.")
    return replace(
        query,
        interval=INTERVALS[interval],
        start=_time(parameters, "start_time", calendar.OPEN_MS),
        end=_time(parameters, "end_time", calendar.CLOSE_MS),
    )


def eod_queries(
    parameters: Parameters, order: str, listed: Callable[[str], Sequence[date]]
) -> list[Query]:
    """Returns what a request for the Greeks at the end of the day asks for.

    That is one query for each expiration: the one that is given, or all for `*`.

    Args:
        parameters: the request's.
        order: of the Greeks.
        listed: returns the expirations of a symbol.

    Raises:
        Refused: with the status and text to answer.
    """
    first, last = _range(parameters)
    if parameters.get("expiration") != "*":
        return [_query(parameters, order, (first, last))]
    if first != last:
        raise Refused(400, ONE_DAY)
    reach = _whole(parameters, "max_dte", 0)
    end = first + timedelta(days=_LONGEST_LISTING if reach is None else reach)
    symbol = required(parameters, "symbol").upper()
    near = [day for day in listed(symbol) if first <= day <= end]
    return [
        _query({**parameters, "expiration": day.isoformat()}, order, (first, last)) for day in near
    ]


def _query(parameters: Parameters, order: str, dates: tuple[date, date]) -> Query:
    """Returns what both kinds of request have in common.

    `rate_value` is read as a decimal (0.05 is 5 %), as a live Terminal was seen to do, though its
    documentation says percent. Every `rate_type` gives the same rate in this market.
    """
    symbol = required(parameters, "symbol").upper()
    # `*` is refused here, too: these endpoints do not take it.
    expiration = parse_date(parameters, "expiration")
    right = parameters.get("right", "both")
    if right.lower() not in _RIGHTS:
        raise Refused(400, f"Invalid right: {right}")
    version = parameters.get("version", "latest")
    if version not in ("latest", "1"):
        raise Refused(400, f"Invalid version: {version}")
    rate_type = parameters.get("rate_type", "sofr")
    if rate_type not in _RATE_TYPES:
        raise Refused(400, f"Invalid rate_type: {rate_type}")
    return Query(
        symbol,
        expiration,
        *dates,
        order,
        rights=_RIGHTS[right.lower()],
        strike=_strike(parameters),
        strike_range=_whole(parameters, "strike_range"),
        version=version,
        rate=decimal_of(parameters, "rate_value"),
        annual_dividend=decimal_of(parameters, "annual_dividend") or 0.0,
    )

"""Reads the parameters of v3 requests, and refuses those that the Terminal refuses.

Parameters that no endpoint knows are ignored, as the Terminal does.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from pipeline.simulator.formats import CONTENT_TYPES
from transforms.market import clock_ms

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_MONTH = timedelta(days=31)
_RIGHTS = {
    "call": ("CALL",),
    "c": ("CALL",),
    "put": ("PUT",),
    "p": ("PUT",),
    "both": ("CALL", "PUT"),
}

RATE_TYPES = frozenset(
    {
        "sofr",
        *(f"treasury_m{months}" for months in (1, 3, 6)),
        *(f"treasury_y{years}" for years in (1, 2, 3, 5, 7, 10, 20, 30)),
    }
)
"""Interest rates, as v3 names them; v2 has capitals. All are the same in this market."""

LONGEST_LISTING = 380
"""Days before it expires from which a contract is listed, at most."""

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


def time_of(parameters: Parameters, name: str, default: int) -> int:
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


def whole_of(parameters: Parameters, name: str, least: int = 1, status: int = 400) -> int | None:
    """Returns a whole number of at least `least`, or None if it is not given.

    Raises:
        Refused: with that status: it is none.
    """
    text = parameters.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) < least:
        raise Refused(status, f"Invalid {name}: {text}")
    return int(text)


def rights_of(parameters: Parameters) -> tuple[str, ...]:
    """Returns the rights that are asked for: `CALL`, `PUT`, or both."""
    right = parameters.get("right", "both")
    if right.lower() not in _RIGHTS:
        raise Refused(400, f"Invalid right: {right}")
    return _RIGHTS[right.lower()]


def strike_of(parameters: Parameters) -> int | None:
    """Returns the strike in thousandths of a dollar, or None for all."""
    if parameters.get("strike", "*") == "*":
        return None
    strike = decimal_of(parameters, "strike")
    return None if strike is None else round(strike * 1000)


def dates_of(parameters: Parameters) -> tuple[date, date]:
    """Returns the first and last trade date; `date` goes before `start_date` and `end_date`."""
    if "date" in parameters:
        day = parse_date(parameters, "date")
        return day, day
    return range_of(parameters)


def range_of(parameters: Parameters) -> tuple[date, date]:
    """Returns the first and last trade date, a month apart at most."""
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

"""Reads the Terminal's calendar of a year: when the market does not open, or closes early."""

from collections.abc import Callable, Sequence
from datetime import date, time

from transforms.market import calendar
from transforms.thetadata.errors import MalformedResponse
from transforms.thetadata.small_csv import date_of


def closures_of(
    rows: Sequence[dict[str, str]], year: int, path: str, note: Callable[[str], None]
) -> dict[date, time | None]:
    """Returns the year's special days: None for a day without trading, else when it closes.

    Args:
        rows: of the answer, with `date`, `type` and `close`.
        year: that was asked for.
        path: of the request, for errors.
        note: takes a sentence wherever the exchange's usual calendar was used.

    Raises:
        MalformedResponse: a row is not of the year, or the usual calendar is needed and lacks it.
    """
    if not rows:
        holidays = _usual_holidays(year, path)
        note(f"the Terminal's calendar of {year} is empty: the exchange's usual holidays count")
        return dict.fromkeys(holidays)
    days: dict[date, time | None] = {}
    for row in rows:
        day, kind = date_of(row["date"], path), row["type"]
        if day.year != year:
            raise MalformedResponse(f"{path}: {day} where {year} was asked for")
        if kind == "full_close":
            days[day] = None
        elif kind == "early_close":
            days[day] = _clock(row["close"], path)
        elif kind != "open":
            closed = day in _usual_holidays(year, path)
            note(
                f"the Terminal's calendar has {day} as {kind[:40]!r}, which is not known: by "
                f"the exchange's usual calendar it is {'closed' if closed else 'open'}"
            )
            if closed:
                days[day] = None
    return days


def _usual_holidays(year: int, path: str) -> frozenset[date]:
    try:
        return calendar.holidays(year)
    except ValueError as error:
        raise MalformedResponse(
            f"{path}: it does not say when the market opens, and {error}"
        ) from None


def _clock(cell: str, path: str) -> time:
    try:
        return time.fromisoformat(cell)
    except ValueError:
        raise MalformedResponse(f"{path}: {cell[:80]!r} is not a time of day") from None

"""The days on which the exchanges close at 13:00, by the NYSE's published rules."""

from datetime import date, timedelta
from functools import cache

OPEN_MS = (9 * 60 + 30) * 60_000
"""When trading opens, in milliseconds since midnight, New York time."""
CLOSE_MS = 16 * 3_600_000
EARLY_CLOSE_MS = 13 * 3_600_000

_THURSDAY, _SATURDAY = 3, 5


@cache
def closes_early(day: date) -> bool:
    """Returns whether trading ends at 13:00: the rule of 2013 and later.

    The day before Independence Day, the day after Thanksgiving Day and Christmas Eve, if they are
    weekdays and the holiday itself is not kept on them.
    """
    if day.weekday() >= _SATURDAY:
        return False
    # A holiday on a Saturday is kept on the Friday before, which then has no session at all.
    next_is_saturday = (day + timedelta(1)).weekday() == _SATURDAY
    if (day.month, day.day) in ((7, 3), (12, 24)):
        return not next_is_saturday
    first = date(day.year, 11, 1)
    thanksgiving = first + timedelta((_THURSDAY - first.weekday()) % 7 + 21)
    return day == thanksgiving + timedelta(1)


def close_ms(day: date) -> int:
    """Returns when trading ends on a trading day, in milliseconds since midnight, New York time."""
    return EARLY_CLOSE_MS if closes_early(day) else CLOSE_MS

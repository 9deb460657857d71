"""New York's clock: instants and what its clocks show at them, intervals and times of day."""

import re
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from transforms.arrays import Floats, Ints
from transforms.orders.schema import ZONE

NEW_YORK = ZoneInfo(ZONE)

EPOCH = date(1970, 1, 1).toordinal()
"""The ordinal of the date from which days and milliseconds are counted."""
DAY_MS = 86_400_000
"""Milliseconds of a day of 24 hours."""
VARIES = np.iinfo(np.int32).min
"""Stands for the offset of a date on which the clocks change."""

# Milliseconds in which the clocks change at most once.
_STEADY = 100 * DAY_MS
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_INTERVAL = re.compile(r"(\d+)(ms|s|m|h)", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?", re.ASCII)


def now() -> datetime:
    """Returns the time in New York."""
    return datetime.now(NEW_YORK)


def interval_ms(interval: str) -> int:
    """Returns an interval between rows in milliseconds.

    >>> interval_ms("5m")
    300000

    Raises:
        ValueError: it is not a number and a unit; `tick` is none.
    """
    match = _INTERVAL.fullmatch(interval)
    if match is None:
        raise ValueError(f"{interval!r} is not an interval: a number and one of ms, s, m and h")
    return int(match[1]) * _UNITS[match[2]]


def clock_ms(text: str) -> int:
    """Returns a time of day in milliseconds since midnight.

    >>> clock_ms("09:30"), clock_ms("16:00:00.5")
    (34200000, 57600500)

    Args:
        text: `HH:MM`, `HH:MM:SS` or `HH:MM:SS.mmm`, of one digit after the point or more.

    Raises:
        ValueError: it is no time of day.
    """
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of day: HH:MM or HH:MM:SS, in New York")
    hours, minutes, seconds, fraction = match.groups(default="0")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))


def offset_at(instant: int) -> int:
    """Returns what New York's clocks show more than UTC's at an instant, in milliseconds.

    Args:
        instant: milliseconds since 1970 in UTC.
    """
    return _milliseconds(datetime.fromtimestamp(instant // 1000, timezone.utc).astimezone(NEW_YORK))


def elapsed_days(days: Ints, until: date) -> Floats:
    """Returns the time from New York's midnight of each date to that of another, in 24-hour days.

    From 2026-03-04 to 2026-03-13 that is 8.96 and not 9: on the 8th, the clocks skip an hour.

    Args:
        days: the dates, as days since 1970-01-01.
        until: the other date.
    """
    found, places = np.unique(np.asarray(days, np.int64), return_inverse=True)
    end = _midnight(until.toordinal() - EPOCH)
    elapsed = np.array([end - _midnight(day) for day in found.tolist()]) / DAY_MS
    return np.asarray(elapsed[places].reshape(np.shape(days)), np.float64)


@lru_cache(maxsize=4096)
def _midnight(day: int) -> int:
    """Returns the instant at which a date begins in New York, in milliseconds since 1970 in UTC."""
    return day * DAY_MS - _milliseconds(
        datetime.combine(date.fromordinal(EPOCH + day), time(), NEW_YORK)
    )


def steady_offset(low: int, high: int) -> int | None:
    """Returns the offset of all instants from `low` to `high`; None if it may change among them."""
    if high - low >= _STEADY:
        return None
    offset = offset_at(low)
    return offset if offset == offset_at(high) else None


@lru_cache(maxsize=64)
def day_offsets(first: date, last: date) -> NDArray[np.int32]:
    """Returns the offset of each date in milliseconds; `VARIES` where the clocks change."""
    days = [first + timedelta(n) for n in range((last - first).days + 2)]
    midnights = [_milliseconds(datetime.combine(day, time(), NEW_YORK)) for day in days]
    return np.array([low if low == high else VARIES for low, high in pairwise(midnights)], np.int32)


def _milliseconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None  # noqa: S101 -- the zone has one
    return round(offset.total_seconds()) * 1000

"""What New York's clocks show more than UTC's."""

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.market.sessions import NEW_YORK

EPOCH = date(1970, 1, 1).toordinal()
NOT_TOLD = np.iinfo(np.int32).min
STEADY = 100 * 86_400_000
"""Milliseconds in which the clocks change at most once."""


def offset_at(instant: int) -> int:
    """Returns the offset at an instant, milliseconds since 1970 in UTC, in milliseconds."""
    return _milliseconds(datetime.fromtimestamp(instant // 1000, timezone.utc).astimezone(NEW_YORK))


def steady_offset(low: int, high: int) -> int | None:
    """Returns the offset of all instants from `low` to `high`; None if it may change among them."""
    if high - low >= STEADY:
        return None
    offset = offset_at(low)
    return offset if offset == offset_at(high) else None


@lru_cache(maxsize=64)
def day_offsets(first: date, last: date) -> NDArray[np.int32]:
    """Returns the offset of each date in milliseconds; `NOT_TOLD` where the clocks change."""
    days = [first + timedelta(n) for n in range((last - first).days + 2)]
    midnights = [_milliseconds(datetime.combine(day, time(), NEW_YORK)) for day in days]
    return np.array(
        [low if low == high else NOT_TOLD for low, high in pairwise(midnights)], np.int32
    )


def _milliseconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None  # noqa: S101 -- the zone has one
    return round(offset.total_seconds()) * 1000

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from transforms.market.clock import clock_ms, interval_ms, zoned
from transforms.orders import INTERVALS


def local(*times: str | None) -> pa.Array:
    found = [time and datetime.fromisoformat(time) for time in times]
    return pa.array(found, pa.timestamp("ms"))


@pytest.mark.parametrize(
    "times",
    [
        ("2024-03-14T09:30:00", "2024-03-14T16:00:00.123"),
        ("2024-03-08T09:30:00", "2024-03-11T09:30:00"),  # the clocks go forward in between
        ("2024-11-01T16:00:00", "2024-11-04T09:30:00"),  # and back
        ("2024-02-01T09:30:00", "2024-07-01T09:30:00", "2025-01-02T09:30:00"),
        ("2024-07-01T09:30:00", None),
        (None,),
        (),
    ],
)
def test_local_times_become_the_instants_that_arrow_knows(times: tuple[str | None, ...]) -> None:
    there = local(*times)
    assert zoned(there).equals(pc.assume_timezone(there, "America/New_York"))


def test_a_time_that_the_clocks_skip_is_an_error() -> None:
    with pytest.raises(pa.ArrowInvalid):
        zoned(local("2024-03-10T02:30:00"))


def test_every_interval_that_thetadata_has_is_known_in_milliseconds() -> None:
    known = {name: interval_ms(name) for name in INTERVALS if name != "tick"}
    assert list(known.values()) == sorted(known.values())
    assert (known["10ms"], known["1s"], known["5m"], known["1h"]) == (10, 1000, 300_000, 3_600_000)


@pytest.mark.parametrize("text", ["tick", "eod", "", "m", "5", "5M", "5m ", "-5m", "5msh", "٥m"])
def test_what_is_no_interval_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not an interval"):
        interval_ms(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00", 0),
        ("09:30", 34_200_000),
        ("09:30:00", 34_200_000),
        ("16:00:00.5", 57_600_500),
        ("16:00:00.050", 57_600_050),
        ("23:59:59.999", 86_399_999),
    ],
)
def test_times_of_day_are_milliseconds_since_midnight(text: str, expected: int) -> None:
    assert clock_ms(text) == expected


@pytest.mark.parametrize("text", ["24:00", "9:30", "09:60", "09:30:60", "0930", "09:30:00+01:00"])
def test_what_is_no_time_of_day_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        clock_ms(text)

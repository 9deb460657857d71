from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from transforms.thetadata.clock import zoned


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

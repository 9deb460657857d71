import pytest

from transforms.market.clock import clock_ms, interval_ms
from transforms.orders import INTERVALS


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

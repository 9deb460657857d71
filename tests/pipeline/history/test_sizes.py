from dataclasses import replace
from datetime import date

import pytest

from pipeline.history.sizes import Sizes, days_to_expiration, moments
from tests.support.data import request_for


@pytest.mark.parametrize(
    ("interval", "parameters", "rows"),
    [
        ("5m", {}, 79),
        ("1m", {}, 391),
        ("1h", {}, 7),
        ("100ms", {}, 234_001),
        ("1m", {"start_time": "15:30:00", "end_time": "16:00:00"}, 31),
        ("1m", {"start_time": "16:00:00", "end_time": "16:00:00"}, 1),
        ("eod", {}, 1),
    ],
)
def test_the_rows_of_a_contract_follow_from_interval_and_times(
    interval: str, parameters: dict[str, str], rows: int
) -> None:
    assert moments(interval, tuple(parameters.items())) == rows


def test_what_lies_between_two_known_distances_is_interpolated() -> None:
    sizes = Sizes()
    assert sizes.contracts("SPXW", 3) is None
    for days, contracts in ((0, 400), (10, 200), (10, 100)):
        sizes.learn("SPXW", days, contracts)
    learnt = [sizes.contracts("SPXW", days) for days in (0, 4, 10, 40)]
    assert learnt == [400, 300, 150, 150]


def test_what_is_learnt_from_one_request_holds_for_another_interval_and_span() -> None:
    sizes = Sizes()
    near = request_for("2024-03-15")
    sizes.learn_rows(near, 79 * 100)
    longer = replace(near, trade_dates=(date(2024, 3, 14), date(2024, 3, 15)), interval="1m")
    assert days_to_expiration(longer) == 0.5
    assert sizes.rows(longer) == 2 * 391 * 100
    assert sizes.rows(request_for("2024-03-15", "SPX")) is None

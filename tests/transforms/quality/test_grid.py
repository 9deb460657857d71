import numpy as np
import pytest

from transforms.market.calendar import EARLY_CLOSE_MS
from transforms.market.clock import DAY_MS
from transforms.quality.grid import Grid, inferred, usual_step
from transforms.quality.time_runs import Runs

HOUR = 3_600_000
OPEN, CLOSE = 34_200_000, 57_600_000
HALF_HOURS = Grid(OPEN, CLOSE, HOUR // 2)


def test_a_time_before_the_first_after_the_last_or_between_two_is_off() -> None:
    clock = np.array([OPEN - 1, OPEN, OPEN + 1, OPEN + HOUR, CLOSE, CLOSE + HOUR // 2])
    assert HALF_HOURS.lacks(clock).tolist() == [True, False, True, False, False, True]


def test_every_millisecond_of_the_session_is_on_a_grid_of_ticks() -> None:
    ticks = Grid(OPEN, CLOSE, 1)
    assert ticks.lacks(np.array([OPEN - 1, OPEN + 17, CLOSE + 1])).tolist() == [True, False, True]


@pytest.mark.parametrize(("early", "times"), [(False, 14), (True, 8)])
def test_an_early_close_cuts_the_grid(early: bool, times: int) -> None:
    assert EARLY_CLOSE_MS == 13 * HOUR
    assert HALF_HOURS.size(early) == times


def test_a_grid_that_begins_after_an_early_close_has_no_time_then() -> None:
    assert Grid(14 * HOUR, 15 * HOUR, HOUR).size(early=True) == 0


def test_the_usual_step_is_that_between_most_rows_of_a_contract() -> None:
    code = np.array([1, 1, 1, 1, 2, 2])
    time = np.array([0, 60, 120, 300, 0, 60])
    assert usual_step(code, time) == 60
    # Of one row for each contract and date nothing is known.
    assert usual_step(np.array([1, 2, 2]), np.array([0, 0, DAY_MS])) == 0


def runs_of(*days: list[int]) -> Runs:
    time = np.concatenate([np.array(day) + n * DAY_MS for n, day in enumerate(days)])
    return Runs.of(np.full(len(time), 7), time, HOUR)


def test_the_grid_is_that_of_most_days_though_one_was_cut_off() -> None:
    whole = [OPEN + n * HOUR for n in range(7)]
    assert inferred(runs_of(whole, whole, whole[:3]), HOUR) == Grid(OPEN, whole[-1], HOUR)
    assert inferred(runs_of(whole, whole[:3]), HOUR) == Grid(OPEN, whole[-1], HOUR)


def test_rows_that_come_when_they_come_have_no_grid() -> None:
    chance = np.random.default_rng(1)
    assert inferred(runs_of(sorted(chance.integers(OPEN, CLOSE, 500).tolist())), HOUR) is None
    assert inferred(runs_of([OPEN]), HOUR) is None

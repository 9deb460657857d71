"""Duplicates, order and holes, against a plain count of the same rows."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.arrays import Ints
from transforms.market.clock import DAY_MS
from transforms.quality.grid import Grid
from transforms.quality.presence import Presence

GRID = Grid(34_200_000, 34_200_000 + 6 * 60_000, 60_000)
DAYS = (19_796, 19_797)


def counted(rows: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Returns duplicates, rows out of order and holes of (contract, day, minute) rows."""
    seen: dict[int, set[int]] = defaultdict(set)
    double = late = 0
    for code, day, minute in rows:
        at = day * 100 + minute
        if at in seen[code]:
            double += 1
        elif seen[code] and at < max(seen[code]):
            late += 1
        seen[code].add(at)
    pairs = {(code, day) for code, day, _ in rows}
    holes = sum(
        minute not in {at % 100 for at in seen[code] if at // 100 == day}
        for code, day in pairs
        for minute in range(7)
    )
    return double, late, holes


def presence_of(rows: list[tuple[int, int, int]], sizes: list[int]) -> Presence:
    presence = Presence(GRID)
    code = np.array([row[0] for row in rows], np.int64)
    time = np.array(
        [DAYS[day] * DAY_MS + GRID.start + minute * GRID.step for _, day, minute in rows], np.int64
    )
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(rows):
            return presence
        presence.add(code[start : start + size], time[start : start + size])
        start += size
    raise AssertionError("no size")


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(0, 6)), max_size=60),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_any_rows_in_any_order_and_any_cut_are_counted_right(
    rows: list[tuple[int, int, int]], sizes: list[int]
) -> None:
    presence = presence_of(rows, sizes)
    contracts, dates, holes = presence.finish()
    double, late, missing = counted(rows)
    assert presence.duplicates.count == double
    assert presence.out_of_order.count == late
    assert holes.count == missing
    assert contracts == len({code for code, _, _ in rows})
    assert dates == len({day for _, day, _ in rows})


def many(times: int, contracts: int) -> tuple[Ints, Ints]:
    code = np.tile(np.arange(contracts, dtype=np.int64), times)
    time = np.repeat(DAYS[0] * DAY_MS + 34_200_000 + 60_000 * np.arange(times), contracts)
    return code, time


@pytest.mark.parametrize("grid", [None, Grid(34_200_000, 34_200_000 + 390 * 60_000, 60_000)])
def test_many_rows_that_come_time_by_time_are_kept_as_runs(grid: Grid | None) -> None:
    code, time = many(391, 900)
    kept = np.ones(len(code), np.bool_)
    kept[[200_000, 200_001, 300_000]] = False
    presence = Presence(grid)
    for start in range(0, len(code), 4096):
        part = slice(start, start + 4096)
        presence.add(code[part][kept[part]], time[part][kept[part]])
    # Rows that were there long before, and were merged since.
    presence.add(code[5000:5010], time[5000:5010])
    assert presence.finish()[2].count == 3
    assert presence.duplicates.count == 10
    assert presence.out_of_order.count == 0
    assert presence.tracked


def test_times_on_no_grid_are_given_up_before_they_fill_the_memory() -> None:
    presence = Presence()
    random = np.random.default_rng(0)
    for _ in range(100):
        code = random.integers(0, 1000, 4096)
        presence.add(code, random.integers(0, 10**15, 4096))
    assert not presence.tracked
    assert presence.finish()[2].count == 0


def test_the_worst_holes_are_reported_with_the_first_missing_time() -> None:
    rows = [(code, 0, minute) for code in range(10) for minute in range(7)]
    rows = [row for row in rows if row not in {(4, 0, 2), (7, 0, 0), (7, 0, 5), (7, 0, 6)}]
    _, _, holes = presence_of(rows, [5]).finish()
    first = DAYS[0] * DAY_MS + GRID.start
    assert holes.first == [
        (7, first, {"missing": 3, "rows": 4}),
        (4, first + 2 * GRID.step, {"missing": 1, "rows": 6}),
    ]

import pickle
import tracemalloc
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data import request_for
from transforms.dispatch import SlotQueue, Terminal, deal
from transforms.model import GreeksRequest
from transforms.model.requests import KeyMarks, RequestGrid, Selection

FIRST = date(2012, 6, 1)
TERMS = ("1h", "all", (("strike_range", "2"),))


def days(count: int) -> list[date]:
    found = (FIRST + timedelta(n) for n in range(count))
    return [day for day in found if day.weekday() < 5]


@given(
    expirations=st.sets(st.tuples(st.sampled_from(["SPX", "SPXW"]), st.integers(0, 60))),
    trade_dates=st.sets(st.integers(0, 50), max_size=20),
    reach=st.one_of(st.none(), st.integers(1, 40)),
)
def test_a_grid_has_the_trade_dates_within_reach_of_each_expiration_in_order(
    expirations: set[tuple[str, int]], trade_dates: set[int], reach: int | None
) -> None:
    pairs = [(symbol, FIRST + timedelta(n)) for symbol, n in expirations]
    on = [FIRST + timedelta(n) for n in sorted(trade_dates)]
    spans = [
        (symbol, end, tuple(day for day in on if 0 <= (end - day).days <= (reach or 99)))
        for symbol, end in sorted(pairs, key=lambda pair: pair[::-1])
    ]
    whole = [GreeksRequest(symbol, end, span, *TERMS) for symbol, end, span in spans if span]
    made = RequestGrid(pairs, on, reach=reach, by_day=False, terms=[TERMS])
    assert list(made) == whole
    daily = [
        GreeksRequest(each.symbol, each.expiration, (day,), *TERMS)
        for day in on
        for each in whole
        if day in each.trade_dates
    ]
    by_day = RequestGrid(pairs, on, reach=reach, by_day=True, terms=[TERMS])
    assert list(by_day) == daily
    assert [by_day[n] for n in range(-len(daily), 0)] == daily
    assert pickle.loads(pickle.dumps(by_day)) == daily  # noqa: S301 -- of this test's own
    assert by_day[1:7:2] == daily[1:7:2]
    assert by_day.expirations == len(whole)


def test_a_selection_takes_its_places_in_their_order() -> None:
    of = [request_for(f"2024-03-{day}") for day in (14, 15, 18)]
    some = Selection(of, [2, 0])
    assert some == [of[2], of[0]]
    assert some != of
    with pytest.raises(IndexError):
        some[2]


def test_marks_are_of_the_requests_that_there_are() -> None:
    first, second = request_for("2024-03-14"), request_for("2024-03-15")
    marks = KeyMarks([second, first])
    assert (len(marks), marks.left) == (2, 2)
    marks[first.key] = 3
    assert (marks[first.key], marks[second.key]) == (3, 0)
    assert marks[request_for("2024-03-18").key] is None
    assert marks.request(first.key) is first
    assert list(marks.unmarked()) == [second]
    with pytest.raises(KeyError):
        marks[request_for("2024-03-18").key] = 1


def test_requests_dealt_queued_and_marked_take_less_than_50_bytes_each() -> None:
    on = days(1500)
    tracemalloc.start()
    try:
        grid = RequestGrid((("SPXW", day) for day in on), on, reach=43, by_day=True)
        chosen = Selection(grid, range(len(grid)))
        kept = (
            Selection(grid, iter(range(len(grid)))),
            KeyMarks(chosen),
            deal(chosen, [Terminal("http://one", slots=8)]),
            SlotQueue(chosen, [Terminal("http://one")]),
        )
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(grid) > 30_000
    assert len(kept[0]) == len(grid)
    assert size < 50 * len(grid)

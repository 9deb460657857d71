"""The time that remains of a long run is right within a fifth, by a clock of the test's own."""

import heapq
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice

import pytest

from pipeline.history import Sizes, Workload
from pipeline.history.pace import Pace
from pipeline.planning.estimate import from_sizes
from pipeline.progress.tally import Tally
from tests.pipeline.progress.test_tally import Clock
from transforms.market.calendar import trading_days
from transforms.model import EMPTY, WRITTEN, GreeksRequest
from transforms.model.requests import RequestGrid

WORKERS = 4
FIRST, LAST = date(2022, 1, 3), date(2023, 2, 24)
Rows = Callable[[GreeksRequest], int]


def history() -> RequestGrid:
    """A file for each trade date of weekly expirations, 75 days ahead."""
    fridays = [FIRST + timedelta(days=4 + 7 * week) for week in range(60)]
    days = trading_days(FIRST, LAST)
    return RequestGrid([("SPXW", each) for each in fridays], days, reach=75, by_day=True)


def days_left(request: GreeksRequest) -> int:
    return (request.expiration - request.last_trade_date).days


def steady(request: GreeksRequest) -> int:
    """Fewer rows the further ahead, and none before there are quotes."""
    return 0 if days_left(request) > 50 else 40_000 // (2 + days_left(request))


def growing(request: GreeksRequest) -> int:
    """A market with a tenth more contracts each year."""
    years = (request.last_trade_date - FIRST).days / 365
    return round(steady(request) * (1 + years / 10))


def seconds_of(rows: int) -> float:
    return 0.05 + 20e-6 * rows if rows else 0.002


def ran(tally: Tally, requests: RequestGrid, clock: Clock, rows_of: Rows) -> Iterator[float]:
    """Runs all requests, as workers do who take the next one; yields the time of each end."""
    left = iter(requests)
    under_way: list[tuple[float, int, GreeksRequest]] = []

    def begin(number: int) -> None:
        for request in islice(left, 1):
            tally.take(request.key_fields() | {"kind": "started"})
            heapq.heappush(under_way, (clock.now + seconds_of(rows_of(request)), number, request))

    for number in range(WORKERS):
        begin(number)
    number = WORKERS
    while under_way:
        clock.now, _, request = heapq.heappop(under_way)
        rows = rows_of(request)
        result = {"kind": "result", "status": WRITTEN if rows else EMPTY, "rows": rows}
        result |= {"bytes": 20 * rows, "seconds": seconds_of(rows)}
        tally.take(request.key_fields() | result)
        begin(number)
        number += 1
        yield clock.now


def off(tally: Tally, requests: RequestGrid, clock: Clock, rows_of: Rows) -> list[float]:
    """Returns how far off the remaining time is at each tenth, 0.1 where it is a tenth too long.

    Where it is shown before any request has ended, that comes first.
    """
    began, first = clock.now, tally.snapshot().remaining
    shown = [(end, tally.snapshot().remaining) for end in ran(tally, requests, clock, rows_of)]
    total = clock.now - began
    seen = [] if first is None else [first / total - 1]
    for tenth in range(1, 10):
        now, remaining = next(each for each in shown if each[0] >= began + total * tenth / 10)
        assert remaining is not None
        seen.append(remaining / (clock.now - now) - 1)
    return seen


@pytest.mark.parametrize("rows_of", [steady, growing])
def test_the_remaining_time_is_right_within_a_fifth_after_the_first_tenth(rows_of: Rows) -> None:
    requests, clock = history(), Clock()
    errors = off(Tally(requests, clock=clock), requests, clock, rows_of)
    assert len(errors) == 9
    assert max(map(abs, errors)) < 0.2


@pytest.mark.parametrize("rows_of", [steady, growing])
def test_with_an_earlier_run_it_is_right_within_a_fifth_from_the_first_second(
    rows_of: Rows,
) -> None:
    requests, clock = history(), Clock()
    sizes, pace = Sizes(), Pace()
    for request in requests[-1000:]:
        rows = rows_of(request)
        sizes.learn_rows(request, rows)
        pace.learn(rows, seconds_of(rows))
    expected = from_sizes(Workload(requests), sizes, 20, pace, concurrency=WORKERS, basis="")
    assert expected is not None
    tally = Tally(requests, sizes, clock=clock, seconds=expected.seconds)
    errors = off(tally, requests, clock, rows_of)
    assert len(errors) == 10
    assert max(map(abs, errors)) < 0.2

import pickle
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transforms.dispatch.deal_again import GatherLeft, Left, deal_again
from transforms.dispatch.terminals import Terminal, deal
from transforms.model import WITHDRAWN, ExpirationResult, GreeksRequest

REQUESTS = [
    GreeksRequest("SPXW", date(2024, 3, 14) + timedelta(n), (date(2024, 3, 14),)) for n in range(60)
]
ONE, OTHER = Terminal("http://one", slots=2), Terminal("http://other", slots=1)


def left_by(*requests: tuple[Terminal, GreeksRequest]) -> Left:
    """What Terminals left, gathered by several workers."""
    gather = GatherLeft()
    each = [
        gather.add_input(
            gather.create_accumulator(),
            ExpirationResult(request, WITHDRAWN, withdrawn_from=terminal.url),
        )
        for terminal, request in requests
    ]
    return gather.extract_output(gather.merge_accumulators(each))


@given(st.integers(0, 60), st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_every_request_is_dealt_once_and_no_terminal_has_more_work_than_slots(
    count: int, slots: list[int]
) -> None:
    terminals = [Terminal(f"http://{n}", slots=limit) for n, limit in enumerate(slots)]
    works = deal(REQUESTS[:count], terminals)
    dealt = [request for work in works for request in work.requests]
    assert sorted(dealt, key=lambda each: each.expiration) == REQUESTS[:count]
    places = {(work.terminal, work.slot) for work in works}
    assert len(places) == len(works)
    assert all(work.requests and 0 <= work.slot < work.terminal.slots for work in works)


def test_the_largest_are_dealt_there_and_back_again() -> None:
    works = deal(REQUESTS[:6], [ONE, OTHER])
    assert [(work.terminal.url, work.slot) for work in works] == [
        ("http://one", 0),
        ("http://other", 0),
        ("http://one", 1),
    ]
    assert [work.requests for work in works] == [
        (REQUESTS[0], REQUESTS[5]),
        (REQUESTS[1], REQUESTS[4]),
        (REQUESTS[2], REQUESTS[3]),
    ]


def test_what_a_failed_terminal_leaves_is_dealt_to_those_that_did_not_fail() -> None:
    left = left_by(*((ONE, request) for request in reversed(REQUESTS[3:7])))
    (work,) = deal_again(left, REQUESTS, [ONE, OTHER], withdraw=False)
    assert work.terminal == OTHER
    assert sorted(work.requests, key=lambda each: each.expiration) == REQUESTS[3:7]
    # Of 100,000 requests, results would be 100 MB.
    assert len(pickle.dumps(left.marks)) < 8 * len(left.marks) + 200


def test_where_all_have_failed_all_are_asked_once_more() -> None:
    left = left_by((ONE, REQUESTS[0]), (OTHER, REQUESTS[1]))
    works = deal_again(left, REQUESTS, [ONE, OTHER], withdraw=False)
    assert {work.terminal for work in works} == {ONE, OTHER}
    assert [request for work in works for request in work.requests] == REQUESTS[:2]
    assert deal_again(left_by(), REQUESTS, [ONE, OTHER], withdraw=False) == []

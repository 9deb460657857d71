from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from transforms.dispatch.terminals import Terminal, deal, deal_again
from transforms.model import GreeksRequest

REQUESTS = [
    GreeksRequest("SPXW", date(2024, 3, 14) + timedelta(n), (date(2024, 3, 14),)) for n in range(60)
]
ONE, OTHER = Terminal("http://one", slots=2), Terminal("http://other", slots=1)


@given(st.integers(0, 60), st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_every_request_is_in_one_hand_and_no_terminal_has_more_hands_than_slots(
    count: int, slots: list[int]
) -> None:
    terminals = [Terminal(f"http://{n}", slots=limit) for n, limit in enumerate(slots)]
    hands = deal(REQUESTS[:count], terminals)
    dealt = [request for hand in hands for request in hand.requests]
    assert sorted(dealt, key=lambda each: each.expiration) == REQUESTS[:count]
    places = {(hand.terminal, hand.slot) for hand in hands}
    assert len(places) == len(hands)
    assert all(hand.requests and 0 <= hand.slot < hand.terminal.slots for hand in hands)


def test_the_largest_are_dealt_there_and_back_again() -> None:
    hands = deal(REQUESTS[:6], [ONE, OTHER])
    assert [(hand.terminal.url, hand.slot) for hand in hands] == [
        ("http://one", 0),
        ("http://other", 0),
        ("http://one", 1),
    ]
    assert [hand.requests for hand in hands] == [
        (REQUESTS[0], REQUESTS[5]),
        (REQUESTS[1], REQUESTS[4]),
        (REQUESTS[2], REQUESTS[3]),
    ]


def test_what_a_failed_terminal_leaves_is_dealt_to_those_that_did_not_fail() -> None:
    left = [(request, ONE.url) for request in REQUESTS[:4]]
    (hand,) = deal_again(left, [ONE, OTHER])
    assert hand.terminal == OTHER
    assert sorted(hand.requests, key=lambda each: each.expiration) == REQUESTS[:4]


def test_where_all_have_failed_all_are_asked_once_more() -> None:
    left = [(REQUESTS[0], ONE.url), (REQUESTS[1], OTHER.url)]
    assert {hand.terminal for hand in deal_again(left, [ONE, OTHER])} == {ONE, OTHER}
    assert deal_again([], [ONE, OTHER]) == []

import pickle
import threading
from datetime import date, timedelta

import pytest

from transforms.dispatch.queue import SlotQueue, shared_queue
from transforms.dispatch.terminals import Terminal
from transforms.model import GreeksRequest

REQUESTS = [
    GreeksRequest("SPXW", date(2024, 3, 14) + timedelta(n), (date(2024, 3, 14),)) for n in range(40)
]
ONE, OTHER = Terminal("http://one", slots=2), Terminal("http://other", slots=1)


def again(pickled: bytes) -> SlotQueue:
    queue = pickle.loads(pickled)  # noqa: S301 -- of this test's own
    assert isinstance(queue, SlotQueue)
    return queue


def never() -> bool:
    return False


def test_a_free_worker_takes_the_next_request_and_each_is_dealt_once() -> None:
    taken: dict[int, list[GreeksRequest]] = {0: [], 1: []}
    stuck, done = threading.Event(), threading.Event()

    def work(worker: int, queue: SlotQueue) -> None:
        while (dealt := queue.take(never)) is not None:
            taken[worker].append(dealt[0])
            if worker == 0:
                stuck.set()
                done.wait(30)
            queue.give_back(dealt[1])

    with shared_queue(REQUESTS, [ONE]) as queue:
        slow = threading.Thread(target=work, args=(0, again(pickle.dumps(queue))))
        slow.start()
        stuck.wait(30)
        work(1, again(pickle.dumps(queue)))
        done.set()
        slow.join()
    assert taken[0] == REQUESTS[:1]
    assert taken[1] == REQUESTS[1:]


def test_a_pickled_queue_is_the_same_one_in_its_process_and_refused_after_its_run() -> None:
    with shared_queue(REQUESTS[:1], [ONE]) as one, shared_queue(REQUESTS[1:2], [ONE]) as other:
        pickled = pickle.dumps(one)
        assert again(pickled) is one
        assert again(pickle.dumps(other)) is other
    with pytest.raises(LookupError, match="give FetchGreeks none there"):
        again(pickled)


def test_requests_go_where_slots_are_free_and_wait_where_none_is() -> None:
    queue = SlotQueue(REQUESTS, [ONE, OTHER])
    taken = [queue.take(never) for _ in range(3)]
    assert sorted(pair[1].url for pair in taken if pair) == ["http://one"] * 2 + ["http://other"]
    late: list[object] = []
    waiting = threading.Thread(target=lambda: late.append(queue.take(never)))
    waiting.start()
    queue.give_back(OTHER)
    waiting.join(30)
    assert late == [(REQUESTS[3], OTHER)]


def test_who_is_to_stop_waits_for_no_slot_and_is_given_nothing_more() -> None:
    queue = SlotQueue(REQUESTS, [OTHER])
    assert queue.take(never) == (REQUESTS[0], OTHER)
    assert queue.take(lambda: True) is None
    queue.give_back(OTHER)
    assert queue.take(lambda: True) is None
    assert queue.take(never) == (REQUESTS[1], OTHER)


def test_what_a_failed_terminal_leaves_goes_to_the_others_and_nothing_more_to_it() -> None:
    queue = SlotQueue(REQUESTS[:3], [ONE, OTHER])
    first = queue.take(never)
    assert first == (REQUESTS[0], ONE)
    assert queue.set_aside(ONE, REQUESTS[0])
    queue.give_back(ONE)
    for request in REQUESTS[:3]:
        assert queue.take(never) == (request, OTHER)
        queue.give_back(OTHER)
    assert queue.take(never) is None


def test_the_last_terminal_is_never_set_aside() -> None:
    queue = SlotQueue(REQUESTS[:2], [ONE, OTHER])
    assert queue.set_aside(ONE, REQUESTS[0])
    assert not queue.set_aside(OTHER, REQUESTS[1])
    assert queue.take(never) == (REQUESTS[0], OTHER)

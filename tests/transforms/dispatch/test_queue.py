import threading
from datetime import date, timedelta

from transforms.dispatch.queue import Table, laid_out, table_of
from transforms.dispatch.terminals import Terminal
from transforms.model import GreeksRequest

REQUESTS = [
    GreeksRequest("SPXW", date(2024, 3, 14) + timedelta(n), (date(2024, 3, 14),)) for n in range(40)
]
ONE, OTHER = Terminal("http://one", slots=2), Terminal("http://other", slots=1)


def never() -> bool:
    return False


def test_a_free_worker_takes_the_next_request_and_each_is_dealt_once() -> None:
    taken: dict[int, list[GreeksRequest]] = {0: [], 1: []}
    stuck, done = threading.Event(), threading.Event()

    def work(worker: int) -> None:
        table = table_of("run")
        assert table is not None
        while (dealt := table.take(never)) is not None:
            taken[worker].append(dealt[0])
            if worker == 0:
                stuck.set()
                done.wait(30)
            table.give_back(dealt[1])

    with laid_out("run", REQUESTS, [ONE]):
        slow = threading.Thread(target=work, args=(0,))
        slow.start()
        stuck.wait(30)
        work(1)
        done.set()
        slow.join()
    assert taken[0] == REQUESTS[:1]
    assert taken[1] == REQUESTS[1:]


def test_one_run_does_not_touch_another() -> None:
    with laid_out("one", REQUESTS[:1], [ONE]), laid_out("other", REQUESTS[1:2], [ONE]):
        other, one = table_of("other"), table_of("one")
        assert other is not None
        assert one is not None
        assert other.take(never) == (REQUESTS[1], ONE)
        assert one.take(never) == (REQUESTS[0], ONE)
    assert table_of("one") is None


def test_requests_go_where_slots_are_free_and_wait_where_none_is() -> None:
    table = Table(REQUESTS, [ONE, OTHER])
    taken = [table.take(never) for _ in range(3)]
    assert sorted(pair[1].url for pair in taken if pair) == ["http://one"] * 2 + ["http://other"]
    late: list[object] = []
    waiting = threading.Thread(target=lambda: late.append(table.take(never)))
    waiting.start()
    table.give_back(OTHER)
    waiting.join(30)
    assert late == [(REQUESTS[3], OTHER)]


def test_who_is_to_stop_waits_for_no_slot() -> None:
    table = Table(REQUESTS, [OTHER])
    assert table.take(never) == (REQUESTS[0], OTHER)
    assert table.take(lambda: True) == (REQUESTS[1], OTHER)


def test_what_a_failed_terminal_leaves_goes_to_the_others_and_nothing_more_to_it() -> None:
    table = Table(REQUESTS[:3], [ONE, OTHER])
    first = table.take(never)
    assert first == (REQUESTS[0], ONE)
    assert table.set_aside(ONE, REQUESTS[0])
    table.give_back(ONE)
    for request in REQUESTS[:3]:
        assert table.take(never) == (request, OTHER)
        table.give_back(OTHER)
    assert table.take(never) is None


def test_the_last_terminal_is_never_set_aside() -> None:
    table = Table(REQUESTS[:2], [ONE, OTHER])
    assert table.set_aside(ONE, REQUESTS[0])
    assert not table.set_aside(OTHER, REQUESTS[1])
    assert table.take(never) == (REQUESTS[0], OTHER)

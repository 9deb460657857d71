import threading
from datetime import date, timedelta

from transforms.dealing import laid_out, share
from transforms.model import GreeksRequest

REQUESTS = [
    GreeksRequest("SPXW", date(2024, 3, 14) + timedelta(n), (date(2024, 3, 14),)) for n in range(40)
]


def test_where_nothing_is_laid_out_an_element_is_its_own_request() -> None:
    assert list(share("run", REQUESTS[3])) == [REQUESTS[3]]


def test_a_free_worker_takes_the_next_request_and_each_is_dealt_once() -> None:
    taken: dict[int, list[GreeksRequest]] = {0: [], 1: []}
    stuck, done = threading.Event(), threading.Event()

    def work(worker: int) -> None:
        # The runner's own dealing: every second element.
        for element in REQUESTS[worker::2]:
            for request in share("run", element):
                taken[worker].append(request)
                if worker == 0:
                    stuck.set()
                    done.wait(30)

    with laid_out("run", REQUESTS):
        slow = threading.Thread(target=work, args=(0,))
        slow.start()
        stuck.wait(30)
        work(1)
        done.set()
        slow.join()
    assert taken[0] == REQUESTS[:1]
    assert taken[1] == REQUESTS[1:]


def test_one_run_does_not_touch_another() -> None:
    with laid_out("one", REQUESTS[:1]), laid_out("other", REQUESTS[1:2]):
        assert list(share("other", REQUESTS[0])) == REQUESTS[1:2]
        assert list(share("one", REQUESTS[0])) == REQUESTS[:1]

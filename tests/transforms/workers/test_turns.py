"""Turns: who may work, for how long, and who is next. Real threads; the clock is the test's."""

import random
import threading
import time
from collections.abc import Callable

import pytest

from tests.support.waiting import wait_for
from transforms.workers.turns import LINGER_SECONDS, TURN_SECONDS, Turns


class Clock:
    """Goes on when it is reported to."""

    def __init__(self) -> None:
        self.now = 0.0

    def leave_behind(self) -> None:
        """Goes on for so long that nobody who has left is waited for."""
        self.now += 2 * LINGER_SECONDS

    def __call__(self) -> float:
        return self.now


def work(turns: Turns) -> None:
    """Is there for a moment."""
    with turns:
        pass


def started(do: Callable[[], object]) -> threading.Thread:
    """Runs `do` in a thread of its own."""
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread


def waiting(turns: Turns) -> threading.Thread:
    """A thread that has come to wait for a turn."""
    before = len(turns._waiting)
    thread = started(lambda: work(turns))
    wait_for("the thread", lambda: len(turns._waiting) > before)
    return thread


def goes_on(thread: threading.Thread) -> bool:
    """Whether the thread is done in time for several looks at the turns."""
    thread.join(20 * LINGER_SECONDS)
    return not thread.is_alive()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    """One turn."""
    return Turns(1, clock)


def test_a_thread_that_comes_back_soon_keeps_its_turn(turns: Turns, clock: Clock) -> None:
    work(turns)
    other = waiting(turns)
    for _ in range(5):
        clock.now += 0.9 * LINGER_SECONDS
        assert not goes_on(other)
        work(turns)
    clock.leave_behind()
    other.join()


def test_a_turn_that_nobody_has_come_back_to_is_free(turns: Turns, clock: Clock) -> None:
    started(lambda: work(turns)).join()
    clock.leave_behind()
    work(turns)
    assert not turns._waiting


def test_no_turn_is_taken_from_a_thread_at_work(turns: Turns, clock: Clock) -> None:
    with turns:
        other = waiting(turns)
        clock.now += 100
        assert not goes_on(other)
    other.join()


def test_a_long_turn_ends_where_another_thread_waits(turns: Turns, clock: Clock) -> None:
    with turns:
        clock.now += 2 * TURN_SECONDS
        other = waiting(turns)
    other.join()


def test_who_has_had_a_long_turn_comes_back_behind_who_waits(turns: Turns, clock: Clock) -> None:
    order = []
    with turns:
        clock.now += 2 * TURN_SECONDS

    def note() -> None:
        with turns:
            order.append("other")
        clock.leave_behind()

    other = started(note)
    wait_for("the other one", lambda: turns._waiting)
    with turns:
        order.append("this")
    other.join()
    assert order == ["other", "this"]


def test_turns_come_in_the_order_in_which_they_were_asked_for(turns: Turns, clock: Clock) -> None:
    order = []

    def note(number: int) -> None:
        with turns:
            order.append(number)
        clock.leave_behind()

    threads = []
    with turns:
        for number in range(5):
            threads.append(started(lambda number=number: note(number)))  # type: ignore[misc]  # -- mypy infers no type for a lambda with a default
            wait_for("the thread", lambda: len(turns._waiting) == len(threads))
    clock.leave_behind()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_an_error_at_work_leaves_the_turn(turns: Turns, clock: Clock) -> None:
    with pytest.raises(ValueError, match="broken"), turns:
        raise ValueError("broken")
    clock.leave_behind()
    started(lambda: work(turns)).join()


def test_never_more_threads_are_at_work_than_there_are_turns() -> None:
    turns = Turns(3)
    at_work, most, lock = 0, 0, threading.Lock()

    def come_and_go(seed: int) -> None:
        nonlocal at_work, most
        chance = random.Random(seed)
        for _ in range(100):
            with turns:
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                time.sleep(chance.random() * 0.001)
                with lock:
                    at_work -= 1
            if chance.random() < 0.1:
                # Away for so long that another thread has the turn.
                time.sleep(2 * LINGER_SECONDS)

    threads = [started(lambda seed=seed: come_and_go(seed)) for seed in range(10)]  # type: ignore[misc]  # -- mypy infers no type for a lambda with a default
    for thread in threads:
        thread.join()
    assert most == 3
    assert turns._free + len(turns._turns) == 3
    assert not turns._waiting

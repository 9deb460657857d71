"""Which workers of this process convert rows at once: as many as there are processors.

Most workers wait for the Terminal, which answers as many requests at once as the subscription
allows. Where more of them have something to convert than there are processors, all are slower
together than in turns, and each takes 10 MiB more. And turns are long: then two workers take the
interpreter's lock from each other, and not four, and files are complete one after the other.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LINGER_SECONDS = 0.005
"""How long a turn is kept for a worker that has left it.

Long enough to read the next block of an answer that has come already, and to hand batches over;
nothing is lost where answers come slowly (measured at 6 to 20 MB/s for each of eight).
"""

TURN_SECONDS = 1.0
"""After which a worker lets the next one go on: its Terminal must not take it for gone."""


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class _Turn:
    """A thread's turn: when it began, and when the thread left it, if it is not at work."""

    since: float
    left: float | None = None


class Turns:
    """Lets some threads at a time work, in the order in which they came, for long stretches.

    To be held (`with`) while rows are converted, and never while waiting for the network. A thread
    that leaves keeps its turn for `LINGER_SECONDS`; if it has not come back by then, whatever it
    does, the next one goes on. One thread can't hold two turns.

    Args:
        turns: how many threads, at least 1.
        clock: seconds, from any point.
    """

    def __init__(self, turns: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = turns
        self._clock = clock
        self._turns: dict[int, _Turn] = {}
        self._waiting: deque[tuple[int, threading.Lock]] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._lock:
            now = self._clock()
            mine = self._turns.get(me)
            if mine is not None and not self._is_over(mine, now):
                mine.left = None
                return
            if mine is not None:
                self._pass_on(me, now)
            self._take_back(now)
            if self._free:
                self._free -= 1
                self._turns[me] = _Turn(now)
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append((me, turn))
        while not turn.acquire(timeout=LINGER_SECONDS):
            with self._lock:
                self._take_back(self._clock())

    def __exit__(self, *_error: object) -> None:
        me = threading.get_ident()
        with self._lock:
            now = self._clock()
            mine = self._turns[me]
            mine.left = now
            if self._is_over(mine, now):
                self._pass_on(me, now)

    def _is_over(self, turn: _Turn, now: float) -> bool:
        return bool(self._waiting) and now - turn.since > TURN_SECONDS

    def _take_back(self, now: float) -> None:
        """Passes on the turns that were left too long ago."""
        for thread, turn in list(self._turns.items()):
            if turn.left is not None and now - turn.left > LINGER_SECONDS:
                self._pass_on(thread, now)

    def _pass_on(self, thread: int, now: float) -> None:
        del self._turns[thread]
        if self._waiting:
            next_thread, turn = self._waiting.popleft()
            self._turns[next_thread] = _Turn(now)
            turn.release()
        else:
            self._free += 1


CONVERTING = Turns(_processors())
"""To be held while rows are converted, by every worker of this process."""

"""Admission and bookkeeping of the stand-in: how many requests at once, and what was served."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.simulator.answers import Request


class Gate:
    """Lets so many requests through at once, keeps so many waiting, and turns the rest away.

    Args:
        slots: requests that are answered at the same time.
        queue: requests that wait for a slot.
    """

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = threading.Semaphore(slots)
        self._capacity = slots + queue
        self._lock = threading.Lock()
        self._in_flight = 0
        self.most_in_flight = 0

    def enter(self) -> bool:
        """Returns True once there is a slot, to be given back by `leave`; False at once if full."""
        with self._lock:
            if self._in_flight >= self._capacity:
                return False
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        self._slots.acquire()
        return True

    def leave(self) -> None:
        """Gives the slot back."""
        self._slots.release()
        with self._lock:
            self._in_flight -= 1


class Stats:
    """What a server has answered so far. Safe for use by several threads.

    Args:
        clock: seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._requests: dict[str, Counter[str]] = {}
        self._faults: Counter[str] = Counter()
        self._rows = 0
        self._broken_off = 0
        self._history = 0
        self._in_flight = self._most_in_flight = 0
        self._busy = self._busy_at_start = self._counted_until = 0.0
        self._first: float | None = None
        self._last_start: float | None = None
        self._last: float | None = None

    def answered(self, request: Request, status: str) -> None:
        """Counts a request, as its answer begins."""
        path = request.path
        # The ids of pages depend on what else is going on.
        path = path.rpartition("/")[0] if path.startswith("/v2/page/") else path
        with self._lock:
            self._requests.setdefault(path, Counter())[status] += 1

    def served(self, rows: int) -> None:
        """Counts rows, as they are about to be sent."""
        with self._lock:
            self._rows += rows

    def broken_off(self) -> None:
        """Counts an answer whose reader went away."""
        with self._lock:
            self._broken_off += 1

    def fault(self, kind: str) -> None:
        """Counts a fault, as its answer begins."""
        with self._lock:
            self._faults[kind] += 1

    @contextmanager
    def flight(self, request: Request) -> Iterator[None]:
        """Takes the time of a request for rows of Greeks, until it is answered."""
        if not request.is_history:
            yield
            return
        with self._lock:
            self._last_start = self._count_busy()
            self._busy_at_start = self._busy
            self._history += 1
            self._first = self._last_start if self._first is None else self._first
            self._in_flight += 1
            self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._last = self._count_busy()
                self._in_flight -= 1

    def _count_busy(self) -> float:
        """Adds up the requests in flight over time, until now; returns now."""
        now = self._clock() - self._began
        self._busy += self._in_flight * (now - self._counted_until)
        self._counted_until = now
        return now

    def describe(self) -> dict[str, Any]:
        """Returns the counts, as `/stats` shows them."""
        with self._lock:
            requests = {path: dict(self._requests[path]) for path in sorted(self._requests)}
            return {
                "requests": requests,
                "rows": self._rows,
                "broken_off": self._broken_off,
                "faults": dict(sorted(self._faults.items())),
                "history": {
                    "requests": self._history,
                    "most_in_flight": self._most_in_flight,
                    "busy_seconds": self._busy,
                    "busy_seconds_at_last_start": self._busy_at_start,
                    "first_start": self._first,
                    "last_start": self._last_start,
                    "last_end": self._last,
                },
            }

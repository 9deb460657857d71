"""Admission and bookkeeping of the stand-in: how many requests at once, and what was served."""

import threading
from collections import Counter
from typing import Any


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
    """What a server has answered so far. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[str, Counter[str]] = {}
        self._rows = 0
        self._broken_off = 0

    def answered(self, path: str, status: int) -> None:
        """Counts a request, as its answer begins."""
        with self._lock:
            self._requests.setdefault(path, Counter())[str(status)] += 1

    def served(self, rows: int) -> None:
        """Counts rows, as they are about to be sent."""
        with self._lock:
            self._rows += rows

    def broken_off(self) -> None:
        """Counts an answer whose reader went away."""
        with self._lock:
            self._broken_off += 1

    def describe(self) -> dict[str, Any]:
        """Returns the counts, as `/stats` shows them."""
        with self._lock:
            requests = {path: dict(self._requests[path]) for path in sorted(self._requests)}
            return {"requests": requests, "rows": self._rows, "broken_off": self._broken_off}

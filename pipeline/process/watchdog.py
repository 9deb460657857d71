"""Ends a run that can't end by itself: its workers do not stop, or one of them is gone.

Beam's local runner blocks the launcher until every worker is done, and waits for ever for one that
died. This thread watches from beside.
"""

import threading
import time
from collections.abc import Callable, Collection

import psutil

STOP_SECONDS = 1.5
"""From the signal to the end of a run whose workers do not stop by themselves."""

CANCEL_SECONDS = 10.0
"""The same of a job on another runner, which is to be cancelled first."""

_LOOK_SECONDS = 0.1
# The runner ends its workers itself, one after the other, right before it returns: once all is done
# that takes as long as a busy machine needs.
_DEATH_SECONDS = 3.0
_ENDING_SECONDS = 30.0
WORKER = "pipeline.runners.worker"
"""The module that a worker process runs, by which it is recognised."""
DIED = (
    "a worker process died (killed, perhaps for want of memory). The files that are there are "
    "whole: run again, which fetches only what is missing"
)
CHANNEL_CLOSED = "Channel closed prematurely"
"""In the message of Beam's local runner, where it notices the death itself."""


class Watchdog:
    """Watches a run while it is entered.

    Args:
        stopping: whether the run was asked to stop.
        give_up: ends the process; it is given the reason, or None if the workers were too slow to
            stop, and does not return.
        processes: whether the workers are processes of their own.
        done: whether every result is there, so that workers may end.
        seconds: from the signal to the end of a run whose workers do not stop by themselves.
    """

    def __init__(
        self,
        stopping: Callable[[], bool],
        give_up: Callable[[str | None], None],
        *,
        processes: bool,
        done: Callable[[], bool] = lambda: False,
        seconds: float = STOP_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._stopping = stopping
        self._give_up = give_up
        self._processes = processes
        self._done = done
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        # If the other thread is giving up, this waits for the end of the process.
        self._ending.acquire()
        self._ended.set()

    def _watch(self) -> None:
        deadline = died = None
        seen: set[int] = set()
        while not self._ended.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if deadline is None and self._stopping():
                deadline = now + self._seconds
            if deadline is not None and now > deadline:
                self._end(None)
            if self._processes:
                workers = worker_processes()
                # One that becomes another program has no command line for a moment.
                died = (died or now) if seen - workers else None
                seen |= workers
            patience = _ENDING_SECONDS if self._done() else _DEATH_SECONDS
            if died is not None and now > died + patience:
                self._end(DIED)

    def _end(self, reason: str | None) -> None:
        if self._ending.acquire(blocking=False):
            self._give_up(reason)


def worker_processes() -> set[int]:
    """Returns the processes of this one's workers, where it has any."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            alive = child.status() != psutil.STATUS_ZOMBIE
            if alive and any(WORKER in word for word in child.cmdline()):
                found.add(child.pid)
        except psutil.Error:
            continue  # it ended in this very moment
    return found


def kill(processes: Collection[int]) -> None:
    """Kills processes, where they are still there."""
    for pid in processes:
        try:
            psutil.Process(pid).kill()
        except psutil.Error:
            continue  # it ended by itself

"""The stop signal of a run: how a launcher's Ctrl-C reaches the workers that fetch."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from transforms.workers.process import ProcessId

_POLL_SECONDS = 0.25
_WAKE_SECONDS = 0.05
_stopped: set[str] = set()
_wakers: dict[str, list[Callable[[], None]]] = {}
_lock = threading.Lock()


class Stop:
    """A signal to stop, as a client sees it; this one never comes."""

    def is_set(self) -> bool:
        """Returns whether it is to stop."""
        return False

    def register(self, wake: Callable[[], None]) -> None:
        """Has `wake` called from another thread once it is to stop, and until `unregister`."""

    def unregister(self, wake: Callable[[], None]) -> None:
        """Takes a registration back."""


NEVER = Stop()
"""For a client that nobody interrupts."""


@dataclass
class StopSignal(Stop):
    """A signal that is seen in the launcher's process at once, and in others through a file.

    Beam pickles it into each worker. All copies of one path are the same signal: within a process
    they share its state and one thread that wakes, which the module keeps by the path.

    Attributes:
        path: a file that exists once the run is to stop. Workers on another machine see it
            only on a file system that they share; others are stopped by their runner.
        owner: the launcher. Its end is a signal to stop, too: nobody would take the results.
    """

    path: str
    owner: ProcessId | None = None
    _next_look: float = field(default=0.0, init=False, compare=False)

    def set(self) -> None:
        """Asks the run to stop. May be called from any thread."""
        _stopped.add(self.path)
        if Path(self.path).parent.is_dir():
            # Without the folder no worker has begun.
            Path(self.path).touch()

    def clear(self) -> None:
        """Removes the file."""
        _stopped.discard(self.path)
        Path(self.path).unlink(missing_ok=True)

    def is_set(self) -> bool:
        """Returns whether the run is to stop; other processes look 4 times a second."""
        if self.path in _stopped:
            return True
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _POLL_SECONDS
        if os.path.exists(self.path) or self._orphaned():  # noqa: PTH110 -- a string here, four times a second
            _stopped.add(self.path)
            return True
        return False

    def _orphaned(self) -> bool:
        owner = self.owner
        return owner is not None and owner.pid != os.getpid() and owner.gone()

    def register(self, wake: Callable[[], None]) -> None:
        """Has `wake` called, from another thread, once the run is to stop.

        It is called again and again until it is unregistered: what it woke may have begun to wait
        once more in the same moment.
        """
        with _lock:
            wakers = _wakers.get(self.path)
            if wakers is None:
                wakers = _wakers[self.path] = []
                threading.Thread(
                    target=self._watch, args=(wakers,), name="stop", daemon=True
                ).start()
            wakers.append(wake)

    def unregister(self, wake: Callable[[], None]) -> None:
        """Takes a registration back."""
        with _lock:
            wakers = _wakers[self.path]
            wakers.remove(wake)
            if not wakers:
                del _wakers[self.path]

    def _watch(self, wakers: list[Callable[[], None]]) -> None:
        while True:
            with _lock:
                if _wakers.get(self.path) is not wakers:
                    return
                due = list(wakers)
            if self.is_set():
                for wake in due:
                    wake()
            time.sleep(_WAKE_SECONDS)

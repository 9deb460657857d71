"""The stop signal of a run: how a launcher's Ctrl-C reaches the workers that fetch."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

_POLL_SECONDS = 0.25
_stopped: set[str] = set()


@dataclass
class StopSignal:
    """A signal that is seen in this process at once, and in others through a file.

    Attributes:
        path: a file on this machine that exists once the run is asked to stop. On another
            machine it never exists: a remote run is stopped by its runner.
    """

    path: str
    _next_look: float = field(default=0.0, init=False, compare=False)

    def set(self) -> None:
        """Asks the run to stop."""
        _stopped.add(self.path)
        Path(self.path).touch()

    def clear(self) -> None:
        """Removes the file."""
        _stopped.discard(self.path)
        Path(self.path).unlink(missing_ok=True)

    def is_set(self) -> bool:
        """Returns whether the run was asked to stop; the file is looked at 4 times a second."""
        if self.path in _stopped:
            return True
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _POLL_SECONDS
        return os.path.exists(self.path)  # noqa: PTH110 -- a string here, four times a second

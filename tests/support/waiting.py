"""Waiting for a fact, and not for a time."""

import time
from collections.abc import Callable


def wait_for(what: str, holds: Callable[[], object], seconds: float = 60) -> None:
    """Returns once `holds` returns something true, which it has to in so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)

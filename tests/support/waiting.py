"""Waiting for a fact, and not for a time."""

import time
from collections.abc import Callable


def wait_for(what: str, holds: Callable[[], object]) -> None:
    """Returns once `holds` returns something true."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)

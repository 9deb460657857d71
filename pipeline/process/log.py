"""The log of a program that runs Beam and has set up none: it stays as it was."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _InsteadOfNone(logging.Handler):
    """Does what Python does where there is no handler, but for Beam's records."""

    def emit(self, record: logging.LogRecord) -> None:
        last = logging.lastResort
        if last is None or record.levelno < last.level or "apache_beam" in record.pathname:
            return
        if logging.getLogger().handlers[:1] == [self]:
            last.handle(record)


@contextmanager
def kept_log() -> Iterator[None]:
    """Keeps Beam from setting up the log while the block lasts.

    It does so at every look at its options, wherever the program has not, and what it logs would
    be printed from then on.
    """
    root = logging.getLogger()
    if root.handlers and not isinstance(root.handlers[0], _InsteadOfNone):
        yield
        return
    handler = _InsteadOfNone()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)

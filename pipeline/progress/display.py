"""The display of a run: a bar in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from pipeline.progress.snapshot import Snapshot
from pipeline.text import count, size_text, time_text

_SHOWN = 4
_MOST_NEWS = 5


def facts(now: Snapshot, memory: float) -> str:
    """Returns how far a run is as one line of text.

    Args:
        now: how far it is.
        memory: resident MiB of all its processes.
    """
    parts = [f"{memory:.0f} MiB"]
    if now.rows or now.thing == "expiration":
        parts = [
            count(now.rows, "row"),
            f"{now.rows_now:,.0f} rows/s (average {now.rows_average:,.0f})",
            f"{size_text(now.bytes_now)}/s",
            *parts,
        ]
    if now.retries:
        parts.append(count(now.retries, "retry"))
    if now.failed:
        parts.append(f"{now.failed} failed")
    if now.state:
        parts.append(now.state)
    return ", ".join(parts)


def in_flight(now: Snapshot) -> str:
    """Returns the expirations under way as one line of text."""
    shown = ", ".join(f"{name} ({rows:,})" for name, rows in now.in_flight[:_SHOWN])
    more = len(now.in_flight) - _SHOWN
    return shown + (f" and {more} more" if more > 0 else "")


class Display:
    """Where a run is shown; this one shows nothing.

    Attributes:
        seconds: between two drawings.
    """

    seconds = 1.0

    def line(self, text: str) -> None:
        """Shows a line of the table of results, which stays."""

    def result(self, result: Mapping[str, Any]) -> None:
        """Shows a described `ExpirationResult`, which stays."""

    def news(self, text: str) -> None:
        """Shows an event: a retry, a failure."""

    def draw(self, now: Snapshot, memory: float) -> None:
        """Shows how far the run is, and how many MiB it has resident."""

    def close(self) -> None:
        """Ends the display; its last lines stay."""


class Plain(Display):
    """Lines: results on standard output, all the rest on standard error.

    Args:
        seconds: between two lines of progress.
        out: the table.
        err: progress, retries and failures. Of retries no more than five between two lines of
            progress, which counts the others.
    """

    def __init__(self, seconds: float, out: TextIO | None = None, err: TextIO | None = None):
        self.seconds = seconds
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._news = 0

    def line(self, text: str) -> None:
        """Prints a line of the table."""
        print(text, file=self._out, flush=True)

    def news(self, text: str) -> None:
        """Prints an event."""
        self._news += 1
        if self._news <= _MOST_NEWS:
            print(text, file=self._err, flush=True)
        elif self._news == _MOST_NEWS + 1:
            print("… the next line of progress counts the others", file=self._err, flush=True)

    def draw(self, now: Snapshot, memory: float) -> None:
        """Prints a line of progress."""
        self._news = 0
        share = now.done / now.total if now.total else 1
        under_way = in_flight(now)
        print(
            f"{time_text(now.seconds)} {now.done}/{count(now.total, now.thing)} ({share:.0%}), "
            f"{facts(now, memory)}, ETA {time_text(now.remaining)}"
            + (f"; in flight: {under_way}" if under_way else ""),
            file=self._err,
            flush=True,
        )

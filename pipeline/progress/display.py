"""The display of a run: a bar in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Mapping
from typing import Any

from pipeline.process.colour import print_coloured
from pipeline.progress.results import ResultLines, ResultTable
from pipeline.progress.snapshot import Flight, Snapshot
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
    if now.rows or now.fetching:
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
    # Those that are silent come first: they are the news.
    ordered = sorted(now.in_flight, key=lambda each: -each.silent)
    shown = ", ".join(f"{each.name} ({_state(each, now.timeout)})" for each in ordered[:_SHOWN])
    more = len(now.in_flight) - _SHOWN
    return shown + (f" and {more} more" if more > 0 else "")


def _state(flight: Flight, timeout: float) -> str:
    rows = f"{flight.rows:,}"
    if not flight.silent:
        return rows
    limit = f" of {timeout:.0f}" if timeout else ""
    return f"{rows}, no byte for {flight.silent:.0f} s{limit}"


class Display:
    """Where a run is shown; this one shows no more than it must.

    Args:
        results: makes lines of the results; None to show none.

    Attributes:
        seconds: between two drawings.
    """

    seconds = 1.0

    def __init__(self, results: ResultLines | None = None) -> None:
        self._lines = results

    def result(self, result: Mapping[str, Any]) -> None:
        """Shows a described `ExpirationResult`, which stays."""
        if self._lines:
            word = "" if self._lines.for_programs else result["status"]
            for line in self._lines.lines(result):
                print_coloured(line, word, self._lines.out)

    def line(self, text: str) -> None:
        """Shows a line that must be seen, whatever else is not."""
        print(text, file=sys.stderr, flush=True)

    def news(self, text: str) -> None:
        """Shows an event: a retry, a failure."""

    def draw(self, now: Snapshot, memory: float) -> None:
        """Shows how far the run is, and how many MiB it has resident."""

    def draw_last(self, now: Snapshot, memory: float) -> None:
        """Shows how far the run came, where that stays."""

    def close(self) -> None:
        """Ends the display; its last lines stay."""


class Plain(Display):
    """Lines: results where they belong, all the rest on standard error.

    Of retries there are no more than five between two lines of progress, which counts the others.

    Args:
        seconds: between two lines of progress.
        results: makes lines of the results.
    """

    def __init__(self, seconds: float, results: ResultLines | None = None):
        super().__init__(results or ResultTable())
        self.seconds = seconds
        self._err = sys.stderr
        self._news = 0

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

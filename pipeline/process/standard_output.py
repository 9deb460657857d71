"""Standard output and error: the doors through which all passes that a process shows.

They outlive their readers: `greeks download … | head` is a run like any other. So is one whose
output goes to a full disk, or nowhere: a job that was started with it closed. And so is one whose
output is in an encoding that lacks a printed character. They show no secret, and no control
character but those of a display that draws (`drawing`).
"""

import io
import os
import sys
from typing import Any, TextIO

from transforms.text.foreign import escaped, on_a_line
from transforms.text.secrets import hide


class Unbroken:
    """Writes to a stream until nothing can be written to it any more, and from then on nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes `text`, and returns its length even where nobody reads it."""
        try:
            return self._stream.write(text)
        except OSError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        """Flushes the stream."""
        try:
            self._stream.flush()
        except OSError:
            self._leave()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _leave(self) -> None:
        # What the stream still holds would break once more when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


class Door:
    """Writes text to a stream without its secrets, and with its control characters escaped."""

    def __init__(self, stream: Unbroken) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Writes `text`; returns its length, whatever is written for it."""
        self.stream.write(escaped(hide(text)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def print_line(text: str, out: TextIO | None = None) -> None:
    """Prints a line, and no more, whatever is in the names of files that it repeats.

    Args:
        text: of the line.
        out: standard output by default.
    """
    print(on_a_line(text, None), file=out or sys.stdout)


def drawing(stream: Any) -> Any:
    """Returns what a display writes to that moves the cursor of a terminal, where `stream` leads.

    What it shows of others it escapes itself.
    """
    return stream.stream if isinstance(stream, Door) else stream


def open_doors() -> None:
    """Makes this process's standard output and error such doors.

    A character that their encoding does not have is printed as an escape.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The next file would get the number, and be printed to.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Who reads a pipe or a log file reads each line when it is printed.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.stdout = Door(Unbroken(sys.stdout or open(os.devnull, "w")))  # noqa: SIM115, PTH123 -- to the end
    sys.stderr = Door(Unbroken(sys.stderr or open(os.devnull, "w")))  # noqa: SIM115, PTH123 -- likewise

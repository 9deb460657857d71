"""Standard output that outlives its reader: `greeks download … | head` is a run like any other.

So is one whose output goes to a full disk, or nowhere: a job that was started with it closed. And
so is one whose output is in an encoding that lacks a printed character.
"""

import io
import os
import sys
from typing import TextIO


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


def outlive_readers() -> None:
    """Makes this process's standard output and error survive the end of their readers.

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
    sys.stdout = Unbroken(sys.stdout or open(os.devnull, "w"))  # noqa: SIM115, PTH123 -- to the end
    sys.stderr = Unbroken(sys.stderr or open(os.devnull, "w"))  # noqa: SIM115, PTH123 -- likewise

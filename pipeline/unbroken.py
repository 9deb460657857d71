"""Standard output that outlives its reader: `greeks download … | head` is a run like any other."""

import os
import sys
from typing import TextIO


class Unbroken:
    """Writes to a stream until nobody reads it any more, and from then on nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes `text`, and says so even where nobody reads it."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        """Flushes the stream."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _leave(self) -> None:
        # What the stream still holds would break once more when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def outlive_readers() -> None:
    """Makes this process's standard output and error survive the end of their readers."""
    sys.stdout = Unbroken(sys.stdout)
    sys.stderr = Unbroken(sys.stderr)

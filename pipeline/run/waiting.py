"""The results of a run that wait for a slow reader, on the disk."""

import json
import tempfile
import threading
from collections.abc import Mapping
from typing import Any


class Waiting:
    """The results that came and were not taken yet, in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- `__exit__` closes it
        self._changed = threading.Condition()
        self._read = self._written = 0
        self._ended = False
        self._error: OSError | None = None

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def put(self, result: Mapping[str, Any]) -> None:
        """Takes a described result, from any thread."""
        line = json.dumps(result).encode() + b"\n"
        with self._changed:
            try:
                self._file.seek(self._written)
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                # For whoever waits: the thread that puts has a run to listen to.
                self._error = error
            else:
                self._written += len(line)
            self._changed.notify()

    def end(self) -> None:
        """Says that no more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self) -> Mapping[str, Any] | None:
        """Waits for the next result and returns it; None if there is none any more.

        Raises:
            OSError: the disk is full, or broken.
        """
        with self._changed:
            while self._read == self._written:
                if self._error is not None:
                    raise self._error
                if self._ended:
                    return None
                self._changed.wait()
            self._file.seek(self._read)
            line = self._file.readline()
            self._read += len(line)
            if self._read == self._written:
                self._file.truncate(0)
                self._read = self._written = 0
        result: Mapping[str, Any] = json.loads(line)
        return result

"""What a person sees of a run: a line for each expiration as its file appears."""

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
from types import TracebackType
from typing import Any, TextIO

_POLL_SECONDS = 0.1
_HEADINGS = (
    f"{'symbol':<8}{'expiration':<12}{'status':<12}{'rows':>12}{'size':>11}{'time':>9}  file"
)


def size_text(size: float) -> str:
    """Returns a number of bytes as a person reads it, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def result_line(result: dict[str, Any]) -> str:
    """Returns the table's line of one described `ExpirationResult`."""
    return (
        f"{result['symbol']:<8}{result['expiration']:<12}{result['status']:<12}"
        f"{result['rows']:>12,}{size_text(result['bytes']):>11}{result['seconds']:>7.2f} s"
        f"  {result['path'] or '-'}"
    )


class ResultTable:
    """Prints the table while the workers, in whatever process of this machine, send its lines.

    Attributes:
        address: of the Unix datagram socket that `RecordResults` sends to, or None.
        told: the results that came, as `ExpirationResult.describe()`.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._folder = tempfile.TemporaryDirectory(prefix="greeks-")
        path = os.path.join(self._folder.name, "results")  # noqa: PTH118 -- for the socket
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.address: str | None = path
        try:
            self._socket.bind(path)
        except OSError:
            # A path may be too long for a socket: then the lines are shown at the end.
            self.address = None
        self._socket.settimeout(_POLL_SECONDS)
        self._ended = threading.Event()
        self.told: list[dict[str, Any]] = []
        self._shown: set[str] = set()
        self._thread = threading.Thread(target=self._listen, name="progress", daemon=True)

    def __enter__(self) -> "ResultTable":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()
        self._folder.cleanup()

    def show(self, result: dict[str, Any]) -> None:
        """Prints a result's line, if it was not shown before."""
        line = result_line(result)
        if line not in self._shown:
            if not self._shown:
                print(_HEADINGS, file=self._out)
            self._shown.add(line)
            self.told.append(result)
            print(line, file=self._out, flush=True)

    def _listen(self) -> None:
        while True:
            try:
                message = self._socket.recv(1 << 16)
            except TimeoutError:
                if self._ended.is_set():
                    return
                continue
            with contextlib.suppress(ValueError, KeyError):
                self.show(json.loads(message))

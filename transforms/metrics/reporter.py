"""Reports of the work while it goes on: messages to a launcher that listens, and Beam metrics.

A launcher on the same machine listens at a Unix datagram socket, whichever process or thread the
workers are. Every message is a JSON object with `kind` and `GreeksRequest.key_fields()`:

| kind | more fields | event |
|---|---|---|
| `started` | | fetching of the request begins |
| `heard` | | bytes of its answer have come, at most once a second |
| `rows` | `rows`, `bytes` | rows handed to the sink so far, and bytes of the unfinished file |
| `waiting` | `seconds`, `reason` | the answer is requested again after so many seconds |
| `withdrawn` | `reason` | the Terminal failed; the request goes to another one |
| `result` | those of `ExpirationResult.describe()` | the request ended |
"""

import json
import socket
import time
from collections import deque
from typing import Any

from apache_beam.metrics import Metrics

from transforms.model import STATUSES, ExpirationResult, GreeksRequest
from transforms.workers.socket_path import SocketPath

NAMESPACE = "greeks"

COUNTERS = {
    **{f"expirations_{status}": f"expirations that ended {status}" for status in STATUSES},
    "rows": "rows in committed files",
    "bytes": "bytes of committed files",
    "requests": "HTTP requests sent for the expirations that ended",
    "rows_handed_over": "rows handed to the sink so far, also of files that are not committed",
    "retries": "requests that were sent again",
    "milliseconds_waited": "time spent waiting before requests were sent again",
}
"""Every Beam counter of the namespace `greeks`, and what it counts."""

DISTRIBUTIONS = {
    "rows_per_expiration": "rows of each expiration that ended",
    "bytes_per_expiration": "bytes of each expiration's committed file",
    "milliseconds_per_expiration": "time from the first request to the commit",
    "milliseconds_per_wait": "each wait before a request was sent again",
}
"""Every Beam distribution of the namespace `greeks`, and what it measures."""

_LEAST_SECONDS = 0.25
_HEARD_SECONDS = 1.0
_MOST_UNSENT = 1000


class Reporter:
    """Reports from one worker, at most a few times a second, and never holds it up.

    Beam's metrics are always counted; messages are sent if a launcher listens. A message that can't
    be sent is dropped, but for results: they are kept and sent with the next ones.

    Args:
        listener: the path of a Unix datagram socket on this machine, or None.
    """

    def __init__(self, listener: str | None) -> None:
        self._listener = None if listener is None else SocketPath(listener)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Nobody may be reading: a display must not hold up the work.
        self._socket.setblocking(False)
        self._unsent: deque[bytes] = deque(maxlen=_MOST_UNSENT)
        self._next_rows = self._next_heard = 0.0
        self._about: dict[str, str] = {}
        self._counters = {name: Metrics.counter(NAMESPACE, name) for name in COUNTERS}
        self._distributions = {
            name: Metrics.distribution(NAMESPACE, name) for name in DISTRIBUTIONS
        }

    def started(self, request: GreeksRequest) -> None:
        """Reports that fetching of a request begins."""
        self._about = request.key_fields()
        self._send("started", self._about)

    def heard(self) -> None:
        """Reports that bytes of an answer to the request that was started have come."""
        now = time.monotonic()
        if now >= self._next_heard:
            self._next_heard = now + _HEARD_SECONDS
            self._send("heard", self._about)

    def waiting(self, error: Exception, seconds: float) -> None:
        """Reports that the request that was started is sent again.

        Args:
            error: why.
            seconds: to wait before that.
        """
        milliseconds = int(seconds * 1000)
        self._counters["retries"].inc()
        self._counters["milliseconds_waited"].inc(milliseconds)
        self._distributions["milliseconds_per_wait"].update(milliseconds)
        reason = f"{type(error).__name__}: {error}"
        self._send("waiting", self._about, seconds=round(seconds, 3), reason=reason[:500])

    def withdrawn(self, reason: str) -> None:
        """Reports that the request that was started goes to another Terminal, and why."""
        self._send("withdrawn", self._about, reason=reason[:500])

    def handed_over(self, request: GreeksRequest, more: int, rows: int, size: int) -> None:
        """Reports how far a request is, at most four times a second.

        Args:
            request: the request.
            more: rows that were handed to the sink just now.
            rows: rows that were handed to it so far.
            size: bytes of the unfinished file so far.
        """
        self._counters["rows_handed_over"].inc(more)
        now = time.monotonic()
        # The first batch of each request is reported at once: the next one may be long in coming.
        if now < self._next_rows and rows > more:
            return
        self._next_rows = now + _LEAST_SECONDS
        self._send("rows", request.key_fields(), rows=rows, bytes=size)

    def ended(self, result: ExpirationResult) -> None:
        """Reports the result of a request."""
        self._counters[f"expirations_{result.status}"].inc()
        self._counters["rows"].inc(result.rows)
        self._counters["bytes"].inc(result.bytes)
        self._counters["requests"].inc(result.requests)
        self._distributions["rows_per_expiration"].update(result.rows)
        self._distributions["bytes_per_expiration"].update(result.bytes)
        self._distributions["milliseconds_per_expiration"].update(int(result.seconds * 1000))
        self._unsent.append(f'{{"kind": "result", {result.line[1:]}'.encode())
        self._send_unsent()

    def close(self) -> None:
        """Sends the results that are left, and closes the socket."""
        self._send_unsent()
        self._socket.close()
        if self._listener is not None:
            self._listener.close()

    def _send(self, kind: str, about: dict[str, Any], **more: Any) -> None:
        self._sent(_message(kind, about, **more))

    def _send_unsent(self) -> None:
        while self._unsent and self._sent(self._unsent[0]):
            self._unsent.popleft()

    def _sent(self, message: bytes) -> bool:
        if self._listener is None:
            return True
        try:
            self._socket.sendto(message, self._listener.path)
        except OSError:
            # Only a display hangs on it; its queue is full, or there is none on another machine.
            return False
        return True


def _message(kind: str, about: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"kind": kind, **about, **more}).encode()

"""Connections that another thread can wake, and whose framing and pace have bounds.

A thread in `recv` sees no event, and its timeout may be minutes. Where another thread shuts the
socket down, `recv` returns at once, as if the other side had hung up.
"""

import contextlib
import io
import socket
import time
import weakref
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter

Known = list["weakref.ref[socket.socket]"]


_STEP_BYTES = 1 << 16
"""What a slow answer has to bring in time: some 400 rows of first-order Greeks."""


class Pace:
    """Bounds how long an answer is waited for: `seconds` for each 64 KiB of it.

    Only the waiting counts, not the work on the answer meanwhile. Without this bound a server
    that sends a byte just before each timeout would be read for ever.

    Args:
        seconds: the most time spent waiting for 64 KiB.
        heard: called whenever bytes have come.
    """

    def __init__(self, seconds: float, heard: Callable[[], None]) -> None:
        self.seconds = seconds
        self._heard = heard
        self.begin()

    def begin(self) -> None:
        """Begins to measure an answer."""
        self._bytes, self._waited = 0, 0.0

    @property
    def too_slow(self) -> bool:
        """Whether the answer came too slowly."""
        return self._waited > self.seconds

    def received(self, size: int, seconds: float) -> None:
        """Counts bytes that came after some seconds of waiting."""
        if size:
            self._heard()
        self._bytes += size
        self._waited += seconds
        if self._bytes >= _STEP_BYTES and not self.too_slow:
            self.begin()


class WakeableAdapter(HTTPAdapter):
    """Makes the connections of a session, and shuts them all down when it is asked to.

    Args:
        pace: of the session's answers.
    """

    def __init__(self, pace: Pace) -> None:
        self._known: Known = []
        self._pace = pace
        super().__init__()

    def wake(self) -> None:
        """Breaks every connection. Safe to call from any thread."""
        for reference in tuple(self._known):
            connection = reference()
            if connection is not None:
                # It may have been closed in this very moment.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes the pools, of connections that this adapter knows."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: _knowing(pool, self._known, self._pace)
            for scheme, pool in self.poolmanager.pool_classes_by_scheme.items()
        }


_MOST_LINES = 1000
"""Lines of framing that may follow one another: a status, at most 100 headers, a chunk's size."""


class _FramedReader(io.BufferedReader):
    """Reads an answer's bytes; Python's HTTP would read some framing without any bound.

    A chunk of size -1 would be read until the connection ends, and trailers, or answers of status
    100, would be read for ever.
    """

    _lines = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Returns up to `size` bytes."""
        if size is None or size < 0:
            raise HTTPException(f"a chunk of {size} bytes")
        self._lines = 0
        return super().read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Returns the next line of framing."""
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise HTTPException(f"more than {_MOST_LINES:,} lines without a body")
        return super().readline(size)


class _PacedSocket(io.RawIOBase):
    """Reads a socket as long as an answer keeps its pace."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self._pace.too_slow:
            # No TimeoutError, which would mean that no byte came at all.
            raise HTTPException("the answer comes too slowly")
        started = time.monotonic()
        size = self._raw.readinto(buffer)
        self._pace.received(size or 0, time.monotonic() - started)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


def _knowing(pool: Any, known: Known, pace: Pace) -> Any:
    """Returns a class of connection pool whose connections enter their sockets into `known`."""

    class Response(HTTPResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fp = _FramedReader(_PacedSocket(self.fp.detach(), pace))

    class Connection(pool.ConnectionCls):
        response_class = Response

        def connect(self) -> None:
            super().connect()
            known[:] = [reference for reference in known if reference() is not None]
            known.append(weakref.ref(self.sock))

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

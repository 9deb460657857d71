"""Connections that another thread can wake, and whose framing has bounds.

A thread in `recv` sees no event, and its timeout may be minutes. Where another thread shuts the
socket down, `recv` returns at once, as if the other side had hung up.
"""

import contextlib
import io
import socket
import weakref
from http.client import HTTPException, HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter

Known = list["weakref.ref[socket.socket]"]


class WakeableAdapter(HTTPAdapter):
    """Makes the connections of a session, and shuts them all down when it is asked to."""

    def __init__(self) -> None:
        self._known: Known = []
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
            scheme: _knowing(pool, self._known)
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


class _FramedResponse(HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = _FramedReader(self.fp.detach())


def _knowing(pool: Any, known: Known) -> Any:
    """Returns a class of connection pool whose connections enter their sockets into `known`."""

    class Connection(pool.ConnectionCls):
        response_class = _FramedResponse

        def connect(self) -> None:
            super().connect()
            known[:] = [reference for reference in known if reference() is not None]
            known.append(weakref.ref(self.sock))

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

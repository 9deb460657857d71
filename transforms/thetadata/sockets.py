"""Connections that another thread can wake: one that waits for a byte hears nothing else.

A thread in `recv` sees no event, and its timeout may be minutes. Where another thread shuts the
socket down, `recv` returns at once, as if the other side had hung up.
"""

import contextlib
import socket
import weakref
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


def _knowing(pool: Any, known: Known) -> Any:
    """Returns a class of connection pool whose connections enter their sockets into `known`."""

    class Connection(pool.ConnectionCls):
        def connect(self) -> None:
            super().connect()
            known[:] = [reference for reference in known if reference() is not None]
            known.append(weakref.ref(self.sock))

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

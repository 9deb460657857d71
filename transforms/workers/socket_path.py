"""Paths of Unix sockets, which the system limits to about a hundred bytes."""

import contextlib
import os

_MOST_BYTES = 103  # of macOS; Linux takes 107


class SocketPath:
    """A path by which a Unix socket can be reached, however long its own is, until it is closed.

    A long one is given by the descriptor of its folder, on systems that have `/proc`; elsewhere it
    stays as it is.

    Args:
        path: of the socket, in a folder that is there.

    Attributes:
        path: to bind to, or to send to, by this process alone.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._folder: int | None = None
        if len(os.fsencode(path)) > _MOST_BYTES:
            folder, name = os.path.split(path)
            with contextlib.suppress(OSError):  # on another machine there is no such folder
                self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                self.path = f"/proc/self/fd/{self._folder}/{name}"

    def close(self) -> None:
        """Lets the folder go."""
        folder, self._folder = self._folder, None
        if folder is not None:
            os.close(folder)

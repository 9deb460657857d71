"""An object as a file to read from."""

import io
import os
from abc import abstractmethod
from typing import Any


class ObjectFile(io.RawIOBase):
    """An object that is open for reading, from any place in it.

    All that is read is of one state of the object: if it is replaced meanwhile, reading fails.

    Args:
        size: of the object, in bytes.

    Raises:
        OSError: from every method: it can't be read.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Returns True."""
        return True

    def seekable(self) -> bool:
        """Returns True."""
        return True

    def tell(self) -> int:
        """Returns where the next byte is read from."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place, and returns it."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = min(max(begin + offset, 0), self._size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Reads as many bytes as there are room for, or fewer; 0 at the end."""
        view = memoryview(buffer).cast("B")
        count = min(view.nbytes, self._size - self._position)
        if count <= 0:
            return 0
        piece = self._fetch(self._position, count)
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    @abstractmethod
    def _fetch(self, position: int, count: int) -> bytes:
        """Returns `count` bytes from a place on, all of which are there, or fewer, but one."""

"""An object of Google's store as a file to read from."""

import io
import os
from typing import Any

from transforms import gs
from transforms.gs_access import told


class GoogleFile(io.RawIOBase):
    """An object that is open for reading, from any place in it; each read is a request.

    All that is read is of one state of the object: if it is replaced meanwhile, reading fails.

    Args:
        path: of the object.

    Raises:
        FileNotFoundError: it is not there.
        OSError: from every method: it can't be read.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._object = gs.there(path)
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
        size = self._object.size
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}[whence]
        self._position = min(max(begin + offset, 0), size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Reads as many bytes as there are room for, or what is left; 0 at the end."""
        view = memoryview(buffer).cast("B")
        end = min(self._position + view.nbytes, self._object.size)
        if self._position >= end:
            return 0
        with told(self._path):
            # Of a part, the store knows no checksum.
            piece = self._object.download_as_bytes(
                start=self._position, end=end - 1, checksum=None,
                if_generation_match=self._object.generation,
            )  # fmt: skip
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

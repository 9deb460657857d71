"""An object as a file to read from."""

import io
import os
from typing import Any

from transforms import s3
from transforms.objects import split
from transforms.s3_access import client


class ObjectFile(io.RawIOBase):
    """An object that is open for reading, from any place in it.

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
        found = s3.head(path)
        self._size, self._mark = int(found["ContentLength"]), str(found["ETag"])
        self._position = 0
        self._stream: Any = None

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
        position = min(max(begin + offset, 0), self._size)
        if position != self._position:
            self._position = position
            self._drop()
        return position

    def readinto(self, buffer: Any) -> int:
        """Reads as many bytes as there are room for, or fewer; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._position >= self._size or not view.nbytes:
            return 0
        with s3.told(self._path):
            if self._stream is None:
                bucket, key = split(self._path)
                self._stream = client().get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={self._position}-", IfMatch=self._mark
                )["Body"]
            piece = self._stream.read(view.nbytes)
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Closes the file."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

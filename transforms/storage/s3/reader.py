"""An object of S3 as a file to read from."""

from typing import Any

from transforms.storage.base import ObjectFile, split
from transforms.storage.s3.access import client
from transforms.storage.s3.objects import file_errors, find


class S3File(ObjectFile):
    """An object that is open for reading; reads one after the other are one request.

    A read from another place is a request for just its bytes: Parquet's footer and columns are
    pieces of an object that may be large.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, find(path))
        self._stream: Any = None
        self._streamed = 0

    def close(self) -> None:
        """Closes the file."""
        self._drop()
        super().close()

    def _fetch(self, position: int, count: int) -> bytes:
        elsewhere = position != self._streamed
        if elsewhere:
            self._drop()
        with file_errors(self._path):
            if self._stream is None:
                bucket, key = split(self._path)
                end = position + count - 1 if elsewhere else ""
                self._stream = client().get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={position}-{end}", IfMatch=self._mark
                )["Body"]
            piece: bytes = self._stream.read(count)
        if elsewhere:
            self._drop()
        self._streamed = position + len(piece)
        return piece

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

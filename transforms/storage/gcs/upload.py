"""An upload to Google's store, invisible before it is whole."""

from typing import Any

from transforms.storage.base import NOTHING, Overtaken, Upload
from transforms.storage.gcs.access import bucket_and_key, file_errors
from transforms.storage.gcs.objects import condition, find, put

CHUNK_BYTES = 1 << 20
"""Sent at once; a multiple of 256 KiB, as the store demands."""


class GoogleUpload(Upload):
    """A resumable upload to an object's own key; less than a chunk is sent in one request.

    The upload names at its beginning what it may replace, and the store checks that at its end. If
    it is dropped, or its process killed, nothing is seen of it, and the store forgets it after a
    week. https://cloud.google.com/storage/docs/resumable-uploads
    """

    def __init__(self, path: str, mime_type: str) -> None:
        super().__init__(path, mime_type)
        self._waiting = bytearray()
        self._upload: Any = None
        self._mark = ""
        self._bytes = 0

    def write(self, data: bytes | memoryview) -> int:
        """Takes bytes, and sends them when they are a chunk or more."""
        view = memoryview(data).cast("B")
        self._bytes += view.nbytes
        if self._upload is None and self._bytes < CHUNK_BYTES:
            self._waiting += view
            return view.nbytes
        with file_errors(self._path):
            if self._upload is None:
                self._begin()
            self._upload.write(view)
        return view.nbytes

    def seal(self) -> None:
        """Returns None: the store checks the bytes at the end by their CRC32C."""

    def commit(self, over: str | None = None) -> None:
        """Sends the rest, and with it makes the whole the object."""
        if self._upload is None:
            put(self._path, bytes(self._waiting), self._mime_type, over)
        else:
            if over is not None and over != self._mark:
                raise Overtaken(17, "another run has replaced it meanwhile", self._path)
            with file_errors(self._path):
                self._upload.close()
            self._upload = None
        self._waiting.clear()

    def discard(self) -> None:
        """Cancels the upload."""
        self._waiting.clear()
        if self._upload is not None:
            with file_errors(self._path):
                self._upload.terminate()
            self._upload = None

    def _begin(self) -> None:
        found = find(self._path)
        self._mark = found.mark if found else NOTHING
        bucket, key = bucket_and_key(self._path)
        self._upload = _writer(
            bucket.blob(key),
            chunk_size=CHUNK_BYTES,
            ignore_flush=True,
            content_type=self._mime_type,
            if_generation_match=condition(self._mark),
            checksum="crc32c",
        )
        self._upload.write(self._waiting)
        self._waiting.clear()


def _writer(blob: Any, **settings: Any) -> Any:
    from google.cloud.storage.fileio import BlobWriter

    class Upload(BlobWriter):
        def __del__(self) -> None:
            """Does nothing, where the library would publish what was sent so far."""

    return Upload(blob, **settings)

"""An object of Google's store as a file to read from."""

from transforms.storage.base import ObjectFile
from transforms.storage.gcs.access import bucket_and_key, file_errors
from transforms.storage.gcs.objects import find


class GoogleFile(ObjectFile):
    """An object that is open for reading; each read is a request."""

    def __init__(self, path: str) -> None:
        super().__init__(path, find(path))
        bucket, key = bucket_and_key(path)
        self._object = bucket.blob(key, generation=int(self._mark))

    def _fetch(self, position: int, count: int) -> bytes:
        with file_errors(self._path):
            # Of a part, the store knows no checksum.
            piece: bytes = self._object.download_as_bytes(
                start=position,
                end=position + count - 1,
                checksum=None,
                if_generation_match=self._object.generation,
            )
        return piece

"""An object of Google's store as a file to read from."""

from transforms.storage.base import ObjectFile
from transforms.storage.gcs.access import file_errors
from transforms.storage.gcs.objects import there


class GoogleFile(ObjectFile):
    """An object that is open for reading; each read is a request.

    Args:
        path: of the object.

    Raises:
        FileNotFoundError: it is not there.
        OSError: from every method: it can't be read.
    """

    def __init__(self, path: str) -> None:
        self._object = there(path)
        super().__init__(self._object.size)
        self._path = path

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

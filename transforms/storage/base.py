"""The common parts of all stores: pending and open files, paths, marks and errors."""

import io
import os
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, NamedTuple

from transforms.text.secrets import redacted

NOTHING = ""
"""The mark of an object that is not there; see `files.mark`."""


class Listed(NamedTuple):
    """A file as a listing shows it.

    Attributes:
        path: of the file.
        size: in bytes.
        mark: changes whenever the file does: a store's mark, or the time of the last change, as
            exactly as the file system has it; empty where that is not known.
        written: when it was written, by the store's clock; None where there is no such thing.
    """

    path: str
    size: int
    mark: str
    written: datetime | None


class Overtaken(OSError):
    """Another writer was faster: the object changed after it was looked at."""


class Unusable(OSError):
    """The store can't be used at all; the message says what to do."""


def split(path: str) -> tuple[str, str]:
    """Returns the bucket and the key of a path.

    Raises:
        ValueError: it names no bucket.
        Unusable: there are credentials in it.
    """
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if "@" in bucket:
        raise Unusable(
            f"{redacted(path)!r} has credentials in it, which no store takes there: give them in "
            "the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if not bucket:
        raise ValueError(f"{path!r} names no bucket: {scheme}://BUCKET/FOLDER")
    return bucket, key


def missing(path: str) -> FileNotFoundError:
    """Returns the error for an object that is not there."""
    return FileNotFoundError(2, "there is no such object", path)


def refusal(status: int, error: Exception, path: str) -> OSError:
    """Returns a store's refusal of a request, by its HTTP status, as a file system's error."""
    if status == 404:
        return FileNotFoundError(2, "there is no such object, or no such bucket", path)
    if status in (401, 403):
        return PermissionError(13, f"the store refuses: {error}", path)
    if status == 412:
        return Overtaken(17, "another run has replaced it meanwhile", path)
    return OSError(f"{path}: {error}")


class PendingFile(ABC):
    """A file that is being written, and that nobody sees yet.

    Its life: bytes go through `file`; once that is closed, `seal` and `commit`. Or `discard`, at
    any time, which is safe to repeat.

    Attributes:
        file: takes the bytes: `write`, `flush`, `close`.

    Raises:
        OSError: from every method: the file system refuses.
    """

    file: Any

    @abstractmethod
    def seal(self) -> int | None:
        """Stores the remaining bytes, and returns how many bytes the file system or store counts.

        None where it counts none before `commit`: there the store compares a checksum of what it
        was sent with what it has, and refuses the commit if they differ.
        """

    @abstractmethod
    def commit(self, over: str | None = None) -> None:
        """Makes the file visible, in place of the one that is there.

        Args:
            over: the `files.mark` of what may be replaced; None for any.

        Raises:
            Overtaken: the file there has another mark; it is unchanged.
            OSError: the file there is unchanged.
        """

    @abstractmethod
    def discard(self) -> None:
        """Drops the bytes written; `file` is closed before."""


class Upload(PendingFile):
    """A file that goes to a store of objects while it is written.

    Args:
        path: of the object.
        mime_type: of the object.
    """

    def __init__(self, path: str, mime_type: str) -> None:
        self._path, self._mime_type = path, mime_type
        self.file = self

    @abstractmethod
    def write(self, data: bytes | memoryview) -> int:
        """Takes bytes, and sends them when they are enough for a request."""

    def flush(self) -> None:
        """Does nothing: what is enough for a request is sent at once."""

    def close(self) -> None:
        """Does nothing: nothing is visible before `commit`."""


class ObjectFile(io.RawIOBase):
    """An object that is open for reading, from any place in it.

    All reads are of one state of the object: if it is replaced meanwhile, reading fails.

    Args:
        path: of the object.
        found: what the store knows of it, or None.

    Raises:
        FileNotFoundError: it is not there.
        OSError: from every method: it can't be read.
    """

    def __init__(self, path: str, found: Listed | None) -> None:
        super().__init__()
        if found is None:
            raise missing(path)
        self._path, self._size, self._mark = path, found.size, found.mark
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

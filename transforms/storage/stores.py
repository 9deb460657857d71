"""Stores of whole objects behind one interface: S3 and what speaks its protocol, and Google's.

Beam's options, and the environment's variables of each store, say where and with which credentials.
Beam's own files of these stores are not used: they publish what was written so far when one is
dropped, its rename is a second copy of the data, and of S3 they hold whole parts several times over
and make a client for every operation.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from transforms.storage import gcs, s3
from transforms.storage.base import Listed, PendingFile


class ObjectStore(Protocol):
    """A store's package; a path is that of an object or of a folder.

    An object's mark changes whenever it does. `over` is the mark of what may be replaced,
    `base.NOTHING` if nothing may be there, None for any.

    Raises:
        FileNotFoundError: from every function: there is no such object, or bucket.
        PermissionError: the credentials are missing, wrong, or not enough.
        base.Overtaken: the object to replace has changed.
        OSError: any other error of the store.
    """

    def put(self, path: str, data: Any, mime_type: str, over: str | None = None, /) -> str:
        """Writes bytes or a file as an object in one request, and returns its mark."""

    def find(self, path: str, /) -> Listed | None:
        """Returns an object as a listing shows it, or None if it is not there."""

    def get(self, path: str, /) -> tuple[bytes, str]:
        """Returns a small object's bytes and its mark."""

    def open_file(self, path: str, /) -> Any:
        """Returns an object as it is now, as a file to read from that can seek."""

    def below(self, folder: str, /) -> Iterator[Listed]:
        """Yields each object below a folder, in order of their paths."""

    def remove(self, path: str, /) -> None:
        """Removes an object; it need not be there."""

    def abort_uploads(self, folder: str, before: datetime, /) -> int:
        """Aborts the uploads below a folder that began before a time; returns their number."""

    def upload(self, path: str, mime_type: str, /) -> PendingFile:
        """Begins a file that becomes an object when it is committed."""


_STORES: dict[str, ObjectStore] = {"s3": s3, "gs": gcs}


def of(path: str) -> ObjectStore | None:
    """Returns the store that a path is of, or None if it is a file system's."""
    scheme, mark, _ = path.partition("://")
    return _STORES.get(scheme) if mark else None

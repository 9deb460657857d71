"""Stores of whole objects behind one interface: S3 and what speaks its protocol, and Google's.

Beam's own files of these stores are not used: they publish what was written so far when one is
dropped, and its rename is a second copy of the data.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transforms.storage import gcs, s3
from transforms.storage.base import PendingFile


@dataclass(frozen=True)
class Store:
    """A store; every function takes the path of an object or of a folder first.

    Attributes:
        put: takes bytes or a file, a MIME type and what may be replaced (see `PendingFile.commit`);
            writes a whole object in one request, and returns its mark.
        size: returns an object's size in bytes.
        mark: returns what changes whenever an object does, or `base.NOTHING`.
        get: returns a small object's bytes and its mark.
        open_file: returns an object as it is now, as a file to read from that can seek.
        below: yields the path of each object below a folder, and when it was written, in order.
        remove: removes an object, or all below a folder; it need not be there.
        abort_uploads: throws away what was uploaded below a folder before a time and never
            committed; returns of how many files.
        upload: takes a MIME type; returns what becomes the object.

    Raises:
        FileNotFoundError: from every function: there is no such object, or bucket.
        PermissionError: the credentials are missing, wrong, or not enough.
        base.Overtaken: what was to be replaced is not what it was.
        OSError: anything else that the store does not do.
    """

    put: Callable[..., str]
    size: Callable[[str], int]
    mark: Callable[[str], str]
    get: Callable[[str], tuple[bytes, str]]
    open_file: Callable[[str], Any]
    below: Callable[[str], Iterator[tuple[str, datetime]]]
    remove: Callable[[str], None]
    abort_uploads: Callable[[str, datetime], int]
    upload: Callable[[str, str], PendingFile]


_STORES = {
    "s3": Store(
        put=s3.put,
        size=s3.size,
        mark=s3.mark,
        get=s3.get,
        open_file=s3.S3File,
        below=s3.below,
        remove=s3.remove,
        abort_uploads=s3.abort_uploads,
        upload=s3.S3Upload,
    ),
    "gs": Store(
        put=gcs.put,
        size=gcs.size,
        mark=gcs.mark,
        get=gcs.get,
        open_file=gcs.GoogleFile,
        below=gcs.below,
        remove=gcs.remove,
        abort_uploads=gcs.abort_uploads,
        upload=gcs.GoogleUpload,
    ),
}


def of(path: str) -> Store | None:
    """Returns the store that a path is of, or None if it is a file system's."""
    scheme, mark, _ = path.partition("://")
    return _STORES.get(scheme) if mark else None

"""Google's Cloud Storage: whole objects only. An object's mark is its generation."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from transforms.storage.base import NOTHING, Listed
from transforms.storage.gcs.access import SCHEME, bucket_and_key, file_errors


def condition(over: str | None) -> int | None:
    """Returns the generation that may be replaced, 0 for none at all, None for any.

    https://cloud.google.com/storage/docs/request-preconditions
    """
    if over is None:
        return None
    return 0 if over == NOTHING else int(over)


def put(path: str, data: bytes | BinaryIO, mime_type: str, over: str | None = None) -> str:
    """Writes a whole object in one request, and returns its mark; see `stores.ObjectStore`."""
    bucket, key = bucket_and_key(path)
    blob = bucket.blob(key)
    with file_errors(path):
        blob.upload_from_file(
            io.BytesIO(data) if isinstance(data, bytes) else data,
            content_type=mime_type,
            if_generation_match=condition(over),
            checksum="crc32c",
        )
    return str(blob.generation)


def size(path: str) -> int:
    """Returns the size of an object in bytes."""
    return int(there(path).size)


def mark(path: str) -> str:
    """Returns the generation of an object, or `NOTHING`."""
    found = _find(path)
    return NOTHING if found is None else str(found.generation)


def get(path: str) -> tuple[bytes, str]:
    """Returns a small object's bytes and its mark."""
    blob = there(path)
    with file_errors(path):
        return blob.download_as_bytes(if_generation_match=blob.generation), str(blob.generation)


def below(folder: str) -> Iterator[Listed]:
    """Yields each object below a folder, in order of their paths."""
    bucket, key = bucket_and_key(f"{folder.rstrip('/')}/")
    with file_errors(folder):
        for found in bucket.list_blobs(prefix=key):
            path = f"{SCHEME}{bucket.name}/{found.name}"
            yield Listed(path, int(found.size), str(found.generation), found.updated)


def remove(path: str) -> None:
    """Removes an object, or all that are below a folder; it need not be there."""
    for each in [path, *(found.path for found in below(path))]:
        bucket, key = bucket_and_key(each)
        try:
            with file_errors(each):
                bucket.blob(key).delete()
        except FileNotFoundError:
            continue


def abort_uploads(_folder: str, _before: datetime) -> int:
    """Returns 0: the store forgets an upload that is not finished, after a week, and lists none."""
    return 0


def there(path: str) -> Any:
    """Returns the client's own object, with its description by the store.

    Raises:
        FileNotFoundError: it is not there.
        OSError: the store can't be read.
    """
    found = _find(path)
    if found is None:
        raise FileNotFoundError(2, "there is no such object", path)
    return found


def _find(path: str) -> Any:
    bucket, key = bucket_and_key(path)
    with file_errors(path):
        return bucket.get_blob(key)

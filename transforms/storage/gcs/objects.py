"""Google's Cloud Storage: whole objects only; see `stores.ObjectStore`."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, BinaryIO

from transforms.storage.base import NOTHING, Listed, missing
from transforms.storage.gcs.access import SCHEME, bucket_and_key, file_errors


def condition(over: str | None) -> int | None:
    """Returns the generation that may be replaced, 0 for none at all, None for any.

    https://cloud.google.com/storage/docs/request-preconditions
    """
    if over is None:
        return None
    return 0 if over == NOTHING else int(over)


def put(path: str, data: bytes | BinaryIO, mime_type: str, over: str | None = None) -> str:
    """Writes a whole object in one request, and returns its mark."""
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


def find(path: str) -> Listed | None:
    """Returns an object as a listing shows it, or None; its mark is its generation."""
    bucket, key = bucket_and_key(path)
    with file_errors(path):
        found = bucket.get_blob(key)
    return None if found is None else _listed(path, found)


def get(path: str) -> tuple[bytes, str]:
    """Returns a small object's bytes and its mark."""
    bucket, key = bucket_and_key(path)
    with file_errors(path):
        blob = bucket.get_blob(key)
        if blob is None:
            raise missing(path)
        return blob.download_as_bytes(if_generation_match=blob.generation), str(blob.generation)


def below(folder: str) -> Iterator[Listed]:
    """Yields each object below a folder, in order of their paths."""
    bucket, key = bucket_and_key(f"{folder.rstrip('/')}/")
    with file_errors(folder):
        for found in bucket.list_blobs(prefix=key):
            yield _listed(f"{SCHEME}{bucket.name}/{found.name}", found)


def remove(path: str) -> None:
    """Removes an object; it need not be there."""
    bucket, key = bucket_and_key(path)
    with suppress(FileNotFoundError), file_errors(path):
        bucket.blob(key).delete()


def abort_uploads(_folder: str, _before: datetime) -> int:
    """Returns 0: the store forgets an upload that is not finished, after a week, and lists none."""
    return 0


def _listed(path: str, blob: Any) -> Listed:
    return Listed(path, int(blob.size), str(blob.generation), blob.updated)

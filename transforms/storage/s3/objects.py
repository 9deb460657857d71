"""Amazon S3 and what speaks its protocol: whole objects only; see `stores.ObjectStore`."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO

from transforms.storage.base import NOTHING, Listed, missing, refusal, split
from transforms.storage.s3.access import SCHEME, client

_PIECE = 1 << 16


@contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Raises a block's errors of the store as those of a file system; see `ObjectStore`."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _as_file_error(error, path) from error
    except NoCredentialsError:
        raise PermissionError(
            f"{path}: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or another "
            "of AWS's ways"
        ) from None
    except BotoCoreError as error:
        raise OSError(f"{path}: {error}") from error


def _as_file_error(error: Any, path: str) -> OSError:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "NoSuchBucket":
        return FileNotFoundError(2, "there is no such bucket: make it first", path)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 404:
        return missing(path)
    return refusal(412 if code == "ConditionalRequestConflict" else status, error, path)


def md5(data: bytes | BinaryIO) -> str:
    """Returns the MD5 of data in Base64; of a file, from its present position."""
    digest = hashlib.md5(usedforsecurity=False)
    if isinstance(data, bytes):
        digest.update(data)
    else:
        begin = data.tell()
        while piece := data.read(_PIECE):
            digest.update(piece)
        data.seek(begin)
    return base64.b64encode(digest.digest()).decode()


def conditions(over: str | None) -> dict[str, str]:
    """Returns the condition under which an object may be replaced."""
    if over is None:
        return {}
    return {"IfNoneMatch": "*"} if over == NOTHING else {"IfMatch": over}


def put(path: str, data: bytes | BinaryIO, mime_type: str, over: str | None = None) -> str:
    """Writes a whole object in one request, and returns its mark."""
    bucket, key = split(path)
    store = client()
    with file_errors(path):
        answer = store.put_object(
            Bucket=bucket,
            Key=key,
            Body=data,
            ContentType=mime_type,
            ContentMD5=md5(data),
            **conditions(over),
        )
    return str(answer["ETag"])


def find(path: str) -> Listed | None:
    """Returns an object as a listing shows it, or None; its mark is its ETag."""
    bucket, key = split(path)
    store = client()
    try:
        with file_errors(path):
            found = store.head_object(Bucket=bucket, Key=key)
    except FileNotFoundError:
        return None
    return Listed(path, int(found["ContentLength"]), str(found["ETag"]), found["LastModified"])


def get(path: str) -> tuple[bytes, str]:
    """Returns a small object's bytes and its mark."""
    bucket, key = split(path)
    store = client()
    with file_errors(path):
        answer = store.get_object(Bucket=bucket, Key=key)
        return answer["Body"].read(), str(answer["ETag"])


def below(folder: str) -> Iterator[Listed]:
    """Yields each object below a folder, in order of their paths."""
    bucket, key = split(f"{folder.rstrip('/')}/")
    store = client()
    with file_errors(folder):
        pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        for page in pages:
            for found in page.get("Contents", ()):
                path = f"{SCHEME}{bucket}/{found['Key']}"
                yield Listed(path, found["Size"], found["ETag"], found["LastModified"])


def remove(path: str) -> None:
    """Removes an object; it need not be there."""
    bucket, key = split(path)
    store = client()
    with file_errors(path):
        store.delete_object(Bucket=bucket, Key=key)


def abort_uploads(folder: str, before: datetime) -> int:
    """Aborts the uploads that killed runs left below a folder, and returns their number."""
    bucket, key = split(f"{folder.rstrip('/')}/")
    store = client()
    aborted = 0
    with file_errors(folder):
        # All of the bucket's: MinIO takes a prefix for a whole key, and finds none.
        pages = store.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
        for page in pages:
            for found in page.get("Uploads", ()):
                if found["Key"].startswith(key) and found["Initiated"] < before:
                    store.abort_multipart_upload(
                        Bucket=bucket, Key=found["Key"], UploadId=found["UploadId"]
                    )
                    aborted += 1
    return aborted

"""Amazon S3 and what speaks its protocol: one client for each process, and whole objects only.

Beam's options and AWS's environment variables say where and with which credentials. Beam's own S3
files are not used: they publish what was written so far when one is dropped, hold whole parts
several times over, and make a client for every operation.
"""

import base64
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

SCHEME = "s3://"
NOTHING = ""
"""The mark of an object that is not there; see `mark`."""

_PIECE = 1 << 16
_ATTEMPTS = 5
_CONNECTIONS = 32
_LOCK = threading.Lock()


class Unusable(OSError):
    """The store can't be used at all; the message says what to do."""


class Overtaken(OSError):
    """Another writer was faster: the object is not what it was when it was looked at."""


@dataclass(frozen=True)
class Access:
    """Where a store is, and with which credentials; None leaves it to AWS's own variables.

    Attributes:
        endpoint: its address, or None for Amazon's.
        region: of the bucket.
        key: the access key's id.
        secret: the access key.
        token: of a session.
        ssl: whether an address without a scheme means https.
        verify: a path of certificates, or None.
        version: of the API.
    """

    endpoint: str | None = None
    region: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ssl: bool = True
    verify: str | None = None
    version: str | None = None

    @classmethod
    def of(cls, options: PipelineOptions | None) -> "Access":
        """Returns what Beam's options say."""
        if options is None:
            return cls()
        s3 = options.view_as(S3Options)
        return cls(
            s3.s3_endpoint_url,
            s3.s3_region_name,
            s3.s3_access_key_id,
            s3.s3_secret_access_key,
            s3.s3_session_token,
            not s3.s3_disable_ssl,
            s3.s3_verify,
            s3.s3_api_version,
        )


def is_s3(path: str) -> bool:
    """Returns whether `path` names an object."""
    return path.startswith(SCHEME)


def split(path: str) -> tuple[str, str]:
    """Returns the bucket and the key of a path.

    Raises:
        ValueError: it names no bucket.
    """
    bucket, _, key = path.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise ValueError(f"{path!r} names no bucket: s3://BUCKET/FOLDER")
    return bucket, key


def client() -> Any:
    """Returns this process's client of the store that Beam's options name.

    Raises:
        Unusable: the extra is not installed, or the store's address is not one.
    """
    # Where Beam keeps them, in the launcher and in its workers; it has no other way to ask.
    options = FileSystems.get_filesystem(SCHEME)._options
    with _LOCK:
        return _client(Access.of(options))


@cache
def _client(access: Access) -> Any:
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        from transforms.s3_client import make_client
    except ImportError as error:
        raise Unusable(
            "s3:// needs the extra s3: pip install 'theta-greeks-pipeline[s3]'"
        ) from error
    try:
        made = make_client(
            region_name=access.region,
            api_version=access.version,
            use_ssl=access.ssl,
            verify=access.verify,
            endpoint_url=access.endpoint,
            aws_access_key_id=access.key,
            aws_secret_access_key=access.secret,
            aws_session_token=access.token,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_CONNECTIONS,
                connect_timeout=10,
                # Not every store knows Amazon's newer checksums; ours are MD5, which all check.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        # Its own message may repeat an address with a password in it.
        raise Unusable(
            f"the S3 store can't be used ({type(error).__name__}): look at --s3_endpoint_url, "
            "--s3_region_name and AWS's own settings"
        ) from None
    if urlsplit(made.meta.endpoint_url).password is not None:
        raise Unusable(
            "the S3 store's address has a password in it, which S3 has no use for: give the "
            "credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return made


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turns the errors of a block into those of a file system.

    Raises:
        FileNotFoundError: there is no such object.
        PermissionError: the credentials are missing, wrong, or not enough.
        Overtaken: a condition did not hold.
        OSError: anything else.
    """
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
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "NoSuchBucket":
        return FileNotFoundError(2, "there is no such bucket: make it first", path)
    if status == 404:
        return FileNotFoundError(2, "there is no such object", path)
    if status in (401, 403):
        return PermissionError(13, f"the store refuses: {error}", path)
    if status == 412 or code == "ConditionalRequestConflict":
        return Overtaken(17, "another run has replaced it meanwhile", path)
    return OSError(f"{path}: {error}")


def md5(data: bytes | BinaryIO) -> str:
    """Returns what the store checks data by as it arrives; of a file, from where it stands."""
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
    """Returns the condition under which an object may be replaced.

    Args:
        over: the mark of what may be replaced, `NOTHING` if nothing may be there, None for any.
    """
    if over is None:
        return {}
    return {"IfNoneMatch": "*"} if over == NOTHING else {"IfMatch": over}


def put(path: str, data: bytes | BinaryIO, mime_type: str, over: str | None = None) -> str:
    """Writes a whole object in one request, and returns its mark.

    Raises:
        Overtaken: it is not what `over` says.
        OSError: it can't be written; what was there is as it was.
    """
    bucket, key = split(path)
    store = client()
    with told(path):
        answer = store.put_object(
            Bucket=bucket, Key=key, Body=data, ContentType=mime_type, ContentMD5=md5(data),
            **conditions(over),
        )  # fmt: skip
    return str(answer["ETag"])


def head(path: str) -> dict[str, Any]:
    """Returns what the store knows of an object.

    Raises:
        FileNotFoundError: it is not there.
        OSError: the store does not say.
    """
    bucket, key = split(path)
    store = client()
    with told(path):
        answer: dict[str, Any] = store.head_object(Bucket=bucket, Key=key)
    return answer


def mark(path: str) -> str:
    """Returns what changes whenever an object does: its ETag, or `NOTHING` if it is not there.

    Raises:
        OSError: the store does not say.
    """
    try:
        return str(head(path)["ETag"])
    except FileNotFoundError:
        return NOTHING


def get(path: str) -> tuple[bytes, str]:
    """Returns a small object's bytes and its mark.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it can't be read.
    """
    bucket, key = split(path)
    store = client()
    with told(path):
        answer = store.get_object(Bucket=bucket, Key=key)
        return answer["Body"].read(), str(answer["ETag"])


def below(folder: str) -> Iterator[tuple[str, datetime]]:
    """Yields the path of each object below a folder, and when it was written, in order of paths.

    Raises:
        OSError: they can't be listed.
    """
    bucket, key = split(f"{folder.rstrip('/')}/")
    store = client()
    with told(folder):
        pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        for page in pages:
            for found in page.get("Contents", ()):
                yield f"{SCHEME}{bucket}/{found['Key']}", found["LastModified"]


def remove(path: str) -> None:
    """Removes an object, or all that are below a folder; it need not be there.

    Raises:
        OSError: one of them can't be removed.
    """
    store = client()
    for each in [path, *(found for found, _ in below(path))]:
        bucket, key = split(each)
        with told(each):
            store.delete_object(Bucket=bucket, Key=key)


def abort_uploads(folder: str, before: datetime) -> int:
    """Throws away what killed runs had uploaded below a folder; returns how many files it was of.

    Args:
        folder: whose objects the uploads were to become.
        before: only uploads that began earlier, by the store's clock.

    Raises:
        OSError: they can't be listed or aborted.
    """
    bucket, key = split(f"{folder.rstrip('/')}/")
    store = client()
    aborted = 0
    with told(folder):
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


class ObjectFile(io.RawIOBase):
    """An object that is open for reading, from any place in it.

    All that is read is of one state of the object: if it is replaced meanwhile, reading fails.

    Args:
        path: of the object.

    Raises:
        FileNotFoundError: it is not there.
        OSError: from every method: it can't be read.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        found = head(path)
        self._size, self._mark = int(found["ContentLength"]), str(found["ETag"])
        self._position = 0
        self._stream: Any = None

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
        position = min(max(begin + offset, 0), self._size)
        if position != self._position:
            self._position = position
            self._drop()
        return position

    def readinto(self, buffer: Any) -> int:
        """Reads as many bytes as there are room for, or fewer; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._position >= self._size or not view.nbytes:
            return 0
        with told(self._path):
            if self._stream is None:
                bucket, key = split(self._path)
                self._stream = client().get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={self._position}-", IfMatch=self._mark
                )["Body"]
            piece = self._stream.read(view.nbytes)
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Closes the file."""
        self._drop()
        super().close()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

"""How a file becomes visible: all at once, and never before it is whole.

`begin` chooses the way. On this machine, and on Beam's other file systems, a file is written beside
the output and renamed into place. S3 has no rename, only a second copy: there, the file is uploaded
straight to its final key, in parts that nobody sees, and one request makes them the object.
Either way a reader finds the old file or the new one, and a process that is killed leaves the old.
"""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, BinaryIO

from transforms import files, s3
from transforms.s3_access import client

PART_BYTES = 5 << 20
"""The smallest part that S3 takes, so that the least is held: 10,000 of them are 48 GiB."""


class Unfinished(ABC):
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
    def seal(self) -> int:
        """Returns how many bytes are stored: by what the file system says, not by our count."""

    @abstractmethod
    def commit(self, over: str | None = None) -> None:
        """Makes the file visible, in place of the one that is there.

        Args:
            over: the `files.mark` of what may be replaced; None for any.

        Raises:
            s3.Overtaken: what is there is not what `over` says; it is as it was.
            OSError: what is there is as it was.
        """

    @abstractmethod
    def discard(self) -> None:
        """Throws away what was written; `file` is closed before."""


def begin(path: str, temporary: str, mime_type: str, create: Callable[[str], Any]) -> Unfinished:
    """Begins a new file.

    Args:
        path: where it is to be.
        temporary: another path on the same file system, for the unfinished file if it needs one.
        mime_type: of the file.
        create: opens a file system's file for writing.
    """
    if s3.is_s3(path):
        return Upload(path, mime_type)
    return Renamed(path, temporary, create)


class Renamed(Unfinished):
    """A temporary file that a rename puts in place."""

    def __init__(self, path: str, temporary: str, create: Callable[[str], Any]) -> None:
        self._path = path
        self._temporary = temporary
        files.make_folder(temporary.rpartition("/")[0])
        self.file = create(temporary)

    def seal(self) -> int:
        """Returns the size of the temporary file."""
        return files.size(self._temporary)

    def commit(self, over: str | None = None) -> None:
        """Renames the temporary file."""
        files.move(self._temporary, self._path)

    def discard(self) -> None:
        """Removes the temporary file."""
        files.remove(self._temporary)


class Upload(Unfinished):
    """A multipart upload to an object's own key; one request does for what is less than a part.

    It is dropped without a trace in the bucket if it is garbage collected, except that parts that
    are there already stay, unseen, until `s3.abort_uploads`.
    """

    def __init__(self, path: str, mime_type: str) -> None:
        self._path = path
        self._mime_type = mime_type
        self._bucket, self._key = s3.split(path)
        self._store = client()
        # On this machine's disk: in memory, each file under way would take two parts' worth of it.
        self._waiting = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in commit and discard
        self._in_part = 0
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self.file = self

    def write(self, data: memoryview) -> int:
        """Takes bytes, and uploads them when they are a part's worth."""
        view = data.cast("B")
        done = 0
        while done < view.nbytes:
            piece = view[done : done + PART_BYTES - self._in_part]
            self._waiting.write(piece)
            self._in_part += piece.nbytes
            done += piece.nbytes
            if self._in_part == PART_BYTES:
                self._send()
        return view.nbytes

    def flush(self) -> None:
        """Does nothing: a part is sent when it is full."""

    def close(self) -> None:
        """Does nothing: nothing is to be seen before `commit`."""

    def seal(self) -> int:
        """Uploads the last part, and returns what the store says of all of them."""
        if self._upload is None:
            return self._in_part
        if self._in_part:
            self._send()
        with s3.told(self._path):
            pages = self._store.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload
            )
            return sum(part["Size"] for page in pages for part in page.get("Parts", ()))

    def commit(self, over: str | None = None) -> None:
        """Makes the parts the object."""
        if self._upload is None:
            s3.put(self._path, self._part(), self._mime_type, over)
        else:
            with s3.told(self._path):
                self._store.complete_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload,
                    MultipartUpload={"Parts": self._parts}, **s3.conditions(over),
                )  # fmt: skip
            self._upload = None
        self._waiting.close()

    def discard(self) -> None:
        """Aborts the upload."""
        self._waiting.close()
        if self._upload is not None:
            with s3.told(self._path):
                self._store.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload
                )
            self._upload = None

    def _part(self) -> BinaryIO:
        """Returns what waits, to be read from its beginning."""
        self._waiting.seek(0)
        return self._waiting

    def _send(self) -> None:
        number = len(self._parts) + 1
        with s3.told(self._path):
            if self._upload is None:
                self._upload = self._store.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ContentType=self._mime_type
                )["UploadId"]
            answer = self._store.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload, PartNumber=number,
                Body=self._part(), ContentMD5=s3.md5(self._part()),
            )  # fmt: skip
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._waiting.seek(0)
        self._waiting.truncate()
        self._in_part = 0

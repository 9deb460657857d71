"""An upload to S3, invisible before it is whole."""

import tempfile
from typing import Any, BinaryIO

from transforms.storage.base import Upload, split
from transforms.storage.s3.access import client
from transforms.storage.s3.objects import conditions, file_errors, md5, put

PART_BYTES = 5 << 20
"""The smallest part that S3 takes, so that the least is held: 10,000 of them are 48 GiB."""


class S3Upload(Upload):
    """A multipart upload to an object's own key; less than a part is sent in one request.

    It is dropped without a trace in the bucket if it is garbage collected, except that parts that
    are there already stay, unseen, until `abort_uploads`.
    """

    def __init__(self, path: str, mime_type: str) -> None:
        super().__init__(path, mime_type)
        self._bucket, self._key = split(path)
        self._store = client()
        # On this machine's disk: in memory, each file under way would take two parts' worth of it.
        self._waiting = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in commit and discard
        self._in_part = 0
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes | memoryview) -> int:
        """Takes bytes, and uploads them when they are a part's worth."""
        view = memoryview(data).cast("B")
        done = 0
        while done < view.nbytes:
            piece = view[done : done + PART_BYTES - self._in_part]
            self._waiting.write(piece)
            self._in_part += piece.nbytes
            done += piece.nbytes
            if self._in_part == PART_BYTES:
                self._send()
        return view.nbytes

    def seal(self) -> int | None:
        """Uploads the last part, and returns the size of all parts by the store's list of them.

        None if it is all sent in one request, at the commit, which has an MD5 for the store.
        """
        if self._upload is None:
            return None
        if self._in_part:
            self._send()
        with file_errors(self._path):
            pages = self._store.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload
            )
            return sum(int(part["Size"]) for page in pages for part in page.get("Parts", ()))

    def commit(self, over: str | None = None) -> None:
        """Makes the parts the object."""
        if self._upload is None:
            put(self._path, self._part(), self._mime_type, over)
        else:
            with file_errors(self._path):
                self._store.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._upload,
                    MultipartUpload={"Parts": self._parts},
                    **conditions(over),
                )
            self._upload = None
        self._waiting.close()

    def discard(self) -> None:
        """Aborts the upload."""
        self._waiting.close()
        if self._upload is not None:
            with file_errors(self._path):
                self._store.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload
                )
            self._upload = None

    def _part(self) -> BinaryIO:
        """Returns the waiting bytes, to be read from the beginning."""
        self._waiting.seek(0)
        return self._waiting

    def _send(self) -> None:
        number = len(self._parts) + 1
        with file_errors(self._path):
            if self._upload is None:
                self._upload = self._store.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ContentType=self._mime_type
                )["UploadId"]
            answer = self._store.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload,
                PartNumber=number,
                Body=self._part(),
                ContentMD5=md5(self._part()),
            )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._waiting.seek(0)
        self._waiting.truncate()
        self._in_part = 0

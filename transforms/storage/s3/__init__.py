"""Objects in Amazon S3, and in what speaks its protocol."""

from transforms.storage.s3.objects import abort_uploads, below, get, mark, put, remove, size
from transforms.storage.s3.reader import S3File
from transforms.storage.s3.upload import S3Upload

__all__ = [
    "S3File",
    "S3Upload",
    "abort_uploads",
    "below",
    "get",
    "mark",
    "put",
    "remove",
    "size",
]

"""Objects in Amazon S3, and in what speaks its protocol."""

from transforms.storage.s3.objects import abort_uploads, below, find, get, put, remove
from transforms.storage.s3.reader import S3File as open_file  # noqa: N813 -- as ObjectStore has it
from transforms.storage.s3.upload import S3Upload as upload  # noqa: N813 -- likewise

__all__ = ["abort_uploads", "below", "find", "get", "open_file", "put", "remove", "upload"]

"""Objects in Google's Cloud Storage."""

from transforms.storage.gcs.objects import abort_uploads, below, get, mark, put, remove, size
from transforms.storage.gcs.reader import GoogleFile
from transforms.storage.gcs.upload import GoogleUpload

__all__ = [
    "GoogleFile",
    "GoogleUpload",
    "abort_uploads",
    "below",
    "get",
    "mark",
    "put",
    "remove",
    "size",
]

"""Objects in Google's Cloud Storage."""

from transforms.storage.gcs.objects import abort_uploads, below, find, get, put, remove
from transforms.storage.gcs.reader import GoogleFile as open_file  # noqa: N813 -- as ObjectStore
from transforms.storage.gcs.upload import GoogleUpload as upload  # noqa: N813 -- likewise

__all__ = ["abort_uploads", "below", "find", "get", "open_file", "put", "remove", "upload"]

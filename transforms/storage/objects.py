"""What stores of whole objects have in common: paths, marks, and how they refuse."""

NOTHING = ""
"""The mark of an object that is not there; see `stores.Store.mark`."""


class Overtaken(OSError):
    """Another writer was faster: the object is not what it was when it was looked at."""


class Unusable(OSError):
    """The store can't be used at all; the message says what to do."""


def split(path: str) -> tuple[str, str]:
    """Returns the bucket and the key of a path.

    Raises:
        ValueError: it names no bucket.
    """
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise ValueError(f"{path!r} names no bucket: {scheme}://BUCKET/FOLDER")
    return bucket, key


def refusal(status: int, error: Exception, path: str) -> OSError:
    """Returns a store's refusal of a request, by its HTTP status, as a file system's error."""
    if status == 404:
        return FileNotFoundError(2, "there is no such object, or no such bucket", path)
    if status in (401, 403):
        return PermissionError(13, f"the store refuses: {error}", path)
    if status == 412:
        return Overtaken(17, "another run has replaced it meanwhile", path)
    return OSError(f"{path}: {error}")

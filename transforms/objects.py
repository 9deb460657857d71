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

"""A store's objects as files that DuckDB reads, by the project's own readers and credentials."""

import re
import threading
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import glob_translate

from transforms.storage import files, stores
from transforms.storage.base import Listed


class StoreFiles(AbstractFileSystem):
    """What DuckDB asks of a file system: which files match a pattern, and their bytes.

    A folder is listed once, so that all queries are of one state of it.
    """

    protocol = ("s3", "gs")
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._folders: dict[str, dict[str, Listed]] = {}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Returns the paths of the files that match a pattern, or of the one file of that name."""
        begin, *pattern = re.split(r"[\[*?]", path, maxsplit=1)
        if not pattern:
            return [path] if self._known(path) or files.exists(path) else []
        folder = begin.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = {each.path: each for each in files.listed(folder)}
        matches = re.compile(glob_translate(path)).match
        return [each for each in self._folders[folder] if matches(each)]

    def size(self, path: str) -> int:
        """Returns the size of a file in bytes."""
        known = self._known(path)
        return known.size if known else files.size(path)

    def modified(self, path: str) -> datetime:
        """Returns when a file was written; where that is not known, now: it is read anew."""
        known = self._known(path)
        return (known and known.written) or datetime.now(timezone.utc)

    def open(self, path: str, *_: Any, **__: Any) -> "SharedFile":
        """Returns a file that is open for reading."""
        store = stores.of(path)
        assert store is not None  # noqa: S101 -- the schemes are those of `protocol`
        return SharedFile(store.open_file(path))

    def _known(self, path: str) -> Listed | None:
        return next((each[path] for each in self._folders.values() if path in each), None)


class SharedFile:
    """A file that threads read from, each at a place of its own.

    DuckDB's threads share a file, and let each other in between `seek` and `read`.

    Args:
        file: an open file; all reads are of the one state of it.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._place = threading.local()

    def seek(self, offset: int) -> int:
        """Goes to a place, and returns it."""
        self._place.at = offset
        return offset

    def tell(self) -> int:
        """Returns where the next byte is read from."""
        return getattr(self._place, "at", 0)

    def read(self, count: int) -> bytes:
        """Returns so many bytes, or as many as there are before the end."""
        content, at = bytearray(count), self.tell()
        filled = 0
        with self._lock, memoryview(content) as view:
            self._file.seek(at)
            while filled < count and (more := self._file.readinto(view[filled:])):
                filled += more
        self._place.at = at + filled
        return bytes(content[:filled])

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

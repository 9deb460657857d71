"""How a file becomes visible: all at once, and never before it is whole.

`begin` chooses the way. On this machine, and on Beam's other file systems, a file is written beside
the output and renamed into place. Stores of objects have no rename, only a second copy: there, the
file is uploaded straight to its final key, in parts that nobody sees, and one request makes them
the object. Either way a reader finds the old file or the new one, and a process that is killed
leaves the old.
"""

from collections.abc import Callable
from typing import Any

from transforms.storage import files, stores
from transforms.storage.base import PendingFile


def begin(path: str, temporary: str, mime_type: str, create: Callable[[str], Any]) -> PendingFile:
    """Begins a new file.

    Args:
        path: where it is to be.
        temporary: another path on the same file system, for the unfinished file if it needs one.
        mime_type: of the file.
        create: opens a file system's file for writing, and makes its folder if need be.
    """
    if store := stores.of(path):
        return store.upload(path, mime_type)
    return Renamed(path, temporary, create)


class Renamed(PendingFile):
    """A temporary file that a rename puts in place."""

    def __init__(self, path: str, temporary: str, create: Callable[[str], Any]) -> None:
        self._path = path
        self._temporary = temporary
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

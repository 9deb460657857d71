"""A file that nobody sees before it is whole."""

from abc import ABC, abstractmethod
from typing import Any


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
    def seal(self) -> int | None:
        """Stores what is left, and returns how many bytes the file system or store counts.

        None where it counts none before `commit`: there the store compares a checksum of what it
        was sent with what it has, and refuses the commit if they differ.
        """

    @abstractmethod
    def commit(self, over: str | None = None) -> None:
        """Makes the file visible, in place of the one that is there.

        Args:
            over: the `files.mark` of what may be replaced; None for any.

        Raises:
            objects.Overtaken: what is there is not what `over` says; it is as it was.
            OSError: what is there is as it was.
        """

    @abstractmethod
    def discard(self) -> None:
        """Throws away what was written; `file` is closed before."""

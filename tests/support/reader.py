"""One who reads all the time, and must never see a file that is not whole."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager


class Reader:
    """Reads every file of a place, over and over, and compares it with what it must be.

    Args:
        read: yields each file's name and bytes, as they are at the moment.
        whole: the bytes that each must have, by name.

    Attributes:
        seen: how many files were read.
        partial: those that were not what they must be.
    """

    def __init__(
        self, read: Callable[[], Iterable[tuple[str, bytes]]], whole: Mapping[str, bytes]
    ) -> None:
        self._read = read
        self._whole = whole
        self._ended = threading.Event()
        self.seen = 0
        self.partial: list[str] = []

    def look(self) -> None:
        for name, content in self._read():
            self.seen += 1
            if content != self._whole.get(name):
                self.partial.append(f"{name}: {len(content)} bytes")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads for as long as the block lasts, and once after it."""
        thread = threading.Thread(target=self._look_on)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
        self.look()

    def _look_on(self) -> None:
        while not self._ended.wait(0.005):
            self.look()

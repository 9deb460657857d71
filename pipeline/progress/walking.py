"""Progress of a command that reads many files: shown as a download's is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from pipeline.process.memory import MemorySampler
from pipeline.progress.display import Display
from pipeline.progress.listener import make_display
from pipeline.progress.snapshot import Snapshot

Each = TypeVar("Each", covariant=True)


class Walk:
    """How many of its files a command has done. For one thread; it is drawn as files are done.

    Args:
        display: where it is shown.
        total: files.
        memory: samples what the process has resident.
        clock: returns seconds.
    """

    def __init__(
        self,
        display: Display,
        total: int,
        memory: MemorySampler,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._display, self._total, self._memory = display, total, memory
        self._clock = clock
        self._began = clock()
        self._next = self._began + display.seconds
        self._done = self._rows = self._bytes = 0

    def passed(self, rows: int = 0, size: int = 0) -> None:
        """Takes some rows and bytes of the file that is being read."""
        self._rows += rows
        self._bytes += size
        self._draw()

    def done(self) -> None:
        """Counts a file that is done."""
        self._done += 1
        self._draw()

    def _draw(self) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._display.seconds
        seconds = now - self._began
        left = self._total - self._done
        self._display.draw(
            Snapshot(
                seconds=seconds,
                done=self._done,
                total=self._total,
                rows=self._rows,
                bytes=self._bytes,
                rows_now=self._rows / seconds,
                rows_average=self._rows / seconds,
                bytes_now=self._bytes / seconds,
                remaining=left * seconds / self._done if self._done else None,
                thing="file",
                fetching=False,
            ),
            self._memory.current,
        )


@contextmanager
def walk(display: Display, total: int) -> Iterator[Walk]:
    """Shows how far a command is while the block runs.

    Args:
        display: where it is shown; it is closed at the end.
        total: files.
    """
    try:
        with MemorySampler() as memory:
            yield Walk(display, total, memory)
    finally:
        display.close()


class Counted(Protocol[Each]):
    """Files, and how many they are."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Each]: ...


def tracked(mode: str, seconds: float) -> Callable[[Counted[Each]], Iterator[Each]]:
    """Returns a function that yields each of some files, and shows how many are done.

    Args:
        mode: one of `config.PROGRESS`.
        seconds: between two plain lines.
    """

    def track(files: Counted[Each]) -> Iterator[Each]:
        with walk(make_display(mode, seconds), len(files)) as progress:
            for each in files:
                yield each
                progress.done()

    return track

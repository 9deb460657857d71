"""A run over time: a bounded number of samples, however long it takes."""

from collections.abc import Mapping
from typing import Any

COLUMNS = ("seconds", "rows", "bytes", "done", "in_flight", "memory")
"""Of each sample: seconds since the run began; rows and bytes written and under way so far;
expirations that ended, and under way; resident MiB of all processes."""


class Samples:
    """Keeps a sample every so many seconds; when there are too many, every second one goes.

    Args:
        most: samples to keep, an even number.
        seconds: between two samples, to begin with; each thinning doubles it.
    """

    def __init__(self, most: int = 120, seconds: float = 0.25) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: list[Mapping[str, float]] = []

    def offer(self, sample: Mapping[str, float]) -> None:
        """Keeps a sample of `COLUMNS`, if it is time for one."""
        if self._kept and sample["seconds"] < self._kept[-1]["seconds"] + self._seconds:
            return
        if len(self._kept) == self._most:
            self._kept = self._kept[::2]
            self._seconds *= 2
            self.offer(sample)
        else:
            self._kept.append(sample)

    def finish(self, sample: Mapping[str, float]) -> None:
        """Keeps the last sample, whenever the one before it was."""
        if len(self._kept) == self._most:
            self._kept.pop()
        self._kept.append(sample)

    def columns(self) -> dict[str, list[Any]]:
        """Returns the samples by column, in the order in which they were taken."""
        return {name: [round(each[name], 3) for each in self._kept] for name in COLUMNS}

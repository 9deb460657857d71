"""Measurements while the graph runs: memory, progress, samples over time."""

from collections.abc import Callable
from typing import Any

from pipeline.process.memory import MemorySampler
from pipeline.progress.display import Display
from pipeline.progress.listener import Progress
from pipeline.progress.tally import Tally

NOTHING_MEASURED: dict[str, Any] = {"peak_memory_usage": 0.0, "average_memory_usage": 0.0}
"""The figures of a run that ended before its graph began."""


class Measured:
    """Measures a run, and shows it, while it is entered.

    Args:
        sampler: of the memory.
        tally: adds up the workers' messages.
        display: where it is shown.
        embedded: returns the peak memory in MiB of a Terminal that is this run's own, which is
            counted apart; None without one.

    Attributes:
        progress: listens to the workers.
    """

    def __init__(
        self,
        sampler: MemorySampler,
        tally: Tally,
        display: Display,
        embedded: Callable[[], float] | None,
    ) -> None:
        self._sampler = sampler
        self._embedded = embedded
        self.progress = Progress(display, tally, sampler)

    def __enter__(self) -> "Measured":
        self._sampler.__enter__()
        self.progress.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.__exit__(*error)
        self._sampler.__exit__(*error)

    def close_display(self) -> None:
        """Leaves the terminal as it was: for a process that ends without leaving the block."""
        self.progress.close_display()

    def figures(self) -> dict[str, Any]:
        """Returns the figures for the run's record."""
        figures = {
            "samples": self.progress.samples.columns(),
            **self.progress.lessons(),
            "peak_memory_usage": self._sampler.peak,
            "peak_mapped_files": self._sampler.mapped,
            "average_memory_usage": self._sampler.average,
        }
        if self._embedded:
            figures["embedded_terminal_peak_memory"] = self._embedded()
        return figures

"""The run history before the first run."""

from collections.abc import Iterator

from pipeline.history.model import Head, NoSuchRun, Query, Record, RunHistory
from transforms.text.secrets import redacted


class NoRuns(RunHistory):
    """A run history that does not exist yet; reading does not create it.

    Args:
        metrics: where the first run will create it.
    """

    def __init__(self, metrics: str) -> None:
        self.name = f"{redacted(metrics)} (which the first run will make)"
        self.skipped: list[str] = []

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields nothing."""
        return iter(())

    def read(self, run_id: str) -> Record:
        """Raises NoSuchRun."""
        raise NoSuchRun(f"{self.name} has no run {run_id!r}")

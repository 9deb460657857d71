"""The output folder: the data files in it, and `<output>.meta` beside it for everything else."""

import os
from dataclasses import dataclass

META = ".meta"
"""Follows the output folder's path in that of the folder for all that is not data."""

ENTRIES = f"{META}/files"
"""Follows the output folder's path in that of the manifest's entries."""

_ENTRY = ".json"


@dataclass(frozen=True)
class OutputFolder:
    """The paths of an output folder, and of what lies beside it on the same file system.

    Readers of the data, such as Polars and DuckDB, take every file in the output folder for data,
    so that whatever else belongs to it lies in `<output>.meta`.

    >>> OutputFolder("data/greeks/").meta
    'data/greeks.meta'

    Attributes:
        path: of the data files; a folder of this machine, or of a store, as `s3://bucket/greeks`.
    """

    path: str

    @property
    def meta(self) -> str:
        """The folder of all that is not data."""
        return self._place + META

    @property
    def entries(self) -> str:
        """The folder of the manifest's entries."""
        return self._place + ENTRIES

    @property
    def lock(self) -> str:
        """The file whose lock keeps other runs out."""
        return f"{self.meta}/lock"

    @property
    def layout(self) -> str:
        """The document that holds how the folder's files are named."""
        return f"{self.meta}/layout.json"

    @property
    def unfinished(self) -> str:
        """The folder of every run's unfinished files."""
        return f"{self.meta}/unfinished"

    def temporary(self, run_id: str) -> str:
        """Returns the folder of one run's unfinished files."""
        return f"{self.unfinished}/{run_id}"

    def file(self, name: str) -> str:
        """Returns the path of a data file, whose name is its path below the folder."""
        return f"{self._place}/{name}"

    def name(self, path: str) -> str:
        """Returns the name of a data file, as `file` takes it.

        Raises:
            ValueError: `path` is not below the folder.
        """
        start = f"{self._place}/"
        if not path.startswith(start):
            raise ValueError(f"{path} is not below {self.path}")
        return path[len(start) :]

    def entry(self, name: str) -> str:
        """Returns the path of the manifest's entry of a data file."""
        return f"{self.entries}/{name}{_ENTRY}"

    def entry_name(self, path: str) -> str:
        """Returns the name of the data file that an entry at `path` is about."""
        return path[len(self.entries) + 1 :].removesuffix(_ENTRY)

    def absolute(self) -> "OutputFolder":
        """Returns the same folder by a path that holds in whatever folder it is used."""
        return self if "://" in self.path else OutputFolder(os.path.abspath(self.path))  # noqa: PTH100 -- a Path has no `..` resolved

    @property
    def _place(self) -> str:
        place = self.path.rstrip("/")
        # `.` and `..` are folders without a name to put `.meta` behind.
        return place if place.rpartition("/")[2] not in ("", ".", "..") else os.path.abspath(place)  # noqa: PTH100 -- likewise

"""The output folder: the data files in it, and `<output>.meta` beside it for everything else."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

META = ".meta"
"""Follows the output folder's path in that of the folder for all that is not data."""

ENTRIES = f"{META}/files"
"""Follows the output folder's path in that of the manifest's entries."""

PRICES = ".underlying"
"""Follows the output folder's path in that of the folder of the underlying's prices."""

_ENTRY = ".json"


@dataclass(frozen=True)
class OutputFolder:
    """The paths of an output folder, and of what lies beside it on the same file system.

    All but `path`, `target`, `file` and `name` raise OSError where `.meta` lies in the folder and
    another, which knows files, beside it: nothing shows which of them is of the files there.

    Readers of the data, such as Polars and DuckDB, take every file in the output folder for data,
    so that whatever else belongs to it lies in `<output>.meta`. A file beside a mount point, as a
    container's volume is one, is on another file system and may not outlive the container: there,
    it lies in `<output>/.meta`, wherever the volume is mounted later. A link to a folder is that
    folder by another name, so that it has the same `.meta`.

    >>> OutputFolder("data/greeks/").meta
    'data/greeks.meta'

    Attributes:
        path: of the data files; a folder of this machine, or of a store, as `s3://bucket/greeks`.
    """

    path: str

    def __getstate__(self) -> dict[str, str]:
        # Where the path leads to is found once; on another machine it may lead elsewhere.
        return {"path": self.path}

    @property
    def meta(self) -> str:
        """The folder of all that is not data."""
        return self._stem + META

    @property
    def entries(self) -> str:
        """The folder of the manifest's entries."""
        return self._stem + ENTRIES

    @cached_property
    def target(self) -> str:
        """The folder that the path leads to, where it is a link; else the path."""
        place = self._place
        is_link = "://" not in place and os.path.islink(place)  # noqa: PTH114 -- a Path resolves `..`
        return os.path.realpath(place) if is_link else place

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

    @property
    def index(self) -> str:
        """The file that holds what all of the manifest's entries say."""
        return f"{self.meta}/files.index"

    @property
    def prices(self) -> str:
        """The folder of the underlying's prices, beside the data files."""
        return f"{self.target}{PRICES}"

    @property
    def proofs_of_prices(self) -> str:
        """The document that holds what the files of prices were made from."""
        return f"{self.meta}/underlying.json"

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

    def holds(self, path: str) -> bool:
        """Returns whether a path below the folder is that of a data file, and not in `meta`."""
        return not self.name(path).startswith(f"{META}/")

    @property
    def whole(self) -> str:
        """The output folder that this one is a part of, such as an order of data; or empty.

        It is known on this machine alone: the manifest of that folder has entries of this one.
        """
        path = self.absolute().target
        if "://" in path:
            return ""
        for parent in Path(path).parents:
            name = Path(path).relative_to(parent)
            if any(Path(f"{parent}{each}{ENTRIES}", name).is_dir() for each in ("", "/")):
                return str(parent)
        return ""

    def absolute(self) -> "OutputFolder":
        """Returns the same folder by a path that holds in whatever folder it is used."""
        return self if "://" in self.path else OutputFolder(os.path.abspath(self.path))  # noqa: PTH100 -- a Path has no `..` resolved

    @cached_property
    def _stem(self) -> str:
        """What `.meta` follows: the folder, and a slash where it lies inside."""
        target = self.target
        if "://" in target:
            return target
        inside = f"{target}/"
        there = os.path.isdir(inside + META)  # noqa: PTH112 -- a Path has no `..` resolved
        if not there and not _is_mount_point(target):
            return target
        _check_alone(inside, target)
        return inside

    @property
    def _place(self) -> str:
        place = self.path.rstrip("/")
        # `.` and `..` are folders without a name to put `.meta` behind.
        return place if place.rpartition("/")[2] not in ("", ".", "..") else os.path.abspath(place)  # noqa: PTH100 -- likewise


def part_of(folder: OutputFolder) -> str:
    """Returns that a folder is a part of another one, as a sentence; empty if it is none."""
    if not folder.whole:
        return ""
    return f"{folder.path} is a part of the output folder {folder.whole}: name that one"


def _check_alone(inside: str, beside: str) -> None:
    """Raises OSError where the folder that is not used has manifest entries."""
    try:
        with os.scandir(beside + ENTRIES) as entries:
            known = any(entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    if known:
        raise OSError(
            f"{inside}{META} is the manifest's place there, and {beside}{META} is one as well: "
            "move away the one that is not of these files"
        )


def _is_mount_point(folder: str) -> bool:
    path = os.path.abspath(folder)  # noqa: PTH100 -- a Path has no `..` resolved
    # The second finds a folder that is mounted from elsewhere on the same file system.
    return os.path.ismount(path) or os.path.realpath(path) in _mount_points()


@cache
def _mount_points() -> frozenset[str]:
    import psutil

    return frozenset(each.mountpoint for each in psutil.disk_partitions(all=True))

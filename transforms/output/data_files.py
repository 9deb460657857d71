"""Which data files an output folder has, and how large each is, in 16 bytes a file."""

from array import array
from collections.abc import Iterable

import numpy as np

from transforms.output.folder import OutputFolder
from transforms.storage import files

ABSENT = -1
"""The size of a file that is not there."""
_UNKNOWN = -2
"""The size where several names have one hash, so that no entry's can equal it."""


class DataFiles:
    """The data files of an output folder, as one listing shows them.

    Args:
        listed: the name and the size in bytes of each.
    """

    def __init__(self, listed: Iterable[tuple[str, int]]) -> None:
        # A hash is of this process: Python salts it, so that nobody can choose names that collide.
        keys, sizes = array("q"), array("q")
        for name, size in listed:
            keys.append(hash(name))
            sizes.append(size)
        order = np.argsort(np.frombuffer(keys, "i8"))
        self._keys = np.frombuffer(keys, "i8")[order]
        self._sizes = np.frombuffer(sizes, "i8")[order]
        alike = self._keys[1:] == self._keys[:-1]
        self._sizes[:-1][alike] = self._sizes[1:][alike] = _UNKNOWN

    @classmethod
    def of(cls, folder: OutputFolder) -> "DataFiles":
        """Returns the files in a folder: what lies in its `.meta` is none.

        Raises:
            OSError: the folder can't be read.
        """
        start = len(folder.file(""))
        return cls(
            (each.path[start:], each.size)
            for each in files.listed(folder.file("")[:-1])
            if folder.holds(each.path)
        )

    def has(self, names: Iterable[str]) -> np.ndarray:
        """Returns whether there is a file of each name: bool."""
        there: np.ndarray = self.sizes(names) != ABSENT
        return there

    def sizes(self, names: Iterable[str]) -> np.ndarray:
        """Returns the size in bytes of each file, or `ABSENT`: int64.

        Args:
            names: of the files: their paths below the folder.
        """
        keys = np.fromiter(map(hash, names), np.int64)
        if not len(self._keys):
            return np.full(len(keys), ABSENT)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[place] == keys, self._sizes[place], ABSENT)

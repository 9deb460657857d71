"""What comes when it comes, several in a millisecond, and none for a while: quotes and trades."""

import numpy as np

from transforms.arrays import Ints
from transforms.quality.block import Block
from transforms.quality.presence import Spots


class Ticks:
    """Counts contracts and trade dates, and finds a trade that is there twice.

    A trade is known by its contract, its time and its `sequence`, and follows its double, as both
    have the same place in an answer. Quotes have no such number.

    Attributes:
        duplicates: rows that are the row before them.
    """

    def __init__(self) -> None:
        self.duplicates = Spots()
        self._contracts: set[int] = set()
        self._dates: set[int] = set()
        self._last: Ints | None = None

    def add(self, block: Block) -> None:
        """Takes the next rows."""
        self._contracts.update(np.unique(block.code).tolist())
        self._dates.update(np.unique(block.day).tolist())
        if "sequence" not in block.names:
            return
        rows = np.stack([block.code, block.time, block["sequence"].astype(np.int64)])
        known = rows if self._last is None else np.concatenate([self._last, rows], axis=1)
        self._last = rows[:, -1:]
        places = np.flatnonzero((known[:, 1:] == known[:, :-1]).all(axis=0)) + 1
        spots = (
            (int(known[0, n]), int(known[1, n]), {"sequence": int(known[2, n])}) for n in places
        )
        self.duplicates.add(len(places), spots)

    def finish(self) -> tuple[int, int]:
        """Returns the numbers of contracts and of trade dates."""
        return len(self._contracts), len(self._dates)

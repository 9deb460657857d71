"""Where the rows of an expiration are, and where not: by contract and five minutes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.reports.rows import Piece
from transforms.market.calendar import OPEN_MS

BUCKET = 5 * 60_000
"""Milliseconds in a column of the completeness map."""

BUCKETS = 81
"""From 09:30 to 16:15, where the last options close."""


Counts = NDArray[np.int32]


def _none() -> Counts:
    return np.zeros((16, BUCKETS), np.int32)


@dataclass
class Coverage:
    """Rows of one expiration by contract and bucket of five minutes.

    Attributes:
        contracts: the row of each (strike, is a call).
        present: rows that are there, contracts by buckets.
        outside: those of them that are out of the money.
        solved: those of these that have a volatility.
    """

    contracts: dict[tuple[float, bool], int] = field(default_factory=dict)
    present: Counts = field(default_factory=_none)
    outside: Counts = field(default_factory=_none)
    solved: Counts = field(default_factory=_none)

    def add(self, piece: Piece) -> None:
        """Counts the rows of a piece; rows outside of the session are not counted."""
        pairs = np.stack([piece.strike, piece.is_call.astype(np.float64)], axis=1)
        unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
        rows = np.array(
            [self.contracts.setdefault((s, bool(c)), len(self.contracts)) for s, c in unique]
        )
        while len(self.contracts) > len(self.present):
            more = np.zeros_like(self.present)
            self.present = np.concatenate([self.present, more])
            self.outside = np.concatenate([self.outside, more])
            self.solved = np.concatenate([self.solved, more])
        bucket = (piece.time - OPEN_MS) // BUCKET
        inside = (bucket >= 0) & (bucket < BUCKETS)
        cells = rows[inverse.ravel()] * BUCKETS + bucket
        outside = inside & piece.out_of_the_money
        kinds = (
            (self.present, inside),
            (self.outside, outside),
            (self.solved, outside & piece.solved),
        )
        for counts, kept in kinds:
            found = np.bincount(cells[kept], minlength=counts.size)
            counts += found.reshape(counts.shape).astype(np.int32)

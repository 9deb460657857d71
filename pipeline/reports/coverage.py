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


@dataclass
class Coverage:
    """Rows of one expiration by contract and bucket of five minutes.

    Attributes:
        contracts: the row of each (strike, is a call).
        counts: of shape (contracts and room for more, 3, buckets): the rows that are there, those
            of them that are out of the money, and those of these that have a volatility.
    """

    contracts: dict[tuple[float, bool], int] = field(default_factory=dict)
    counts: NDArray[np.int32] = field(default_factory=lambda: np.zeros((16, 3, BUCKETS), np.int32))

    def add(self, piece: Piece) -> None:
        """Counts the rows of a piece; rows outside of the session are not counted."""
        pairs = np.stack([piece.strike, piece.is_call.astype(np.float64)], axis=1)
        unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
        rows = np.array(
            [self.contracts.setdefault((s, bool(c)), len(self.contracts)) for s, c in unique]
        )
        while len(self.contracts) > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        bucket = (piece.time - OPEN_MS) // BUCKET
        inside = (bucket >= 0) & (bucket < BUCKETS)
        cells = rows[inverse.ravel()] * BUCKETS + bucket
        outside = inside & piece.out_of_the_money
        for kind, kept in enumerate((inside, outside, outside & piece.solved)):
            found = np.bincount(cells[kept], minlength=len(self.counts) * BUCKETS)
            self.counts[:, kind] += found.reshape(-1, BUCKETS).astype(np.int32)

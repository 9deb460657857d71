"""How far recomputed numbers are off: distributions by Greek, moneyness and days to expiration.

Only counts are kept, so that any number of rows takes the same memory.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from transforms.arrays import Floats, Ints
from transforms.market.clock import EPOCH
from transforms.quality.block import Block

MONEYNESS = ("more than 10% out", "2% to 10% out", "within 2%", "2% to 10% in", "more than 10% in")
"""Where the strike is: how far in or out of the money, in percent of the underlying's price."""
DAYS = ("0", "1 to 6", "7 to 30", "31 to 90", "more than 90")
"""Calendar days to expiration."""

_IN = np.array([-0.10, -0.02, 0.02, 0.10])
_UNTIL = np.array([0, 6, 30, 90])
# Four bins for each power of ten, from a hundred thousandth up to ten million; zero has its own.
_EDGES = 10.0 ** np.arange(-5, 7.25, 0.25)


@dataclass
class _Errors:
    """Of one number in one cell."""

    rows: int = 0
    wrong: int = 0
    largest: float = 0.0
    bins: Ints = field(default_factory=lambda: np.zeros(len(_EDGES) + 1, np.int64))

    def at(self, share: float) -> float:
        """Returns an upper bound of the share's quantile, at most 78 % above it."""
        place = int(np.searchsorted(np.cumsum(self.bins), share * self.rows))
        return min(float(_EDGES[min(place, len(_EDGES) - 1)]), self.largest)


class ErrorBins:
    """Counts the errors of each number, by moneyness and by days to expiration."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int, int], _Errors] = {}

    def add(self, block: Block, name: str, error: Floats, rows: Ints, wrong: Ints) -> None:
        """Takes the errors of one number.

        Args:
            block: the rows.
            name: of the Greek, or `implied_vol`.
            error: of each row of the block, absolute.
            rows: those that count, by their place.
            wrong: those beyond the tolerance.
        """
        cells = _cells_of(block)
        bins = np.searchsorted(_EDGES, error, side="left")
        for cell in np.unique(cells[rows]).tolist():
            inside = rows[cells[rows] == cell]
            errors = self._cells.setdefault((name, *divmod(cell, len(DAYS))), _Errors())
            errors.rows += len(inside)
            errors.wrong += int(np.count_nonzero(cells[wrong] == cell))
            errors.largest = max(errors.largest, float(error[inside].max()))
            errors.bins += np.bincount(bins[inside], minlength=len(_EDGES) + 1)

    def describe(self) -> list[dict[str, Any]]:
        """Returns a line for each number and cell that has rows, JSON-ready.

        `median` and `p99` are upper bounds, at most 78 % too large; `max` is exact.
        """
        return [
            {"name": name, "moneyness": MONEYNESS[moneyness], "days": DAYS[days]} | _line(errors)
            for (name, moneyness, days), errors in self._cells.items()
        ]

    def total(self) -> list[dict[str, Any]]:
        """Returns a line for each number over all cells, JSON-ready."""
        sums: dict[str, _Errors] = {}
        for (name, _, _), errors in self._cells.items():
            total = sums.setdefault(name, _Errors())
            total.rows += errors.rows
            total.wrong += errors.wrong
            total.largest = max(total.largest, errors.largest)
            total.bins += errors.bins
        return [{"name": name} | _line(errors) for name, errors in sums.items()]


def _line(errors: _Errors) -> dict[str, Any]:
    return {
        "rows": errors.rows,
        "wrong": errors.wrong,
        "median": round(errors.at(0.5), 7),
        "p99": round(errors.at(0.99), 7),
        "max": round(errors.largest, 7),
    }


def _cells_of(block: Block) -> Ints:
    spot = np.where(block["underlying_price"] > 0, block["underlying_price"], np.nan)
    inside = np.where(block.is_call, 1, -1) * (1 - block["strike"] / spot)
    days = block.expiration.toordinal() - EPOCH - block.day
    moneyness = np.searchsorted(_IN, np.nan_to_num(inside), side="right")
    return np.asarray(moneyness * len(DAYS) + np.searchsorted(_UNTIL, days, side="left"))

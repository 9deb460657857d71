"""Which formulas a file's Greeks are by: the textbook's, or those from before late in 2025."""

from dataclasses import dataclass, field

import numpy as np

from transforms.arrays import Flags, Ints
from transforms.audit.printed import PRINTED, range_of
from transforms.audit.recomputed import Recomputed
from transforms.pricing.black_scholes import Terms
from transforms.pricing.older_formulas import OLDER
from transforms.quality.block import Block


@dataclass
class Formulas:
    """Finds out which formulas the Greeks of one file are by, Greek by Greek.

    The switch is a fact of an answer, not of its trade dates: an old date that is fetched today
    has today's formulas. A row tells the two apart where its number can be by one of them only;
    the file's Greek is by the older one if more rows are, of those seen so far.
    """

    _older: dict[str, int] = field(default_factory=dict)
    _textbook: dict[str, int] = field(default_factory=dict)

    def explained(
        self, block: Block, ours: Recomputed, outside: dict[str, Ints]
    ) -> dict[str, Ints]:
        """Returns the rows of each Greek that are wrong by the textbook and right by the older one.

        A Greek that the file has by the textbook's formula is not there.

        Args:
            block: rows of the file.
            ours: the recomputation of them.
            outside: the rows beyond the tolerance, by Greek.
        """
        explained = {}
        for name in OLDER:
            if name not in outside:
                continue
            older = _by_older(block, ours, name)
            beyond = np.zeros(len(block), np.bool_)
            beyond[outside[name]] = True
            by_older = np.flatnonzero(beyond & older)
            by_textbook = np.count_nonzero(ours.solved & ~beyond & ~older)
            self._older[name] = self._older.get(name, 0) + len(by_older)
            self._textbook[name] = self._textbook.get(name, 0) + by_textbook
            if len(by_older) and self._older[name] > self._textbook[name]:
                explained[name] = by_older
        return explained


def _by_older(block: Block, ours: Recomputed, name: str) -> Flags:
    """Returns which rows are as the older formula has them, at some volatility of their digits.

    And at some rate within the doubt.
    """
    low, high = range_of(block[name])
    first, last = range_of(block["implied_vol"])
    volatility = np.maximum(np.stack([first, ours.volatility, last])[:, None], 1e-6)
    rate = ours.rate + ours.doubt * np.array([-1, 0, 1])[:, None]
    spot, strike = block["underlying_price"], block["strike"]
    terms = Terms(spot, strike, ours.years, rate, volatility, block.is_call, ours.dividend_yield)
    values = OLDER[name](terms)
    least, most = values.min(axis=(0, 1)) - PRINTED / 2, values.max(axis=(0, 1)) + PRINTED / 2
    return np.asarray(ours.solved & (low <= most) & (high >= least))

"""The statistics of a block of rows, which are no findings by themselves."""

from collections.abc import Iterator

import numpy as np

from transforms.arrays import Flags
from transforms.quality.block import Block

STALE_MS = 300_000
"""The age beyond which an underlying's price is stale."""


def counted(block: Block) -> Iterator[tuple[str, int]]:
    """Yields the number of rows of each statistic.

    The names are those of the statistics: `unsolved_iv` (0), `no_price` (iv_error 100),
    `zero_greeks`, `zero_bids`, `empty_quotes` (bid and ask 0), `crossed_quotes`, `locked_quotes`
    and `stale_underlying`.
    """

    def count(mask: Flags) -> int:
        return int(np.count_nonzero(mask))

    if "implied_vol" in block.names:
        yield "unsolved_iv", count(block["implied_vol"] == 0)
    if "iv_error" in block.names:
        yield "no_price", count(block["midpoint"] == 0 if block.three else block["iv_error"] >= 100)
    if block.greeks:
        yield "zero_greeks", len(block.all_zero)
    if {"bid", "ask"} <= block.names:
        bid, ask = block["bid"], block["ask"]
        yield "zero_bids", count(bid == 0)
        yield "empty_quotes", count((bid == 0) & (ask == 0))
        yield "crossed_quotes", count(bid > ask)
        yield "locked_quotes", count((bid == ask) & (bid > 0))
    if "underlying_timestamp" in block.names and not block.daily:
        yield "stale_underlying", count(block.age > STALE_MS)


def error_of(block: Block) -> tuple[int, float, float]:
    """Returns of the rows that have a price and a volatility how many there are.

    And the sum and the most of the absolute values of their `iv_error`. Where that is a mean of
    three, each must have both.
    """
    if {"iv_error", "implied_vol"} <= block.names:
        error = np.abs(block["iv_error"])
        solved = (error < 100) & (block["implied_vol"] > 0)
        if block.three:
            for side in ("bid", "ask"):
                solved &= (block[side] > 0) & (block[f"{side}_implied_vol"] > 0)
        error = error[solved]
        if len(error):
            return len(error), float(error.sum()), float(error.max())
    return 0, 0.0, 0.0

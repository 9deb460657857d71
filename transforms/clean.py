"""Blocks of rows in which there is nothing to find, as most are: looked at by compiled code."""

from datetime import date
from functools import lru_cache

import numpy as np

from transforms import compiled
from transforms.block import Block
from transforms.conventions import SOLVER_TOLERANCE
from transforms.early_closes import OPEN_MS, close_ms
from transforms.offsets import EPOCH
from transforms.presence import DAY_MS, Ints
from transforms.quality_rules import (
    AHEAD_MS,
    AT_THE_MONEY,
    LAST_MS,
    MOST_RATE,
    SETTLED_MS,
    STALE_MS,
)

_NUMBERS = ("strike", "bid", "ask", "implied_vol", "iv_error", "underlying_price")
_NEEDED = {*_NUMBERS, "underlying_timestamp"}
_KINDS = {"delta": "d", "gamma": "p", "vega": "p"}
_BOUNDS = (
    *(OPEN_MS, SETTLED_MS, LAST_MS, STALE_MS, AHEAD_MS),
    *(MOST_RATE, AT_THE_MONEY, 2 * SOLVER_TOLERANCE),
)


def counts_if_clean(block: Block) -> dict[str, int] | None:
    """Returns what `quality_rules.counted` yields, if `quality_rules.found` yields nothing.

    None where a row breaks a rule or comes near to it, where columns or numbers are missing, at the
    end of a day, and where the clocks change: then the rules themselves must look.
    """
    if not compiled.THERE or block.daily or block.offset is None or not block.names >= _NEEDED:
        return None
    low, high = (int(end) // DAY_MS for end in (block.time.min(), block.time.max()))
    middle = block["midpoint"] if "midpoint" in block.names else None
    greeks = block.greeks
    counts = compiled.count_clean(
        len(block),
        (*(block[name] for name in _NUMBERS), middle),
        block.is_call,
        block.instant,
        block.columns["underlying_timestamp"],
        (
            "".join(_KINDS.get(name, " ") for name in greeks).encode(),
            tuple(block[name] for name in greeks),
        ),
        (
            low,
            block.expiration.toordinal() - EPOCH,
            block.offset,
            block.annual_dividend,
            _closes(low, high),
        ),
        _BOUNDS,
    )
    if counts is None:
        return None
    unsolved, no_price, zero_greeks, zero_bids, empty, locked, stale = counts
    zeros = {"zero_greeks": zero_greeks} if greeks else {}
    return {
        "unsolved_iv": unsolved,
        "no_price": no_price,
        **zeros,
        "zero_bids": zero_bids,
        "empty_quotes": empty,
        "crossed_quotes": 0,
        "locked_quotes": locked,
        "stale_underlying": stale,
    }


@lru_cache(maxsize=64)
def _closes(first: int, last: int) -> Ints:
    """Returns when trading ends on each of some dates, in days since 1970."""
    days = range(first, last + 1)
    return np.array([close_ms(date.fromordinal(EPOCH + day)) for day in days], np.int64)

"""Blocks of rows in which there is nothing to find, as most are: looked at by compiled code."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from transforms.market.calendar import OPEN_MS, closing_time
from transforms.market.clock import DAY_MS, EPOCH
from transforms.native import compiled
from transforms.pricing.conventions import SOLVER_TOLERANCE
from transforms.quality.block import NUMBERS, TIMES, Block
from transforms.quality.presence import Ints
from transforms.quality.rules import (
    AHEAD_MS,
    AT_THE_MONEY,
    LAST_MS,
    MOST_RATE,
    SETTLED_MS,
    STALE_MS,
)
from transforms.quality.time_runs import Runs
from transforms.schema import ALL_GREEKS

_NUMBERS = ("strike", "bid", "ask", "implied_vol", "iv_error", "underlying_price")
_NEEDED = {*_NUMBERS, "underlying_timestamp"}
_KNOWN = {*NUMBERS, *TIMES, "right"}
_GREEKS = {*ALL_GREEKS}
_KINDS = {"delta": "d", "gamma": "p", "vega": "p"}
_BOUNDS = (
    *(OPEN_MS, SETTLED_MS, LAST_MS, STALE_MS, AHEAD_MS),
    *(MOST_RATE, AT_THE_MONEY, 2 * SOLVER_TOLERANCE),
)


@dataclass(frozen=True)
class Clean:
    """What a block of rows tells in which there is nothing to find.

    Attributes:
        counts: what `rules.counted` yields.
        error: of the rows that have a price and a volatility: how many, and the sum and the most of
            the absolute values of `iv_error`.
        runs: the rows as `Presence` keeps them; None if it was not asked for.
    """

    counts: dict[str, int]
    error: tuple[int, float, float]
    runs: Runs | None


class CleanLook:
    """Looks at blocks of rows, and at the runs in which their times follow one another."""

    def __init__(self) -> None:
        self._room = np.empty(0, np.int64)

    def at(self, block: Block, step: int) -> Clean | None:
        """Returns what a block tells, if `rules.found` finds nothing in it.

        None where a row breaks a rule or comes near to it, where columns or numbers are missing,
        where there is one row for a day, and where the clocks change: then the rules themselves
        must look.

        Args:
            block: at least one row.
            step: between two times of a run in milliseconds, at most a day; 0 for no runs.
        """
        if not compiled.THERE or block.daily or block.offset is None:
            return None
        if not _NEEDED <= block.names <= _KNOWN or _GREEKS & block.names != {*block.greeks}:
            return None
        rows = len(block)
        if step and len(self._room) < 3 * rows:
            self._room = np.empty(3 * rows, np.int64)
        first, last = ((end + block.offset) // DAY_MS for end in block.ends)
        greeks = block.greeks
        told = compiled.look(
            rows,
            (
                *(block[name] for name in _NUMBERS),
                block["midpoint"] if "midpoint" in block.names else None,
            ),
            block.is_call,
            block.instant,
            block.columns["underlying_timestamp"],
            (
                "".join(_KINDS.get(name, " ") for name in greeks).encode(),
                tuple(block[name] for name in greeks),
            ),
            (
                first,
                block.expiration.toordinal() - EPOCH,
                block.offset,
                block.annual_dividend,
                _closes(first, last),
            ),
            _BOUNDS,
            step,
            self._room,
        )
        if told is None:
            return None
        counts, error, count = told
        runs = None
        if step:
            runs = Runs(*(self._room[n * rows : n * rows + count].copy() for n in range(3)))
        return Clean(_named(counts, greeks), error, runs)


def _named(counts: tuple[int, ...], greeks: list[str]) -> dict[str, int]:
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
    return np.array([closing_time(date.fromordinal(EPOCH + day)) for day in days], np.int64)

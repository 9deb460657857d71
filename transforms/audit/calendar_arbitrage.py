"""Two expirations of one strike: the later one must not cost less than the earlier one fetches.

Held of each expiration and trade date: the quotes at every half hour, 40 bytes for each, and no
more than `MOST_QUOTES` in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import EPOCH
from transforms.quality.block import Block, code_of, contract

MOST_QUOTES = 1 << 21
_EVERY_MS = 30 * 60_000
# What a year's interest and dividends of 6 % may make of half a strike: both options are out of
# the money, and no delta is above a half.
_CARRY = 0.03


@dataclass(frozen=True)
class Cheaper:
    """A later expiration that costs less than an earlier one fetches.

    Attributes:
        symbol: the root.
        columns: of the rows, as it was added.
        expiration: the later one.
        earlier: the earlier one.
        strike: of both.
        right: of both.
        day: the trade date, as days since 1970-01-01.
        clock: the time of day, in milliseconds since midnight, New York time.
        ask: of the later one.
        bid: of the earlier one.
    """

    symbol: str
    columns: str
    expiration: date
    earlier: date
    strike: float
    right: str
    day: int
    clock: int
    ask: float
    bid: float


@dataclass
class _Slice:
    """An expiration's quotes on one trade date, by a key of contract and time of day."""

    expiration: date
    key: Ints
    bid: Floats
    ask: Floats
    out: Flags


@dataclass
class Calendars:
    """Keeps quotes of every expiration, and compares neighbours.

    Attributes:
        held: quotes kept.
        full: some were left out, for there were too many.
    """

    held: int = 0
    full: bool = False
    _slices: dict[tuple[str, str, int], list[_Slice]] = field(default_factory=dict)

    def add(self, block: Block, symbol: str, columns: str = "") -> None:
        """Takes rows of one expiration and trade date; those of the same columns are compared."""
        clock = np.full(len(block), CLOSE_MS) if block.daily else block.clock
        rows = np.flatnonzero(clock % _EVERY_MS == 0)
        if self.held + len(rows) > MOST_QUOTES:
            self.full = True
            return
        if not len(rows):
            return
        self.held += len(rows)
        strike, spot = block["strike"][rows], block["underlying_price"][rows]
        call = block.is_call[rows]
        key = code_of(strike, call) * 48 + clock[rows] // _EVERY_MS
        out = np.where(call, strike >= spot, strike <= spot)
        piece = _Slice(block.expiration, key, block["bid"][rows], block["ask"][rows], out)
        self._slices.setdefault((symbol, columns, int(block.day[0])), []).append(piece)

    def compared(self) -> Iterator[Cheaper]:
        """Yields the findings, by symbol and trade date."""
        for key, pieces in sorted(self._slices.items(), key=lambda pair: pair[0]):
            symbol, columns, day = key
            pieces.sort(key=lambda piece: piece.expiration)
            for near, far in pairwise(pieces):
                yield from _cheaper((symbol, columns), day, near, far)


def _cheaper(of: tuple[str, str], day: int, near: _Slice, far: _Slice) -> Iterator[Cheaper]:
    days = (far.expiration - near.expiration).days
    if not days or near.expiration.toordinal() - EPOCH == day:
        # On the day of expiration what is left is a question of hours.
        return
    keys, a, b = np.intersect1d(near.key, far.key, return_indices=True)
    strike = keys // 48 // 2 / 1000
    profit = near.bid[a] - far.ask[b] - 0.01 - _CARRY * strike * days / 365
    bad = (profit > 0) & (far.ask[b] > 0) & near.out[a] & far.out[b]
    for n in np.flatnonzero(bad).tolist():
        code, half_hour = divmod(int(keys[n]), 48)
        yield Cheaper(
            *of,
            far.expiration,
            near.expiration,
            *contract(code),
            day,
            half_hour * _EVERY_MS,
            float(far.ask[b][n]),
            float(near.bid[a][n]),
        )

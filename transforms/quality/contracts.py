"""Which contracts each trade date has: both rights, and no more strikes than were requested."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.market.clock import DAY_MS
from transforms.quality.block import Block, code_of
from transforms.quality.presence import Spots


@dataclass
class _Rights:
    code: int
    calls: int = 0
    puts: int = 0


class Rights:
    """Counts the calls and the puts of each trade date."""

    def __init__(self) -> None:
        self._days: dict[int, _Rights] = {}

    def add(self, block: Block) -> None:
        """Takes the next rows."""
        for day, rows in _days(block):
            if day not in self._days:
                place = 0 if rows is None else int(np.argmax(rows))
                one = slice(place, place + 1)
                self._days[day] = _Rights(int(code_of(block["strike"][one], block.is_call[one])[0]))
            calls = block.is_call if rows is None else block.is_call[rows]
            count = int(np.count_nonzero(calls))
            self._days[day].calls += count
            self._days[day].puts += len(calls) - count

    def finish(self) -> Spots:
        """Returns the trade dates with one right only, counted in rows."""
        spots = Spots()
        for day, rights in sorted(self._days.items()):
            if rights.calls and rights.puts:
                continue
            figures = {"calls": rights.calls, "puts": rights.puts}
            spots.add(sum(figures.values()), [(rights.code, day * DAY_MS, figures)])
        return spots


@dataclass
class _Strikes:
    strike: Floats = field(default_factory=lambda: np.empty(0))
    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    low: float = np.inf
    high: float = -np.inf


class StrikeRange:
    """Finds the strikes of each trade date that `strike_range` does not ask for.

    ThetaData serves so many strikes above the underlying's price, as many below, and the nearest
    one. Which price of a day that is, is not documented. So the strikes between the least and the
    greatest of the day may all be those asked for, and outside of them so many, and one more that
    may be the nearest one; and there are never more than twice as many and one.

    Args:
        strikes: above the underlying's price, and below it.
        daily: there is one row for each contract and trade date. Those of a month are one answer,
            whose strikes may have been chosen by the price of another of its dates.
    """

    def __init__(self, strikes: int, *, daily: bool) -> None:
        self._strikes, self._daily = strikes, daily
        self._days: dict[int, _Strikes] = {}

    def add(self, block: Block) -> None:
        """Takes the next rows, with their `underlying_price` where they have one."""
        for day, rows in _days(block):
            known = self._days.setdefault(day, _Strikes())
            strike = block["strike"]
            price = block["underlying_price"] if "underlying_price" in block.names else strike[:0]
            if rows is not None:
                strike, price = strike[rows], price[rows] if len(price) else price
            found, counts = np.unique(strike, return_counts=True)
            known.strike, places = np.unique(np.append(known.strike, found), return_inverse=True)
            both = np.append(known.rows, counts)
            known.rows = np.bincount(places, both, len(known.strike)).astype(np.int64)
            price = price[price > 0]
            known.low = min(known.low, float(price.min(initial=np.inf)))
            known.high = max(known.high, float(price.max(initial=-np.inf)))

    def finish(self) -> Spots:
        """Returns the trade dates with other strikes, counted in the rows of those.

        Its places are the strike that is furthest away, with the trade date's number of `strikes`.
        """
        spots = Spots()
        for day, known in sorted(self._days.items()):
            if not len(others := self._others(known)):
                continue
            code = int(code_of(known.strike[others[:1]], np.ones(1, np.bool_))[0])
            place = (code, day * DAY_MS, {"strikes": len(known.strike)})
            spots.add(int(known.rows[others].sum()), [place])
        return spots

    def _others(self, known: _Strikes) -> Ints:
        """Returns the places of the strikes that were not asked for, the furthest first."""
        strike, most = known.strike, 2 * self._strikes + 1
        if known.low > known.high:  # no row has a price
            return np.arange(len(strike))[most:][::-1]
        away = np.maximum(known.low - strike, strike - known.high).clip(0)
        nearest = np.lexsort((np.abs(strike - (known.low + known.high) / 2), away))
        kept = np.zeros(len(strike), np.bool_)
        kept[nearest[:most]] = True
        if not self._daily:
            below, above = np.flatnonzero(strike < known.low), np.flatnonzero(strike > known.high)
            kept[below[: -self._strikes - 1]] = kept[above[self._strikes + 1 :]] = False
        return nearest[~kept[nearest]][::-1]


def _days(block: Block) -> Iterator[tuple[int, Flags | None]]:
    """Yields each date of a block and which rows are of it; None for all."""
    if block.only_day is not None:
        yield block.only_day, None
        return
    for day in np.unique(block.day).tolist():
        yield day, block.day == day

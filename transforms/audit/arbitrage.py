"""What quotes of one expiration must not allow: riskless profit between contracts.

Everything is said of bids and asks, so that it could be traded: buy at the ask, sell at the bid.
Rows of one trade date are held at once: 60 bytes for each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import DAY_MS, EPOCH
from transforms.market.exercise import EUROPEAN
from transforms.quality.block import Block
from transforms.quality.rules import Violations
from transforms.quality.time_runs import begins

_PENNY = 0.005
_RATE = 0.10
_NEAR = 0.10  # of the underlying's price: strikes that the forward is fitted to
_LEAST = 4
_SHOWN = ("bid", "ask", "underlying_price")


@dataclass(frozen=True)
class Parity:
    """What calls and puts imply together.

    Attributes:
        rate: per year, the median over the times of day.
        rate_spread: from the median to the quartiles, on average: little says that it is sharp.
        dividend_yield: per year, likewise.
        dividend_spread: likewise.
        times: so many times of day had enough strikes.
    """

    rate: float
    rate_spread: float
    dividend_yield: float
    dividend_spread: float
    times: int


@dataclass
class _Quotes:
    """Rows by time, right (calls first) and strike."""

    place: Ints  # in the block
    time: Ints
    call: Flags
    strike: Floats
    bid: Floats
    ask: Floats

    @classmethod
    def of(cls, block: Block) -> "_Quotes":
        # A day that has ended has one quote a contract, whenever that last traded.
        time = block.day * DAY_MS + CLOSE_MS if block.daily else block.time
        call, strike = block.is_call, block["strike"]
        order = np.lexsort((strike, ~call, time))
        order = order[begins(time[order], call[order], strike[order])]
        quotes = (block["bid"][order], block["ask"][order])
        return cls(order, time[order], call[order], strike[order], *quotes)

    def together(self, many: int) -> Ints:
        """Returns where `many` neighbours are of one time and right: the first one's place."""
        last = len(self.place) - many + 1
        if last < 1:
            return np.zeros(0, np.int64)
        same = (self.time[many - 1 :] == self.time[:last]) & (
            self.call[many - 1 :] == self.call[:last]
        )
        return np.flatnonzero(same)


def arbitrage(block: Block, symbol: str) -> tuple[list[Violations], Parity | None]:
    """Returns what the quotes of one expiration and trade date allow, and what parity implies.

    - monotonicity: of two neighbouring strikes, the one that must be worth more costs less than
      the other one fetches; or the two differ by more than their strikes do.
    - convexity: of three neighbouring strikes, the two outer ones, in the right proportion, cost
      less than the middle one fetches.
    - put_call_parity: buying a call and selling a put, or the other way round, differs from the
      forward that the whole expiration implies by more than the spreads, a basis point of the
      underlying, two cents, and what the line through the strikes near the money may be off if
      each of its points is half its spread off, all to the worse. Options that can be exercised
      early may differ by a year's interest of 10 % for the time left.

    Args:
        block: rows with bid, ask and underlying_price.
        symbol: the root.
    """
    quotes = _Quotes.of(block)
    parity, mispriced = _parity(block, quotes, symbol)
    return [*_vertical(quotes), *_butterflies(quotes), *mispriced], parity


def _found(rule: str, places: Ints, profit: Floats) -> Iterator[Violations]:
    if len(places):
        order = np.argsort(places, kind="stable")
        yield Violations(rule, places[order], profit[order], _SHOWN)


def _vertical(q: _Quotes) -> Iterator[Violations]:
    n = q.together(2)
    call = q.call[n]
    # dear: the one that must be worth more; a call's lower strike, a put's higher one.
    dear, cheap = np.where(call, n, n + 1), np.where(call, n + 1, n)
    profit = np.maximum(
        np.where(q.ask[dear] > 0, q.bid[cheap] - q.ask[dear], -1),
        np.where(
            q.ask[cheap] > 0, q.bid[dear] - q.ask[cheap] - (q.strike[n + 1] - q.strike[n]), -1
        ),
    )
    bad = profit > _PENNY
    yield from _found("monotonicity", q.place[cheap[bad]], profit[bad])


def _butterflies(q: _Quotes) -> Iterator[Violations]:
    n = q.together(3)
    low, middle, high = q.strike[n], q.strike[n + 1], q.strike[n + 2]
    share = (high - middle) / (high - low)
    cost = share * q.ask[n] + (1 - share) * q.ask[n + 2]
    profit = np.where((q.ask[n] > 0) & (q.ask[n + 2] > 0), q.bid[n + 1] - cost, -1)
    bad = profit > _PENNY
    yield from _found("convexity", q.place[n[bad] + 1], profit[bad])


def _parity(block: Block, q: _Quotes, symbol: str) -> tuple[Parity | None, list[Violations]]:
    _, moment = np.unique(q.time, return_inverse=True)
    key = (moment.astype(np.int64) << 34) + np.rint(q.strike * 1000).astype(np.int64)
    calls, puts = np.flatnonzero(q.call), np.flatnonzero(~q.call)
    _, a, b = np.intersect1d(key[calls], key[puts], return_indices=True)
    c, p = calls[a], puts[b]
    spot = block["underlying_price"][q.place[c]]
    quoted = (q.bid[c] > 0) & (q.bid[p] > 0) & (spot > 0)
    c, p, spot = c[quoted], p[quoted], spot[quoted]
    if not len(c):
        return None, []
    strike = q.strike[c]
    low, high = q.bid[c] - q.ask[p], q.ask[c] - q.bid[p]
    margin = 0.02 + 1e-4 * spot
    years = _years(block, q.time[c])
    if symbol not in EUROPEAN:
        margin = margin + _RATE * strike * years
    times, group = np.unique(q.time[c], return_inverse=True)
    fitted = np.abs(strike / spot - 1) < _NEAR
    for _ in range(3):
        line = _lines(strike, (low + high) / 2, high - low, group, fitted, len(times))
        discount, forward = line.discount, line.forward
        fair = discount[group] * (forward[group] - strike)
        off = np.maximum(low - fair, fair - high) - line.doubt(strike, group)
        # What does not fit the others must not bend their line.
        fitted &= np.isfinite(off) & (off <= margin)
    bad = np.isfinite(off) & (off > margin)
    found = list(_found("put_call_parity", q.place[c[bad]], off[bad]))
    left = np.zeros(len(times))
    left[group] = years
    known = np.isfinite(discount) & (discount > 0) & (forward > 0) & (left > 1 / 365)
    if not known.any():
        return None, found
    spots = np.zeros(len(times))
    spots[group] = spot
    rate = -np.log(discount[known]) / left[known]
    dividends = rate - np.log(forward[known] / spots[known]) / left[known]
    return Parity(*_middle(rate), *_middle(dividends), len(rate)), found


def _middle(values: Floats) -> tuple[float, float]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(middle), float(high - low) / 2


@dataclass(frozen=True)
class _Lines:
    """A line of each time: call minus put against the strike; NaN where too few determine it."""

    discount: Floats
    forward: Floats
    middle: Floats  # strike
    level_doubt: Floats  # what the line may be off there
    slope_doubt: Floats

    def doubt(self, strike: Floats, group: Ints) -> Floats:
        """Returns what its time's line may be off at each strike."""
        away = np.abs(strike - self.middle[group])
        return np.asarray(self.level_doubt[group] + away * self.slope_doubt[group])


def _lines(x: Floats, y: Floats, spread: Floats, group: Ints, used: Flags, groups: int) -> _Lines:
    """Returns the line of each time, by least squares, a narrow spread weighing more."""
    weight = np.where(used, 1 / np.maximum(spread, 0.01) ** 2, 0.0)
    n = np.bincount(group, weight, groups)
    middle = np.bincount(group, weight * x, groups) / n.clip(1e-12)
    x = x - middle[group]

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(group, weight * values, groups), np.float64)

    sxx = total(x * x)
    enough = (np.bincount(group, used, groups) >= _LEAST) & (sxx > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        discount = np.where(enough, -total(x * y) / sxx, np.nan)
        forward = np.where(enough, total(y) / n / discount + middle, np.nan)
        off = spread / 2
        return _Lines(discount, forward, middle, total(off) / n, total(np.abs(x) * off) / sxx)


def _years(block: Block, time: Ints) -> Floats:
    """Returns the real time to 16:00 on the expiration date."""
    end = (block.expiration.toordinal() - EPOCH) * DAY_MS + CLOSE_MS
    return np.maximum(end - time, 0) / DAY_MS / 365

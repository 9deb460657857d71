"""The interest rate that ThetaData computed with: it is not in its rows, but they imply it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.audit.printed import PRINTED, range_of
from transforms.pricing.black_scholes import Terms, greeks
from transforms.pricing.conventions import SOLVER_TOLERANCE

_LOWEST, _HIGHEST = -0.5, 1.0  # rates that are looked at
_PLAUSIBLE = (-0.02, 0.25)  # SOFR and treasuries were never outside, nor near it
_USUAL, _STEPS = 0.04, 8
_MOST_ROWS = 1024
_AS_SHARP = 10.0
_OUTLIERS = 0.002
_BASIS_POINT = 1e-4
_LEAST_VOLATILITY = 1e-6
SURE = 2e-5
"""No rate is taken to be known better than this."""


class ImpliedRate(NamedTuple):
    """A rate per year, and by how much it may be off."""

    rate: float
    doubt: float


@dataclass(frozen=True)
class Priced:
    """Rows of one trade date, column by column.

    Attributes:
        price: of the options, in dollars.
        error: `iv_error`; NaN where it is not that of this price.
        spot: of the underlying.
        strike: of the options.
        years: to expiration.
        volatility: `implied_vol`.
        is_call: true for a call.
        dividend_yield: of the underlying.
    """

    price: Floats
    error: Floats
    spot: Floats
    strike: Floats
    years: Floats
    volatility: Floats
    is_call: Flags
    dividend_yield: Floats

    @classmethod
    def of(cls, parts: Sequence["Priced"]) -> "Priced":
        """Returns the rows of several."""
        return cls(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))

    def pick(self, rows: Ints) -> "Priced":
        """Returns some of the rows."""
        return Priced(*(column[rows] for column in vars(self).values()))


def is_plausible(rate: ImpliedRate) -> bool:
    """Returns whether a rate may be one that SOFR or a treasury ever had."""
    low, high = _PLAUSIBLE
    return rate.rate + rate.doubt >= low and rate.rate - rate.doubt <= high


def vendor_rate(rows: Priced) -> ImpliedRate | None:
    """Returns the rate at which the rows' own volatilities give their own prices, per year.

    Each row allows a range of rates: those at which some volatility that is printed as its own is
    worth its price, as nearly as `iv_error` and the solver's tolerance demand. The answer is what
    the rows that determine it best have in common; one row, and 0.2 % of them, may be left out.
    Rows that err alike, such as those of a quote that stands for hours, make it no surer.

    ThetaData's rates are published in basis points (SOFR as 4.82 %), so in a range that is no
    wider than two, it is the whole one that is nearest to the middle.

    One number out of thousands of rows: a fit of it can't hide a wrong row, but it can hide a
    wrong rate. Compare it with the SOFR of that date.

    Returns:
        None if no row has a volatility and a price.
    """
    priced = (rows.price > 0) & (rows.volatility > 0) & (rows.spot > 0) & (rows.strike > 0)
    finite = np.isfinite(rows.price + rows.spot + rows.volatility + rows.strike)
    x = rows.pick(np.flatnonzero(priced & finite))
    if not len(x.price):
        return None
    low, high = _ranges(x.pick(_sharpest(x)))
    some = (low <= high) & (low < _HIGHEST - 1e-6) & (high > _LOWEST + 1e-6)
    found = agreed(low[some], high[some])
    if found is None:
        return None
    low_, high_ = found
    if max(low_, _PLAUSIBLE[0]) < min(high_, _PLAUSIBLE[1]):
        low_, high_ = max(low_, _PLAUSIBLE[0]), min(high_, _PLAUSIBLE[1])
    rate = (low_ + high_) / 2
    whole = round(round(rate / _BASIS_POINT) * _BASIS_POINT, 4)
    if high_ - low_ <= 2 * _BASIS_POINT and low_ - SURE <= whole <= high_ + SURE:
        rate = whole
    return ImpliedRate(rate, max(rate - low_, high_ - rate, SURE))


def agreed(low: Floats, high: Floats) -> tuple[float, float] | None:
    """Returns the range that most of some ranges have in common, all but one and 0.2 % of them.

    None if there is no range at all.
    """
    if not len(low):
        return None
    ends = np.concatenate([low, high])
    order = np.lexsort((np.repeat([0, 1], len(low)), ends))
    ends, change = ends[order], np.repeat([1, -1], len(low))[order]
    covered = np.cumsum(change)
    best = int(covered.argmax())
    enough = max(covered[best] - 1 - int(_OUTLIERS * covered[best]), 1)
    fewer = np.flatnonzero(covered < enough)
    place = int(np.searchsorted(fewer, best))
    first = int(fewer[place - 1]) + 1 if place else 0
    return float(ends[first]), float(ends[fewer[place]])


def narrowed(rate: ImpliedRate, other: ImpliedRate, margin: float = 0.0) -> ImpliedRate:
    """Returns what a rate may be, if it is another one, or within `margin` of it.

    Unchanged where that can't be.
    """
    low = max(rate.rate - rate.doubt, other.rate - other.doubt - margin)
    high = min(rate.rate + rate.doubt, other.rate + other.doubt + margin)
    if low > high:
        return rate
    return ImpliedRate((low + high) / 2, max((high - low) / 2, SURE))


def _sharpest(x: Priced) -> Ints:
    """Returns the rows that determine the rate best, one of those with the same digits."""
    sensitivity = greeks(
        x.spot, x.strike, x.years, 0.04, x.volatility, x.is_call, x.dividend_yield, ("vega", "rho")
    )
    rho = np.maximum(np.abs(sensitivity["rho"]), 1e-9)
    worth = np.minimum(x.price * PRINTED, SOLVER_TOLERANCE)
    doubt = (np.abs(sensitivity["vega"]) * PRINTED + worth + 1e-6) / rho
    order = np.argsort(doubt, kind="stable")
    contract = np.rint(x.strike * 1000).astype(np.int64) * 2 + x.is_call
    cents, digits = np.rint(x.price * 100).astype(np.int64), np.rint(x.volatility / PRINTED)
    same = (contract * 100_003 + cents) * 1_000_003 + digits.astype(np.int64)
    _, first = np.unique(same[order], return_index=True)
    best = order[np.sort(first)[:_MOST_ROWS]]
    # Vague rows would outvote the few that determine it.
    return np.asarray(best[doubt[best] <= _AS_SHARP * doubt[best[min(15, len(best) - 1)]]])


def _ranges(x: Priced) -> tuple[Floats, Floats]:
    """Returns the least and the greatest rate that each row allows, of those that are looked at.

    Where it allows none, both are at one end of these, or the least is above the greatest.
    """
    least, most = worth_of(x.price, x.error)
    v_low, v_high = range_of(x.volatility)
    # A call is worth the more, the higher the rate; a put the less.
    up = _rate_at(x, v_high, least)
    down = _rate_at(x, np.maximum(v_low, _LEAST_VOLATILITY), most)
    return np.where(x.is_call, up, down), np.where(x.is_call, down, up)


def worth_of(price_: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Returns the least and the most that the vendor's volatility is worth, in dollars.

    The solver stops within `SOLVER_TOLERANCE` of the price, and `iv_error` says where, unless the
    two contradict each other.
    """
    low, high = price_ - SOLVER_TOLERANCE, price_ + SOLVER_TOLERANCE
    least, most = (price_ * (1 + end) for end in range_of(error))
    said = (least <= high) & (most >= low)
    return np.where(said, np.maximum(low, least), low), np.where(said, np.minimum(high, most), high)


def _rate_at(x: Priced, volatility: Floats, worth: Floats) -> Floats:
    """Returns the rate at which each volatility is worth so much, or the nearest to it.

    By Newton's steps, and by half of what is left where one would leave it.
    """
    low, high = np.full_like(worth, _LOWEST), np.full_like(worth, _HIGHEST)

    def too_high(rate: Floats) -> tuple[Floats, Floats]:
        """Returns by how much the rate is too high, in the option's dollars, and per its unit."""
        terms = Terms(x.spot, x.strike, x.years, rate, volatility, x.is_call, x.dividend_yield)
        return terms.sign * (terms.value - worth), x.strike * x.years * terms.discount * terms.n2

    below, above = too_high(low)[0] > 0, too_high(high)[0] <= 0
    rate = np.full_like(worth, _USUAL)
    for _ in range(_STEPS):
        off, slope = too_high(rate)
        low, high = np.where(off > 0, low, rate), np.where(off > 0, rate, high)
        with np.errstate(divide="ignore", invalid="ignore"):  # a price that no rate moves
            near = rate - off / slope
        rate = np.where((near > low) & (near < high), near, (low + high) / 2)
    return np.where(below, _LOWEST, np.where(above, _HIGHEST, rate))

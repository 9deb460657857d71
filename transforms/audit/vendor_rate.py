"""The interest rate that ThetaData computed with: its rows don't tell it, but they imply it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transforms.pricing.black_scholes import Floats, greeks, price
from transforms.pricing.conventions import SOLVER_TOLERANCE

_PRINTED = 1e-4  # numbers are cut to four decimals
_STEPS = 6
_MOST_ROWS = 4096
_BASIS_POINT = 1e-4
_SURE = 2e-5
_WHOLE = 0.35 * _BASIS_POINT  # so near to a whole basis point, it is that one


class ImpliedRate(NamedTuple):
    """A rate per year, and by how much it may be off."""

    rate: float
    doubt: float


@dataclass(frozen=True)
class Priced:
    """Rows of one trade date, column by column.

    Attributes:
        price: of the options, in dollars.
        error: `iv_error` of that price; NaN where it is not known.
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
    is_call: NDArray[np.bool_]
    dividend_yield: Floats

    @classmethod
    def of(cls, parts: Sequence["Priced"]) -> "Priced":
        """Returns the rows of several."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def pick(self, rows: NDArray[np.int64]) -> "Priced":
        """Returns some of the rows."""
        return Priced(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def vendor_rate(rows: Priced) -> ImpliedRate | None:
    """Returns the rate at which the rows' own volatilities give their own prices, per year.

    A row says what its volatility is worth in the model: `price * (1 + iv_error)`. That holds at
    one rate alone, and how sharply depends on the row: the volatility is cut to four decimals,
    the error too, and rho says how much a rate moves the value. The answer is the median over
    the rows, each weighted by its sharpness. ThetaData's rates are published in basis points
    (SOFR as 4.82 %), so an answer that is sure to a third of one, and as near to a whole one, is
    that one. In the last hour, rates hardly matter, and the answer is as vague.

    One number out of thousands of rows: a fit of it can't hide a wrong row, but it can hide a
    wrong rate. Compare it with the SOFR of that date.

    Returns:
        None if no row has a volatility and a price.
    """
    priced = (rows.price > 0) & ~(np.abs(rows.error) >= 1) & (rows.volatility > 0) & (rows.spot > 0)
    finite = np.isfinite(rows.price + rows.spot + rows.volatility + rows.strike)
    x = rows.pick(np.flatnonzero(priced & finite))
    if not len(x.price):
        return None
    sensitivity = greeks(
        x.spot, x.strike, x.years, 0.04, x.volatility, x.is_call, x.dividend_yield, ("vega", "rho")
    )
    doubt = _doubt(x, sensitivity)
    best = _sharpest(x, doubt)
    rate = _solved(x.pick(best))
    best, rate = best[np.isfinite(rate)], rate[np.isfinite(rate)]
    if not len(rate):
        return None
    weights = 1 / doubt[best] ** 2
    low, found, high = _weighted_quartiles(rate, weights)
    many = weights.sum() ** 2 / (weights**2).sum()
    off = max(1.5 * (high - low) / np.sqrt(many), 1.2 / np.sqrt(weights.sum()), _SURE)
    whole = round(round(found / _BASIS_POINT) * _BASIS_POINT, 4)
    if off < _BASIS_POINT / 2:
        # Rows that err alike are fewer than they seem: how far from a whole one tells it.
        off = max(off, abs(found - whole))
        if off < _WHOLE:
            return ImpliedRate(whole, _SURE if off <= _SURE else float(2 * off))
        off = 2 * off
    return ImpliedRate(found, float(off))


def _sharpest(x: Priced, doubt: Floats) -> NDArray[np.int64]:
    """Returns the rows that tell the rate best, one of those whose digits err alike.

    A quote that stands for minutes is thousands of rows of ticks, whose volatilities are cut in
    the same place. So a contract has one row for each price, and for each of its volatilities.
    """
    order = np.argsort(doubt, kind="stable")
    contract = np.rint(x.strike * 1000).astype(np.int64) * 2 + x.is_call
    cents, digits = np.rint(x.price * 100).astype(np.int64), np.rint(x.volatility / _PRINTED)
    same = (contract * 100_003 + cents) * 1_000_003 + digits.astype(np.int64)
    _, first = np.unique(same[order], return_index=True)
    return np.asarray(order[np.sort(first)[:_MOST_ROWS]])


def _solved(x: Priced) -> Floats:
    """Returns the rate that each row implies, by Newton's method."""
    # What is cut is half a unit too low on average.
    volatility = x.volatility + _PRINTED / 2
    error = np.nan_to_num(x.error)
    target = x.price * (1 + error + np.sign(error) * _PRINTED / 2)
    rate = np.full_like(x.price, 0.04)
    for _ in range(_STEPS):
        inputs = (x.spot, x.strike, x.years, rate, volatility, x.is_call, x.dividend_yield)
        rho = greeks(*inputs, names=("rho",))["rho"]
        rho = np.where(np.abs(rho) < 1e-9, np.inf, rho)
        rate = np.clip(rate - (price(*inputs) - target) / rho, -0.5, 1.0)
    return rate


def _doubt(x: Priced, sensitivity: dict[str, Floats]) -> Floats:
    """Returns by how much the rate that a row implies may be off."""
    rho = np.maximum(np.abs(sensitivity["rho"]), 1e-9)
    # An error that is not known may be all that the solver allows, on either side.
    known = np.minimum(x.price * _PRINTED, SOLVER_TOLERANCE)
    worth = np.where(np.isnan(x.error), 2 * SOLVER_TOLERANCE, known)
    return (np.abs(sensitivity["vega"]) * _PRINTED / 2 + worth / 2 + 1e-6) / rho


def _weighted_quartiles(values: Floats, weights: Floats) -> list[float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return [
        float(values[order][np.searchsorted(reached, reached[-1] * share)])
        for share in (0.25, 0.5, 0.75)
    ]

"""Implied volatility as ThetaData finds it: where a bisection stopped; 0 means none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from transforms.arrays import Flags, Floats
from transforms.pricing.black_scholes import floats, normal_cdf, signs
from transforms.pricing.conventions import SOLVER_TOLERANCE as TOLERANCE

_FIRST_GUESS, _FIRST_STEP, _BISECTIONS = 0.5, 0.2, 128
# ThetaData's limit is not known; after 12 doublings the bracket ends at a volatility of 1638,
# beyond any price that a bisection could tell from the asset's own.
_DOUBLINGS = 12


class ImpliedVolatility(NamedTuple):
    """What the solver found, element by element.

    Attributes:
        volatility: per year; 0 where the price has no volatility.
        error: (model value - price) / price, within ±100; without a price 100, or 0 where the
            model's value is 0, too.
    """

    volatility: Floats
    error: Floats


def implied_volatility(
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
) -> ImpliedVolatility:
    """Returns the volatility at which ThetaData's solver stops, and how far off its value is.

    The steps matter, for they show in the answers: 0.5 first; if that is worth too little, the
    upper end of the bracket grows from 0.7 by steps that double (1.1, 1.9, 3.5, …) while the lower
    end stays at 0.5; else the bracket is 0 to 0.5; then up to 128 bisections, until the value is
    less than `TOLERANCE` from the price. So a worthless option far out of the money has 0.5, 0.25
    and so on, and the volatility of penny options is coarse. A price below the discounted
    intrinsic value has none: 0.

    Source: ThetaData's published sample rows, which this reproduces to the printed digit; there is
    no published description.

    Args:
        price: the option's, such as its `midpoint`; 0 for none.
        spot: the price of the underlying, positive.
        strike: positive.
        years: the time to expiration, positive.
        rate: the risk-free rate.
        is_call: true for a call, false for a put.
        dividend_yield: the underlying's.
    """
    arrays = np.broadcast_arrays(
        *floats(price, spot, strike, years, rate, dividend_yield), signs(is_call)
    )
    shape = arrays[0].shape
    p, s, k, t, r, q, sign = (array.ravel() for array in arrays)
    asset = s * np.exp(-q * t)
    cash = k * np.exp(-r * t)
    value = np.maximum(sign * (asset - cash), 0.0)
    volatility = np.zeros_like(p)

    index = np.flatnonzero(p >= value)
    search = _Search(p[index], (sign * asset)[index], (sign * cash)[index], sign[index], t[index])
    found, worth = search.run()
    volatility[index] = found
    value[index] = np.where(found > 0, worth, value[index])

    priced = p > 0
    no_price = np.where(value > 0, 100.0, 0.0)  # nothing is not far from nothing
    error = np.where(priced, (value - p) / np.where(priced, p, 1.0), no_price)
    return ImpliedVolatility(
        volatility.reshape(shape), np.clip(error, -100.0, 100.0).reshape(shape)
    )


def mean_error(bid: ArrayLike, midpoint: ArrayLike, ask: ArrayLike) -> Floats:
    """Returns the `iv_error` of the order `implied_volatility`: the mean of its three solutions'.

    So a bid of 0, whose own error is 100, makes it about 33.

    Source: rows of live Terminals, v3 and v2, beside those of first order for the same quotes.

    Args:
        bid: the error of the bid's volatility, as `implied_volatility` returns it.
        midpoint: likewise, of the middle.
        ask: likewise, of the ask.
    """
    return np.asarray(sum(floats(bid, midpoint, ask)) / 3)


class _Search:
    """One bracketing and bisection over many options; those that are done drop out."""

    def __init__(
        self, price: Floats, asset: Floats, cash: Floats, sign: Floats, years: Floats
    ) -> None:
        """Takes the discounted asset and strike, both times the option's sign."""
        self.volatility = np.zeros_like(price)
        self.worth = np.zeros_like(price)
        self.index = np.arange(len(price))
        self.price, self.asset, self.cash, self.sign = price, asset, cash, sign
        # Times the sign, so that the arguments of N are those of the formula for that sign.
        self.log = sign * np.log(asset / cash)
        self.root_t = np.sqrt(years)

    def _values(self, volatility: Floats) -> Floats:
        deviation = volatility * self.root_t
        middle = self.log / deviation
        deviation *= self.sign * 0.5
        up, down = normal_cdf(middle + deviation), normal_cdf(middle - deviation)
        return np.asarray(self.asset * up - self.cash * down)

    def _keep(self, kept: Flags) -> None:
        for name in ("index", "price", "asset", "cash", "sign", "log", "root_t"):
            setattr(self, name, getattr(self, name).compress(kept))

    def run(self) -> tuple[Floats, Floats]:
        """Returns the volatilities, 0 where none was found, and the values there."""
        guess = np.full_like(self.price, _FIRST_GUESS)
        values = self._values(guess)
        open_ = ~self._record(guess, values)
        self._keep(open_)
        too_low = np.compress(open_, values) < self.price
        low = np.where(too_low, _FIRST_GUESS, 0.0)
        high, bracketed = self._upper_ends(too_low)
        self._keep(bracketed)
        self._bisect(np.compress(bracketed, low), np.compress(bracketed, high))
        return self.volatility, self.worth

    def _record(self, guess: Floats, values: Floats) -> Flags:
        """Stores the volatilities that meet their prices, and returns which those are."""
        hit = np.abs(values - self.price) < TOLERANCE
        where = np.compress(hit, self.index)
        self.volatility[where] = np.compress(hit, guess)
        self.worth[where] = np.compress(hit, values)
        return hit

    def _upper_ends(self, too_low: Flags) -> tuple[Floats, Flags]:
        high = np.full_like(self.price, _FIRST_GUESS)
        pending = too_low.copy()
        end, step = _FIRST_GUESS, _FIRST_STEP
        for _ in range(_DOUBLINGS):
            if not pending.any():
                break
            end, step = end + step, step * 2
            high[pending] = end
            pending &= self._values(high) < self.price
        return high, ~pending

    def _bisect(self, low: Floats, high: Floats) -> None:
        left = len(self.index)
        for _ in range(_BISECTIONS):
            if not left:
                return
            middle = (low + high) / 2
            values = self._values(middle)
            hit = self._record(middle, values)
            below = values < self.price
            low, high = np.where(below, middle, low), np.where(below, high, middle)
            self.price[hit] = np.nan  # is never hit again
            left -= np.count_nonzero(hit)
            # Copying seven arrays pays only once enough of them is dead weight.
            if left < 0.8 * len(self.index):
                open_ = ~np.isnan(self.price)
                self._keep(open_)
                low, high = np.compress(open_, low), np.compress(open_, high)

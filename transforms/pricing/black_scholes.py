"""Vectorised Black-Scholes prices and Greeks, by ThetaData's conventions.

European options on an asset with a continuous dividend yield (Black-Scholes-Merton). What is
particular to ThetaData: `theta` is per calendar day while `vega` and `rho` are per 1.00; time is
counted by `years_to_expiration`; the price of an option is its midpoint truncated to the cent.

Every argument broadcasts against the others. Prices and strikes are in dollars, rates and yields
are continuous and per year (0.05 is 5 %), volatilities are per year and times are in years.

The Greeks are the textbook ones (https://en.wikipedia.org/wiki/Greeks_(finance)). ThetaData's
answers made before late 2025 differ in seven of them: see `older_formulas`.
"""

import math
from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from transforms.arrays import Floats
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import elapsed_days
from transforms.orders.schema import ALL_GREEKS

DAYS_PER_YEAR = 365
CLOSE = CLOSE_MS // 1000
"""Seconds from midnight to the end of trading, New York time: when options are taken to expire."""
_NO_TAIL = -8.3


def years_to_expiration(
    days: ArrayLike, seconds: ArrayLike, expiration: date, version: str = "latest"
) -> Floats:
    """Returns the time to expiration that ThetaData puts into the formulas, in years of 365 days.

    Days are counted from New York's midnight to midnight, each of 24 hours, and cut to whole ones:
    a span across the clock change of March alone has one less than the calendar. From 7 such days
    up, that is all, whatever the time of day. Below:

    - `latest`, v3's default, takes the real time to 16:00 on the expiration date, and at least an
      hour;
    - `1`, which is also v2's rule, takes the whole days, and 0.15 of a day on the expiration date
      itself.

    Sources: the `version` parameter in ThetaData's v3 documentation; the days, from rho divided by
    strike and dual_delta in rows of live Terminals (SPXW on 2026-03-04, expiring on 2026-03-13:
    8.00 days). Not known: what `latest` makes of seven calendar days that are six whole ones, and
    of a clock change within the last week. Here the first is real time, and the second counts.

    Args:
        days: the trade dates, as days since 1970-01-01; none is after the expiration.
        seconds: since midnight, of the quotes, New York time.
        expiration: the date on which the contracts expire.
        version: `latest` or `1`.

    Raises:
        ValueError: there is no such version.
    """
    elapsed = elapsed_days(np.asarray(days), expiration)
    whole = np.floor(elapsed)
    if version == "1":
        near = np.where(whole == 0, 0.15, whole)
    elif version == "latest":
        left = elapsed + (CLOSE - np.asarray(seconds, dtype=np.float64)) / 86400
        near = np.maximum(left, 1 / 24)
    else:
        raise ValueError(f"version {version!r} is neither 'latest' nor '1'")
    return np.where(whole < 7, near, whole) / DAYS_PER_YEAR


def normal_cdf(x: Floats) -> Floats:
    """Returns N(x), and exactly 0 below -8.3, where ThetaData's ½(1+erf(x/√2)) has no digit left.

    Source: rows that far from the money of live Terminals, whose lambda is 0. Published rows 6.6
    deviations from the money have every digit of N.
    """
    return np.where(x > _NO_TAIL, ndtr(x), 0.0)


class Terms:
    """The terms that the formulas share, each computed once and only if one needs it.

    V: value, s: spot, k: strike, v: volatility, t: years, r: rate, q: dividend yield, sign: 1 for
    a call and -1 for a put. The arguments are those of `price`.
    """

    def __init__(
        self,
        spot: ArrayLike,
        strike: ArrayLike,
        years: ArrayLike,
        rate: ArrayLike,
        volatility: ArrayLike,
        is_call: ArrayLike,
        dividend_yield: ArrayLike = 0.0,
    ) -> None:
        self.s, self.k, self.t, self.r = floats(spot, strike, years, rate)
        self.v, self.q = floats(volatility, dividend_yield)
        self.sign = signs(is_call)
        self.root_t = np.sqrt(self.t)
        self.deviation = self.v * self.root_t
        self.grown = np.exp(-self.q * self.t)  # e^(-qT)
        self.discount = np.exp(-self.r * self.t)  # e^(-rT)
        drift = (self.r - self.q) * self.t
        self.d1 = (np.log(self.s / self.k) + drift) / self.deviation + self.deviation / 2
        self.d2 = self.d1 - self.deviation

    @cached_property
    def n1(self) -> Floats:
        """N(±d1)."""
        return normal_cdf(self.sign * self.d1)

    @cached_property
    def n2(self) -> Floats:
        """N(±d2)."""
        return normal_cdf(self.sign * self.d2)

    @cached_property
    def density(self) -> Floats:
        """The normal density at d1."""
        return np.asarray(np.exp(self.d1 * self.d1 * -0.5) / math.sqrt(2 * math.pi))

    @cached_property
    def value(self) -> Floats:
        """The value in dollars."""
        return self.sign * (self.s * self.grown * self.n1 - self.k * self.discount * self.n2)

    @cached_property
    def vega(self) -> Floats:
        """∂V/∂σ."""
        return self.s * self.grown * self.density * self.root_t

    @cached_property
    def gamma(self) -> Floats:
        """∂²V/∂S²."""
        return self.grown * self.density / (self.s * self.deviation)

    @cached_property
    def ultima(self) -> Floats:
        """∂³V/∂σ³."""
        product = self.d1 * self.d2
        squares = self.d1 * self.d1 + self.d2 * self.d2
        return -self.vega / (self.v * self.v) * (product * (1 - product) + squares)


def _theta(x: Terms) -> Floats:
    decay = -x.vega * x.v / (2 * x.t)
    carry = x.q * x.s * x.grown * x.n1 - x.r * x.k * x.discount * x.n2
    return (decay + x.sign * carry) / DAYS_PER_YEAR


def _lambda(x: Terms) -> Floats:
    # Far out of the money the value underflows to 0, and so does delta.
    worth = x.value > 0
    return np.where(worth, x.sign * x.grown * x.n1 * x.s / np.where(worth, x.value, 1), 0.0)


def _charm(x: Terms) -> Floats:
    drift = 2 * (x.r - x.q) * x.t - x.d2 * x.deviation
    return x.grown * (x.sign * x.q * x.n1 - x.density * drift / (2 * x.t * x.deviation))


def _veta(x: Terms) -> Floats:
    return -x.vega * (x.q + (x.r - x.q) * x.d1 / x.deviation - (1 + x.d1 * x.d2) / (2 * x.t))


def _color(x: Terms) -> Floats:
    drift = (2 * (x.r - x.q) * x.t - x.d2 * x.deviation) / x.deviation
    return -x.gamma / (2 * x.t) * (2 * x.q * x.t + 1 + drift * x.d1)


def _dual_gamma(x: Terms) -> Floats:
    # S e^(-qT) φ(d1) = K e^(-rT) φ(d2), which saves a second density.
    return x.gamma * (x.s / x.k) ** 2


# V: value, S: spot, K: strike, σ: volatility, T: time to expiration, t: the date, r: rate,
# q: dividend yield. ∂t = -∂T: charm and theta follow the date, veta and color the time left.
_FORMULAS: dict[str, Callable[[Terms], Floats]] = {
    "delta": lambda x: x.sign * x.grown * x.n1,  # ∂V/∂S
    "theta": _theta,  # ∂V/∂t, per calendar day
    "vega": lambda x: x.vega,  # ∂V/∂σ
    "rho": lambda x: x.sign * x.k * x.t * x.discount * x.n2,  # ∂V/∂r
    "epsilon": lambda x: -x.sign * x.s * x.t * x.grown * x.n1,  # ∂V/∂q
    "lambda": _lambda,  # ∂V/∂S · S/V
    "gamma": lambda x: x.gamma,  # ∂²V/∂S²
    "vanna": lambda x: -x.grown * x.density * x.d2 / x.v,  # ∂²V/∂S∂σ
    "charm": _charm,  # ∂²V/∂S∂t
    "vomma": lambda x: x.vega * x.d1 * x.d2 / x.v,  # ∂²V/∂σ²
    "veta": _veta,  # ∂²V/∂σ∂T
    "vera": lambda x: -x.vega * x.t * x.d1 / x.deviation,  # ∂²V/∂σ∂r
    "speed": lambda x: -x.gamma / x.s * (x.d1 / x.deviation + 1),  # ∂³V/∂S³
    "zomma": lambda x: x.gamma * (x.d1 * x.d2 - 1) / x.v,  # ∂³V/∂S²∂σ
    "color": _color,  # ∂³V/∂S²∂T
    "ultima": lambda x: x.ultima,  # ∂³V/∂σ³
    "d1": lambda x: x.d1,
    "d2": lambda x: x.d2,
    "dual_delta": lambda x: -x.sign * x.discount * x.n2,  # ∂V/∂K
    "dual_gamma": _dual_gamma,  # ∂²V/∂K²
}


def floats(*values: ArrayLike) -> list[Floats]:
    """Returns the values as arrays of float64."""
    return [np.asarray(value, dtype=np.float64) for value in values]


def signs(is_call: ArrayLike) -> Floats:
    """Returns 1 for a call and -1 for a put."""
    return np.where(np.asarray(is_call, dtype=np.bool_), 1.0, -1.0)


def price(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
) -> Floats:
    """Returns the value of each option in dollars, as an array of the broadcast shape.

    Args:
        spot: the price of the underlying, positive.
        strike: positive.
        years: the time to expiration, positive.
        rate: the risk-free rate.
        volatility: positive.
        is_call: true for a call, false for a put.
        dividend_yield: the underlying's.
    """
    return Terms(spot, strike, years, rate, volatility, is_call, dividend_yield).value


def greeks(
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
    names: Iterable[str] = ALL_GREEKS,
) -> dict[str, Floats]:
    """Returns the Greeks asked for by name, each an array of the broadcast shape.

    Units: `theta` is dollars per calendar day; `vega` and `rho` dollars per 1.00; everything else
    is the raw annual derivative, `charm` by the passing date, `veta` and `color` by the time left.
    Where the volatility is 0 (not solved) ThetaData answers delta 1 and 0 for the rest; for puts,
    where its answer is not known, delta is -1 here.

    Args:
        spot: the price of the underlying, positive.
        strike: positive.
        years: the time to expiration, positive.
        rate: the risk-free rate.
        volatility: as `implied_volatility` returns it: positive, or 0.
        is_call: true for a call, false for a put.
        dividend_yield: the underlying's.
        names: the Greeks wanted, out of `ALL_GREEKS`; only these are computed.

    Raises:
        KeyError: a name is not in `ALL_GREEKS`.
    """
    solved = np.asarray(volatility) > 0
    some = np.where(solved, volatility, 1.0)
    terms = Terms(spot, strike, years, rate, some, is_call, dividend_yield)
    d1, sign = terms.d1, terms.sign
    shape = d1.shape if d1.shape == sign.shape else np.broadcast(d1, sign).shape
    unsolved = {"delta": sign}
    return {
        name: np.broadcast_to(
            np.where(solved, _FORMULAS[name](terms), unsolved.get(name, 0.0)), shape
        )
        for name in names
    }

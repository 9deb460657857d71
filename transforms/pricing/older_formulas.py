"""What ThetaData's formulas gave before late in 2025, where they were not the textbook's.

Source: its published rows of 2023 and 2024, every printed digit of which these formulas give; they
are those of the textbook with some parentheses missing. Of `speed`, `vera` and `dual_gamma` the
published rows show only that they round to 0.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from transforms.arrays import Floats
from transforms.pricing.black_scholes import Terms, floats, signs

_MOST_ULTIMA = 100.0


def _nothing(x: Terms) -> Floats:
    return np.zeros_like(x.d1)


def _veta(x: Terms) -> Floats:
    bracket = x.q + (x.r - x.q) * x.d1 / x.deviation - (1 + x.d1 * x.d2) / 2
    return -x.vega * x.t * bracket


def _zomma(x: Terms) -> Floats:
    return x.density * (x.d1 * x.d2 - 1) / x.s * x.v**2 * x.root_t


def _color(x: Terms) -> Floats:
    drift = (2 * (x.r - x.q) * x.t - x.d2 * x.deviation) / x.deviation
    bracket = 2 * x.q * x.t + 1 + drift * x.d1 * x.t
    return -x.grown * x.density / 2 * x.s * x.t * x.deviation * bracket


def _ultima(x: Terms) -> Floats:
    return np.asarray(np.clip(x.ultima, -_MOST_ULTIMA, _MOST_ULTIMA))


_FORMULAS: dict[str, Callable[[Terms], Floats]] = {
    "vera": _nothing,
    "veta": _veta,
    "speed": _nothing,
    "zomma": _zomma,
    "color": _color,
    "ultima": _ultima,
    "dual_gamma": _nothing,
}

REVISED = tuple(_FORMULAS)
"""Greeks whose formulas ThetaData corrected late in 2025; answers made before have others."""


def older_greek(
    name: str,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike,
    volatility: ArrayLike,
    is_call: ArrayLike,
    dividend_yield: ArrayLike = 0.0,
) -> Floats:
    """Returns a Greek by its older formula, as an array of the broadcast shape.

    Args:
        name: one of `REVISED`.
        spot: the price of the underlying, positive.
        strike: positive.
        years: the time to expiration, positive.
        rate: the risk-free rate.
        volatility: positive.
        is_call: true for a call, false for a put.
        dividend_yield: the underlying's.

    Raises:
        KeyError: the name is not in `REVISED`.
    """
    s, k, t, r, v, q = floats(spot, strike, years, rate, volatility, dividend_yield)
    return _FORMULAS[name](Terms(s, k, t, r, v, signs(is_call), q))

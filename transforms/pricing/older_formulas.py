"""What ThetaData's formulas gave before late in 2025, where they were not the textbook's.

Source: its published rows of 2023 and 2024, every printed digit of which these formulas give; they
are those of the textbook with some parentheses missing. Of `speed`, `vera` and `dual_gamma` the
published rows show only that they round to 0.
"""

from collections.abc import Callable

import numpy as np

from transforms.arrays import Floats
from transforms.pricing.black_scholes import Terms

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


OLDER: dict[str, Callable[[Terms], Floats]] = {
    "vera": _nothing,
    "veta": _veta,
    "speed": _nothing,
    "zomma": _zomma,
    "color": _color,
    "ultima": _ultima,
    "dual_gamma": _nothing,
}
"""The older formula of each Greek whose formula ThetaData corrected late in 2025."""

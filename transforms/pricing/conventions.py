"""ThetaData's conventions that need no model: names, the price of an option, the solver's end.

Apart from `black_scholes`, whose library takes 15 MiB that a download has no use for.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIRST_ORDER = ("delta", "theta", "vega", "rho", "epsilon", "lambda")
SECOND_ORDER = ("gamma", "vanna", "charm", "vomma", "veta")
THIRD_ORDER = ("speed", "zomma", "color", "ultima")
ALL_GREEKS = (
    *FIRST_ORDER,
    *SECOND_ORDER,
    "vera",
    *THIRD_ORDER,
    *("d1", "d2", "dual_delta", "dual_gamma"),
)
"""Every Greek, in the column order of ThetaData's `greeks/all`."""

SOLVER_TOLERANCE = 0.001
"""The solver of volatilities stops this near to the price: dollars, whatever the price."""


def midpoint(bid: ArrayLike, ask: ArrayLike) -> NDArray[np.float64]:
    """Returns the middle of the quote truncated to the cent, in dollars (8.70, 8.75 → 8.72).

    Args:
        bid: dollars, with at most two decimals.
        ask: dollars, likewise.
    """
    # The sum is a whole number of cents that binary floating point may hold a little too low.
    cents = (np.asarray(bid, np.float64) + np.asarray(ask, np.float64)) * 50 + 1e-6
    return np.floor(cents) / 100

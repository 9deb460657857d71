"""ThetaData's conventions that need no model: the price of an option, and the solver's tolerance.

Apart from `black_scholes`, whose library takes 15 MiB that a download has no use for.
"""

import numpy as np
from numpy.typing import ArrayLike

from transforms.arrays import Floats

SOLVER_TOLERANCE = 0.001
"""The solver of volatilities stops this near to the price, in dollars, whatever the price."""


_LARGEST = 1e11


def as_printed(values: Floats) -> Floats:
    """Returns numbers as ThetaData prints them: the nearest float32, cut to four decimals.

    >>> as_printed(np.array([0.575, -0.00019])).tolist()
    [0.5749, -0.0001]

    What is beyond 1e11 is cut to that.
    """
    # A float32 times 10,000 is exact in a float64.
    single = np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)
    # Minus zero is zero.
    return np.trunc(single.astype(np.float64) * 10_000) / 10_000 + 0.0


def midpoint(bid: ArrayLike, ask: ArrayLike) -> Floats:
    """Returns the middle of the quote truncated to the cent, in dollars.

    >>> midpoint([8.70, 0.0], [8.75, 0.05]).tolist()
    [8.72, 0.02]

    Args:
        bid: dollars, with at most two decimals.
        ask: dollars, likewise.
    """
    # The sum is a whole number of cents that binary floating point may hold a little too low.
    cents = (np.asarray(bid, np.float64) + np.asarray(ask, np.float64)) * 50 + 1e-6
    return np.floor(cents) / 100

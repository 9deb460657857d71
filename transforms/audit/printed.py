"""What a printed number allows: the values that it may have been cut or rounded from.

ThetaData's numbers are float32, cut towards zero after the fourth decimal; the first row of a
contract may have a fifth, and may be rounded.
"""

import numpy as np

from transforms.arrays import Floats

PRINTED = 1e-4
"""A unit in the last decimal."""
SINGLE = 2.0**-24
"""What a float32 leaves out, at most, as a share of a number."""


def range_of(values: Floats) -> tuple[Floats, Floats]:
    """Returns the least and the greatest value that is printed as each of these.

    Of x > 0 that is x - u/2 to x + u (rounded up, or cut), of 0 it is -u to u, where u is a unit in
    the last decimal: the fifth if there is one, else the fourth. Either way, a float32's precision
    more.
    """
    size = np.abs(values)
    shown = size / PRINTED
    unit = np.where(np.abs(shown - np.rint(shown)) > 0.05, PRINTED / 10, PRINTED)
    single = size * SINGLE
    low = np.where(size > 0, np.maximum(size - unit / 2, 0), -unit) - single
    high = size + unit + single
    negative = values < 0
    return np.where(negative, -high, low), np.where(negative, -low, high)

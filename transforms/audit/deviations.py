"""Which Greeks differ from the recomputed ones by more than rounding explains."""

import numpy as np

from transforms.arrays import Floats, Ints
from transforms.audit.printed import range_of
from transforms.audit.recomputed import Recomputed
from transforms.pricing.black_scholes import greeks, price
from transforms.quality.block import Block

_FEW, _DENSE = (3, 3), (33, 9)  # volatilities and rates at which a Greek is computed
_FAR = 3.0
_N = 2.0**-53  # what N(x) = ½(1+erf(x/√2)) is off, at most


def beyond(block: Block, ours: Recomputed, name: str) -> Ints:
    """Returns the rows whose Greek differs by more than its digits and its inputs' allow.

    A Greek G(σ, r) was computed from a volatility of which only the digits are known, and a rate
    that is known within its doubt. So a printed g is right where a value that is printed as g is
    between the least and the greatest G over all σ that are printed as the row's own, and all r
    within the doubt. That of lambda divides by the option's value S·N(d1) - K·N(d2), where N is no
    more exact than 2⁻⁵³: far out of the money that may be anything.
    """
    low, high = range_of(block[name])
    near = (ours.greeks[name] >= low) & (ours.greeks[name] <= high)
    rows = np.flatnonzero(ours.solved & ~near)
    if not len(rows):
        return rows
    least, most = _span(block, ours, name, rows, _FEW)
    off = np.maximum(least - high[rows], low[rows] - most)
    # A number that is far out needs no closer look.
    close = np.flatnonzero((off > 0) & (off <= _FAR * (most - least)))
    if len(close):
        least, most = _span(block, ours, name, rows[close], _DENSE)
        off[close] = np.maximum(least - high[rows[close]], low[rows[close]] - most)
    return np.asarray(rows[off > 0])


def _span(
    block: Block, ours: Recomputed, name: str, rows: Ints, points: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Returns the least and the greatest that a Greek can be, of each of some rows.

    It is computed at several volatilities and rates. Between two of these, a smooth curve goes
    beyond both by no more than an eighth of its second difference.
    """
    columns = (block["underlying_price"], block["strike"], ours.years, ours.rate, ours.doubt)
    s, k, t, r, doubt = (column[rows] for column in columns)
    call, q = block.is_call[rows], ours.dividend_yield[rows]
    first, last = (np.maximum(end[rows], 1e-6) for end in range_of(block["implied_vol"]))
    volatility = first + (last - first) * np.linspace(0, 1, points[0])[:, None, None]
    rates = r + doubt * np.linspace(-1, 1, points[1])[:, None]
    values = greeks(s, k, t, rates, volatility, call, q, (name,))[name]
    bend = sum(np.abs(np.diff(values, 2, axis=axis)).max(axis=(0, 1)) for axis in (0, 1)) / 8
    least, most = values.min(axis=(0, 1)) - bend, values.max(axis=(0, 1)) + bend
    if name == "lambda":
        worth = price(s, k, t, rates, first, call, q).min(axis=0)
        # Relative, of the value and of delta, which is no less than the value is to the spot.
        share = (2 * s + k) * _N / np.maximum(worth, 1e-300)
        unknown = share >= 0.5
        least = np.where(unknown, -np.inf, least - 2 * share * np.abs(least))
        most = np.where(unknown, np.inf, most + 2 * share * np.abs(most))
    return least, most

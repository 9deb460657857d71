"""Which Greeks differ from the recomputed ones by more than rounding explains."""

import numpy as np

from transforms.audit.printed import PRINTED, range_of
from transforms.audit.recomputed import Recomputed
from transforms.pricing.black_scholes import Floats, greeks, price
from transforms.quality.block import Block
from transforms.quality.presence import Ints

REVISED = ("vera", "veta", "speed", "zomma", "color", "ultima", "dual_gamma")
"""Greeks whose formulas ThetaData corrected late in 2025; answers made before have others."""

_SAMPLE = 30
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
    # What is far out needs no closer look.
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


def by_older_formulas(block: Block, ours: Recomputed, outside: dict[str, Ints]) -> dict[str, Ints]:
    """Returns the wrong rows of each Greek that formulas from before late in 2025 explain.

    Those made veta and color of another size and all but ultima of the others 0; ultima they cut
    at 100. So they show where most Greeks of `REVISED` are wrong in most of the rows where they
    are anything at all, while the others are right; a Greek that is wrong in fewer is not excused.

    Args:
        block: the rows.
        ours: the recomputation of them.
        outside: the rows beyond what is allowed, by Greek.
    """
    if not outside:
        return {}
    alive = ours.solved.copy()
    alive[block.all_zero] = False
    rows = int(np.count_nonzero(alive))
    others = [rows_ for name, rows_ in outside.items() if name not in REVISED]
    if any(np.count_nonzero(alive[wrong]) > rows / 10 for wrong in others):
        return {}
    mostly: list[str] = []
    other: list[str] = []
    few: list[str] = []
    for name, wrong in outside.items():
        if name not in REVISED or name == "ultima":
            continue
        # Those of which 0 would be wrong, and those that are.
        seen = alive & (np.abs(ours.greeks[name]) > PRINTED)
        seen[wrong] = alive[wrong]
        many = int(np.count_nonzero(seen))
        # A few rows among many are a few bad rows; a file may have no more than a few, though.
        if many < (_SAMPLE if rows >= _SAMPLE else 1):
            few.append(name)
        else:
            (mostly if np.count_nonzero(seen[wrong]) > many / 2 else other).append(name)
    if len(mostly) <= len(other):
        return {}
    mostly += few
    explained = {name: outside[name] for name in mostly}
    if "ultima" in outside:
        wrong = outside["ultima"]
        explained["ultima"] = wrong[np.abs(np.abs(block["ultima"][wrong]) - 100) < PRINTED]
    return explained

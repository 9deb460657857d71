"""Which Greeks differ from the recomputed ones by more than rounding explains."""

import numpy as np

from transforms.audit.recomputation import Recomputed
from transforms.audit.solutions import PRINTED
from transforms.pricing.black_scholes import Floats, greeks
from transforms.quality.block import Block
from transforms.quality.presence import Ints

REVISED = ("vera", "veta", "speed", "zomma", "color", "ultima", "dual_gamma")
"""Greeks whose formulas ThetaData corrected late in 2025; answers made before have others."""

_MATERIAL = 1e-3
_SAMPLE = 30


def beyond(block: Block, ours: Recomputed, name: str) -> Ints:
    """Returns the rows whose Greek differs by more than its digits, and its volatility's, allow.

    Allowed are 1.5 units of the fourth decimal, a millionth of the value (it is a float32), and
    what a unit in the last digit of the volatility, or the doubt about the rate, makes of it.
    """
    off = np.abs(block[name] - ours.greeks[name]) - 1.5 * PRINTED - 1e-6 * np.abs(ours.greeks[name])
    rows = np.flatnonzero(ours.solved & (off > 0))
    if not len(rows):
        return rows
    s, k, t = block["underlying_price"][rows], block["strike"][rows], ours.years[rows]
    call = block.is_call[rows]
    q, v, r, doubt = (
        column[rows] for column in (ours.dividend_yield, ours.volatility, ours.rate, ours.doubt)
    )

    def at(volatility: Floats, rate: Floats) -> Floats:
        return greeks(s, k, t, rate, volatility, call, q, (name,))[name]

    low, high = at(np.maximum(v - PRINTED, 1e-6), r), at(v + PRINTED, r)
    allowed = np.maximum(high, low) - np.minimum(high, low) + np.abs(at(v, r + doubt) - at(v, r))
    return np.asarray(rows[off[rows] > allowed])


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
    mostly, material = [], 0
    for name in REVISED:
        if name not in outside or name == "ultima":
            continue
        size = np.where(alive, np.maximum(np.abs(ours.greeks[name]), np.abs(block[name])), 0)
        # A few rows among many are a few bad rows; a file may have no more than a few, though.
        enough = _SAMPLE if rows >= _SAMPLE else 1
        for least in (_MATERIAL, 2 * PRINTED):
            seen = size > least
            if (many := int(np.count_nonzero(seen))) >= enough:
                material += 1
                if np.count_nonzero(seen[outside[name]]) > many / 2:
                    mostly.append(name)
                break
    if len(mostly) <= material / 2:
        return {}
    explained = {name: outside[name] for name in mostly}
    if "ultima" in outside:
        wrong = outside["ultima"]
        explained["ultima"] = wrong[np.abs(np.abs(block["ultima"][wrong]) - 100) < PRINTED]
    return explained

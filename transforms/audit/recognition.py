"""How rows were computed, where they show it themselves: how they count time."""

import numpy as np

from transforms.arrays import Floats
from transforms.audit.printed import PRINTED
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import EPOCH
from transforms.pricing.black_scholes import years_to_expiration
from transforms.quality.block import Block

VERSIONS = ("latest", "1")
"""How ThetaData may have counted the time to expiration: see `years_to_expiration`."""

_SINGLE = 1e-6  # of a number: it is a float32 before it is cut
_SHOWN_BY = (("epsilon", "underlying_price", "delta"), ("rho", "strike", "dual_delta"))


def years_of(block: Block, version: str) -> Floats:
    """Returns the time to expiration of each row; end of day rows count from 16:00."""
    last = block.expiration.toordinal() - EPOCH
    clock = np.full(len(block), CLOSE_MS) if block.daily else block.clock
    days = np.minimum(block.day, last)
    return years_to_expiration(days, clock / 1000, block.expiration, version)


def count_of_time(block: Block) -> str | None:
    """Returns which of `VERSIONS` the rows were computed with; None where they don't show it.

    They show it below a week, where the two differ, by two identities of the model: epsilon is
    -S·T·delta, and rho is -K·T·dual_delta. A row counts if its digits tell the two apart, and more
    than half of these must agree with one.
    """
    names = block.names
    pairs = [pair for pair in _SHOWN_BY if names >= {*pair}]
    if not pairs:
        return None
    times = np.stack([years_of(block, version) for version in VERSIONS])
    apart = np.abs(times[0] - times[1])
    if not apart.any():
        return None
    votes, telling = np.zeros(len(VERSIONS)), 0
    for greek, price, other in pairs:
        with np.errstate(all="ignore"):
            size = np.abs(block[other])
            shown = -block[greek] / (block[price] * block[other])
            doubt = PRINTED / (block[price] * size) + shown * (PRINTED / size + _SINGLE)
            counts = (shown > 0) & (apart > 2 * doubt)
        agrees = np.abs(times - shown) <= doubt
        votes += np.count_nonzero(agrees & counts, axis=1)
        telling += np.count_nonzero(counts)
    best = int(votes.argmax())
    return VERSIONS[best] if votes[best] > telling / 2 else None

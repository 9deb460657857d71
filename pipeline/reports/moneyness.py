"""Where a strike is: from the forward, in deviations that the market expects until expiration."""

from datetime import date

import numpy as np

from pipeline.reports.market_day import MarketDay, volatility_at_the_money
from pipeline.reports.rows import Piece
from transforms.arrays import Flags, Floats
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import DAY_MS

AXIS = "ln(strike / forward) / (ATM σ · √years)"
"""The title of an axis of `deviations`."""

_CENT = 0.005  # USD: half of the least step of a price
_UNCERTAIN = 0.1
_LEAST_DAYS = 1 / 24


def forward(piece: Piece) -> float:
    """Returns the forward that the calls and puts of a snapshot imply.

    It is strike + call - put at the strike where the two cost most nearly the same, as Cboe's
    volatility index has it (VIX White Paper, step 1), without the interest on their difference,
    which is small. Without a strike where both have a bid, it is the underlying's price.
    """
    values = piece.values
    spot = values["underlying_price"]
    mid = (values["bid"] + values["ask"]) / 2
    quoted = (values["bid"] > 0) & (values["ask"] > 0)
    calls, puts = (np.flatnonzero(quoted & right) for right in (piece.is_call, ~piece.is_call))
    strikes, a, b = np.intersect1d(piece.strike[calls], piece.strike[puts], return_indices=True)
    difference = mid[calls[a]] - mid[puts[b]]
    if len(strikes):
        nearest = int(np.abs(difference).argmin())
        return float(strikes[nearest] + difference[nearest])
    positive = spot[spot > 0]
    return float(np.median(positive)) if len(positive) else float("nan")


def years_left(day: MarketDay, expiration: date) -> float:
    """Returns the years from the snapshot to 16:00 on the expiration date, an hour at least."""
    until = CLOSE_MS if day.end_of_day else day.until
    days = (expiration - day.trade_date).days + (CLOSE_MS - until) / DAY_MS
    return max(days, _LEAST_DAYS) / 365


def deviations(day: MarketDay, piece: Piece) -> Floats:
    """Returns how many at-the-money deviations each strike is above the forward.

    So the options of the last hours, whose strikes are within a percent of each other, take the
    same room as those of a year.
    """
    scale = volatility_at_the_money(piece) * years_left(day, piece.expiration) ** 0.5
    return np.asarray(np.log(piece.strike / forward(piece)) / scale)


def identified(day: MarketDay, piece: Piece) -> Flags:
    """Returns which rows' prices determine their volatility.

    Not where the bid is no more than the intrinsic value: then a volatility of almost 0 fits the
    quote as well as the one that fits its middle. Nor where half a cent, to which a price is known,
    is more than a tenth of the volatility. Any Greek of these is that of an arbitrary number.
    """
    volatility, years = piece.values["implied_vol"], years_left(day, piece.expiration)
    spread = volatility * years**0.5
    level = forward(piece)
    intrinsic = np.maximum(np.where(piece.is_call, 1, -1) * (level - piece.strike), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        d1 = np.log(level / piece.strike) / spread + spread / 2
        vega = level * np.exp(-d1 * d1 / 2) * (years / (2 * np.pi)) ** 0.5
        certain = vega * volatility * _UNCERTAIN >= _CENT
    return np.asarray(piece.solved & (piece.values["bid"] > intrinsic) & certain)

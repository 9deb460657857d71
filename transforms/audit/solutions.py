"""Volatilities solved anew from their prices, and whether the vendor's are as good."""

from dataclasses import dataclass

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.audit.printed import PRINTED, SINGLE, range_of
from transforms.pricing.black_scholes import price
from transforms.pricing.conventions import SOLVER_TOLERANCE
from transforms.pricing.implied_volatility import ImpliedVolatility, implied_volatility


@dataclass(frozen=True)
class Inputs:
    """What a volatility is solved with, besides the price: an element for each row.

    Attributes:
        spot: the underlying's price; NaN where there is none.
        strike: of the option.
        years: to expiration.
        rate: per year.
        doubt: by how much that may be off.
        is_call: true for a call.
        dividend_yield: of the underlying.
    """

    spot: Floats
    strike: Floats
    years: Floats
    rate: Floats
    doubt: Floats
    is_call: Flags
    dividend_yield: Floats

    def pick(self, rows: Ints) -> "Inputs":
        """Returns those of some of the rows."""
        return Inputs(*(column[rows] for column in vars(self).values()))

    def usable(self, paid: Floats, theirs: Floats) -> Flags:
        """Returns the rows that have all it takes."""
        usable = np.isfinite(paid) & np.isfinite(self.spot) & np.isfinite(theirs)
        return np.asarray(usable & (paid >= 0) & (self.strike > 0))


def solution_of(x: Inputs, paid: Floats, theirs: Floats) -> tuple[ImpliedVolatility, Flags]:
    """Returns the solution of each price, and whether the vendor's is as good."""
    usable = x.usable(paid, theirs)
    index = np.flatnonzero(usable)
    some = x.pick(index)
    volatility, error = np.zeros(len(paid)), np.zeros(len(paid))
    volatility[index], error[index] = implied_volatility(
        paid[index],
        some.spot,
        some.strike,
        some.years,
        some.rate,
        some.is_call,
        some.dividend_yield,
    )
    right = ~usable | (np.abs(volatility - theirs) <= 1.5 * PRINTED)
    doubtful = np.flatnonzero(~right)
    if len(doubtful):
        right[doubtful] = _fits(
            x.pick(doubtful), paid[doubtful], theirs[doubtful], volatility[doubtful]
        )
    return ImpliedVolatility(volatility, error), right


def _fits(x: Inputs, paid: Floats, theirs: Floats, ours: Floats) -> Flags:
    """Returns whether a volatility that is printed as theirs is worth the price.

    That is, at some rate within the doubt, as nearly as the solver stops and a float32 holds.
    """
    s, k, t, r, q, call = x.spot, x.strike, x.years, x.rate, x.dividend_yield, x.is_call
    slack = SOLVER_TOLERANCE + SINGLE * s
    least, most = (np.maximum(end, 1e-6) for end in range_of(theirs))
    # A call is worth the more, the higher the rate; a put the less.
    toward = np.where(call, x.doubt, -x.doubt)
    worth = paid >= price(s, k, t, r - toward, least, call, q) - slack
    below = paid <= price(s, k, t, r + toward, most, call, q) + slack
    # No volatility: right where the price is no more than the intrinsic value, or than one of a
    # volatility that is printed as 0, or more than the option can be worth.
    ceiling = np.where(call, s * np.exp(-q * t), k * np.exp(-(r + x.doubt) * t))
    none = below | (paid >= ceiling - slack) | (ours == 0)
    return np.where(theirs > 0, worth & below, none)

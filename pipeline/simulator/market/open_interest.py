"""The simulated open interest: what is open of each contract, as reported before the session."""

from dataclasses import replace
from datetime import date

import numpy as np

from pipeline.simulator.market.listing import Expiration
from pipeline.simulator.market.quotes import Instants, instants, uniform
from transforms.arrays import Ints
from transforms.market import calendar

_REPORT = (6 * 60 + 30) * 60_000
_MOST = 40_000  # of a contract at the money on its last days


def reports(of: Expiration, days: list[date]) -> Instants:
    """Returns when each trade date's open interest is reported: a little after 06:30."""
    at = instants(of, days, np.array([calendar.OPEN_MS]))
    # Each day in another second.
    return replace(at, milliseconds=_REPORT + at.days * 7919 % 60 * 1000)


def figures(of: Expiration, strikes: Ints, at: Instants) -> dict[str, Ints]:
    """Returns the open interest, reported at `at`.

    There is the more, the nearer the strike is to the money, and the nearer the expiration; round
    strikes have several times as much. Far from the money it may be 0.
    """
    width = at.volatility * np.sqrt(np.maximum(at.years, 5 / 365))
    distance = np.abs(np.log(strikes[:, None] * 0.1 / at.spot)) / width
    near = np.exp(-0.6 * distance - 4 * at.years)
    round_ = np.where(strikes % 100_000 == 0, 1.0, np.where(strikes % 25_000 == 0, 0.4, 0.12))
    of_contract = uniform(of.expires, strikes, np.zeros(1, np.int64))
    of_day = uniform(of.expires, strikes, at.days * 86400 + 70_000)
    share = of_contract**2 * (0.9 + 0.1 * of_day)
    return {"open_interest": (_MOST * (near * round_[:, None])[:, None] * share).astype(np.int64)}

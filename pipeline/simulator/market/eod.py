"""What the end of a simulated day reports of a contract: its trades, and its last quote."""

from dataclasses import replace
from datetime import date

import numpy as np

from pipeline.simulator.market.listing import Expiration
from pipeline.simulator.market.quotes import Instants, instants, quotes, sizes
from pipeline.simulator.market.trades import sessions
from transforms.arrays import Ints
from transforms.market import calendar

_REPORT = (17 * 60 + 15) * 60_000


def closes(of: Expiration, days: list[date]) -> Instants:
    """Returns the end of each trade date: the last quotes, reported a little after 17:15.

    The time to expiration counts from 16:00, also after an early close.
    """
    at = instants(of, days, np.array([calendar.CLOSE_MS]))
    # The report takes up to a minute, each day another time.
    return replace(at, underlying_milliseconds=_REPORT + at.days * 7919 % 60_000)


def figures(of: Expiration, strikes: Ints, at: Instants) -> dict[str, Ints]:
    """Returns the trades and the last quotes by column.

    `ms_of_day` is the time of the last trade. A contract without a trade has 0 there, and in
    `open`, `high`, `low`, `close`, `volume` and `count`.
    """
    found = sessions(of, strikes, at)
    prices, first, last = found.prices, found.first[..., None], found.last[..., None]
    order = np.arange(prices.shape[-1])
    inside = (order >= first) & (order <= last)
    ends = found.ends[np.arange(len(at.days)), found.last]
    trades = {
        "open": np.take_along_axis(prices, first, -1)[..., 0],
        "high": np.where(inside, prices, 0).max(-1),
        "low": np.where(inside, prices, prices.max()).min(-1),
        "close": np.take_along_axis(prices, last, -1)[..., 0],
        "count": found.count,
        "volume": found.volume,
        # A little before the second of the quote that it was made at, hence within the session.
        "ms_of_day": ends * 1000 - found.before,
    }
    quoted = sizes(of.expires, strikes, at, *quotes(of, strikes, at))
    return {name: values * found.traded for name, values in trades.items()} | quoted

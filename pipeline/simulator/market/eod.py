"""The simulated trades of a day, and what else the end of the day reports of a contract."""

from dataclasses import replace
from datetime import date

import numpy as np

from pipeline.simulator.market.listing import Root
from pipeline.simulator.market.quotes import Instants, instants, quotes, uniform
from pipeline.simulator.market.underlying import OPEN, SECONDS, Underlying
from transforms.arrays import Ints
from transforms.market import calendar
from transforms.market.clock import EPOCH

_REPORT = (17 * 60 + 15) * 60_000
_SAMPLES = 14  # times of day at which a contract can trade
_EXCHANGES = np.array([1, 4, 5, 7, 9, 11, 31, 42, 47, 60])
_CONDITION = 50  # of a regular quote


def closes(root: Root, underlying: Underlying, expiration: date, days: list[date]) -> Instants:
    """Returns the end of each trade date: the last quotes, reported a little after 17:15.

    The time to expiration counts from 16:00, also after an early close.

    Args:
        root: the root of the symbol.
        underlying: its prices.
        expiration: of the contracts.
        days: trade dates, ascending.
    """
    at = instants(root, underlying, expiration, days, np.array([calendar.CLOSE_MS]))
    # The report takes up to a minute, each day another time.
    return replace(at, underlying_milliseconds=_REPORT + at.days * 7919 % 60_000)


def figures(
    root: Root, underlying: Underlying, expiration: date, strikes: Ints, at: Instants
) -> dict[str, Ints]:
    """Returns the trades and the last quotes by column, of shape (strikes, 2, days), calls first.

    `ms_of_day` is the time of the last trade. A contract without a trade has 0 there, and in
    `open`, `high`, `low`, `close` (cents), `volume` and `count`. Options trade the less, the
    further they are from the money.

    Args:
        root: the root of the symbol.
        underlying: its prices.
        expiration: of the contracts.
        strikes: in thousandths of a dollar.
        at: as `closes` returns them.
    """
    bid, ask = quotes(root, expiration, strikes, at)
    shape = bid.shape

    def chance(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        # Quotes take their chances from the seconds of the session; these lie beyond it.
        return uniform(expiration, strikes, at.days * 86400 + 60_000 + number)

    width = at.volatility * np.sqrt(np.maximum(at.years, 1 / 365))
    distance = np.abs(np.log(strikes[:, None] * 0.1 / at.spot)) / width
    liquidity = np.exp(-0.35 * distance)[:, None]
    traded = chance(0) < liquidity
    first = (chance(1) * _SAMPLES).astype(np.int64)
    last = first + (chance(2) * (_SAMPLES - first)).astype(np.int64)

    days = [date.fromordinal(int(day) + EPOCH) for day in at.days]
    step = (SECONDS - 1) // _SAMPLES * 1000
    times = calendar.OPEN_MS + step * np.arange(1, _SAMPLES + 1)
    samples = instants(root, underlying, expiration, days, times)
    low, high = (cents.reshape(*shape, -1) for cents in quotes(root, expiration, strikes, samples))
    keys = samples.days * 86400 + samples.seconds + 30_000
    at_bid = uniform(expiration, strikes, keys).reshape(low.shape) < 0.5
    prices = np.where(at_bid & (low > 0), low, high)
    order = np.arange(_SAMPLES)
    inside = (order >= first[..., None]) & (order <= last[..., None])

    span = last - first + 1
    count = span + (liquidity * chance(3) ** 3 * 1500).astype(np.int64)
    seconds = samples.seconds.reshape(len(days), _SAMPLES)[np.arange(len(days)), last]
    trades = {
        "open": np.take_along_axis(prices, first[..., None], -1)[..., 0],
        "high": np.where(inside, prices, 0).max(-1),
        "low": np.where(inside, prices, prices.max()).min(-1),
        "close": np.take_along_axis(prices, last[..., None], -1)[..., 0],
        "count": count,
        "volume": (count * (1 + 9 * chance(4))).astype(np.int64),
        # A little before the second of the quote that it was made at, hence within the session.
        "ms_of_day": (seconds + OPEN) * 1000 - (chance(5) * 1000).astype(np.int64),
    }
    return {name: values * traded for name, values in trades.items()} | {
        "bid": bid,
        "bid_size": ((1 + chance(6) * 200) * (bid > 0)).astype(np.int64),
        "bid_exchange": _EXCHANGES[(chance(7) * len(_EXCHANGES)).astype(np.int64)],
        "bid_condition": np.full(shape, _CONDITION),
        "ask": ask,
        "ask_size": (1 + chance(8) * 200).astype(np.int64),
        "ask_exchange": _EXCHANGES[(chance(9) * len(_EXCHANGES)).astype(np.int64)],
        "ask_condition": np.full(shape, _CONDITION),
    }

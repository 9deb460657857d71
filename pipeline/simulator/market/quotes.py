"""The simulated option quotes: fair values from a volatility smile, a spread, and ticks.

A quote depends on the contract and the instant alone, so that every interval and every order of
Greeks shows the same one.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.simulator.market.listing import Expiration
from pipeline.simulator.market.underlying import OPEN, sofr
from transforms.arrays import Flags, Floats, Ints
from transforms.market import calendar
from transforms.market.clock import EPOCH
from transforms.pricing.black_scholes import price

EXCHANGES = np.array([1, 4, 5, 7, 9, 11, 31, 42, 47, 60])
"""Codes of exchanges."""

_SECONDS_PER_YEAR = 365 * 86400
_CONDITION = 50  # of a regular quote


@dataclass(frozen=True)
class Instants:
    """The instants of one answer, in order, and what the market is like at each.

    Every array has one element for each instant.

    Attributes:
        days: the trade date of each, as days since 1970-01-01.
        milliseconds: since midnight, New York time: the row's timestamp.
        seconds: since the opening, of the last quote at that instant.
        spot: the underlying's price in cents.
        years: to the end of trading, in real time; this is what quotes are made from.
        volatility: at the money, for options of about a month.
        rate: the interest rate.
        underlying_milliseconds: when the underlying last traded, since midnight.
    """

    days: Ints
    milliseconds: Ints
    seconds: Ints
    spot: Ints
    years: Floats
    volatility: Floats
    rate: Floats
    underlying_milliseconds: Ints

    @property
    def dates(self) -> list[date]:
        """The trade dates, ascending, each once."""
        return [date.fromordinal(int(day) + EPOCH) for day in np.unique(self.days)]

    def from_day(self, day: date) -> "Instants":
        """Returns the instants that are not before that trade date."""
        start = int(np.searchsorted(self.days, day.toordinal() - EPOCH))
        return self.part(slice(start, None))

    def part(self, which: slice | Ints | Flags) -> "Instants":
        """Returns some of the instants."""
        return Instants(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def instants(of: Expiration, days: list[date], milliseconds: Ints) -> Instants:
    """Returns the instants of an answer: for each trade date, each time of day.

    After an early close the last quote stands, and the grid runs on (inferred: only its bars,
    which are then empty, have been seen).

    Args:
        of: the expiration.
        days: trade dates.
        milliseconds: times of day since midnight, ascending, from 09:30 to 16:00.
    """
    parts = []
    end, underlying = of.last_trading_day, of.underlying
    for day in days:
        length = calendar.closing_time(day) // 1000 - OPEN
        seconds = np.minimum(milliseconds // 1000 - OPEN, length)
        spot = underlying.cents(day)[seconds]
        left = (end - day).days * 86400 + calendar.closing_time(end) // 1000 - OPEN - seconds
        # Volatility rises as the price falls.
        fall = np.log(underlying.previous_close(day) * 100 / spot)
        base = (0.13 if of.root.index else 0.28) * underlying.stress(day)
        parts.append(
            (
                np.full(len(seconds), day.toordinal() - EPOCH),
                milliseconds,
                seconds,
                spot,
                np.maximum(left, 60) / _SECONDS_PER_YEAR,
                base * np.exp(3 * fall),
                np.full(len(seconds), sofr(day)),
                (seconds + OPEN) * 1000,
            )
        )
    return Instants(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def quotes(of: Expiration, strikes: Ints, at: Instants) -> tuple[Ints, Ints]:
    """Returns bids and asks.

    At the opening itself there are none yet: both are 0. A bid may be 0, too, where the option is
    worth less than a tick. Ticks are 0.05 below 3.00 and 0.10 above for index options, a fifth of
    that for the others.
    """
    spot = at.spot / 100
    strike = (strikes / 1000)[:, None]
    dividend_yield = 0.014 if of.root.index else 0.005
    asset = spot * np.exp(-dividend_yield * at.years)
    cash = strike * np.exp(-at.rate * at.years)
    is_call = cash >= asset
    volatility = _smile(np.log(cash / asset), at)
    worth = price(spot, strike, at.years, at.rate, volatility, is_call, dividend_yield)
    parity = asset - cash
    fair = np.stack(
        [worth + np.where(is_call, 0, parity), worth - np.where(is_call, parity, 0)], axis=1
    )
    unit = 5.0 if of.root.index else 1.0
    noise = uniform(of.expires, strikes, at.days * 86400 + at.seconds)
    cents = fair * 100
    half = unit * 0.4 + cents * (0.002 + 0.006 * noise) / (1 + 0.0005 * cents)
    low, high = cents - half, cents + half
    tick_low = np.where(low < 300, unit, 2 * unit)
    tick_high = np.where(high < 300, unit, 2 * unit)
    quoted = at.seconds > 0
    bid = np.maximum(np.floor(low / tick_low) * tick_low, 0) * quoted
    ask = np.maximum(np.ceil(high / tick_high) * tick_high, unit) * quoted
    return bid.astype(np.int64), ask.astype(np.int64)


def sizes(expiration: date, strikes: Ints, at: Instants, bid: Ints, ask: Ints) -> dict[str, Ints]:
    """Returns quotes by column with the contracts bid and asked for, and the exchanges.

    The quote at 16:00 is the last one, which the end of the day reports.
    """
    of_second = (at.days * 86400 + at.seconds + (1 << 40)) * 4
    keys = np.where(at.milliseconds == calendar.CLOSE_MS, at.days * 86400 + 60_006, of_second)

    def chance(number: int) -> Floats:
        return uniform(expiration, strikes, keys + number)

    return {
        "bid": bid,
        "bid_size": ((1 + chance(0) * 200) * (bid > 0)).astype(np.int64),
        "bid_exchange": EXCHANGES[(chance(1) * len(EXCHANGES)).astype(np.int64)],
        "bid_condition": np.full(bid.shape, _CONDITION),
        "ask": ask,
        "ask_size": ((1 + chance(2) * 200) * (ask > 0)).astype(np.int64),
        "ask_exchange": EXCHANGES[(chance(3) * len(EXCHANGES)).astype(np.int64)],
        "ask_condition": np.full(bid.shape, _CONDITION),
    }


def _smile(moneyness: Floats, at: Instants) -> Floats:
    """Returns the volatility of each strike (rows) at each instant (columns)."""
    months = at.years * 12
    level = at.volatility * (0.92 + 0.08 * np.sqrt(np.minimum(months, 12)))
    width = level * np.sqrt(np.maximum(at.years, 1 / 365))
    z = np.clip(moneyness / width, -8.0, 5.0)
    return np.asarray(level * (1 - 0.10 * z + 0.012 * z * z))


def uniform(expiration: date, strikes: Ints, keys: Ints) -> Floats:
    """Returns numbers from 0 to 1 by contract and key, such as a second: a SplitMix64 hash."""
    rights = np.arange(2)[None, :, None]
    contract = (strikes[:, None, None] * 2 + rights) * 100_000 + expiration.toordinal() % 100_000
    with np.errstate(over="ignore"):
        z = contract.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + keys.astype(np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((z >> np.uint64(40)).astype(np.float64) / (1 << 24))

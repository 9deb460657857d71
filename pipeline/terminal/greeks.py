"""What a request for Greeks asks for, and the numbers of its rows, computed from the quotes.

Numbers are held as the integers that their text shows: prices in cents, Greeks in ten-thousandths.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipeline.terminal import calendar
from pipeline.terminal.quotes import EPOCH, Instants
from transforms import black_scholes as bs

Ints = NDArray[np.int64]

INTERVALS = {
    "tick": 1000, "10ms": 10, "100ms": 100, "500ms": 500, "1s": 1000, "5s": 5000, "10s": 10_000,
    "15s": 15_000, "30s": 30_000, "1m": 60_000, "5m": 300_000, "10m": 600_000, "15m": 900_000,
    "30m": 1_800_000, "1h": 3_600_000,
}  # fmt: skip
"""Milliseconds between two rows. This market ticks once a second."""

CENTS = frozenset({"bid", "ask", "midpoint", "underlying_price"})
"""The columns in cents; the others are in ten-thousandths."""

_LARGEST = 1e11

_SOLUTION = ("implied_vol", "iv_error")
ORDERS: dict[str, tuple[str, ...]] = {
    "first_order": ("bid", "ask", *bs.FIRST_ORDER, *_SOLUTION),
    "second_order": ("bid", "ask", *bs.SECOND_ORDER, *_SOLUTION),
    "third_order": ("bid", "ask", *bs.THIRD_ORDER, *_SOLUTION),
    "all": ("bid", "ask", *bs.ALL_GREEKS, *_SOLUTION),
    "implied_volatility": (
        *("bid", "bid_implied_vol", "midpoint", "implied_vol"),
        *("ask", "ask_implied_vol", "iv_error"),
    ),
}
"""The number columns of each order of Greeks, between the row's key and the underlying's."""


@dataclass(frozen=True)
class Query:
    """What to serve: the contracts of one expiration, over some dates and times.

    Attributes:
        symbol: the option root.
        expiration: the date on which the contracts expire.
        first_date: the first trade date.
        last_date: the last one.
        greeks: the order of Greeks, a key of `ORDERS`.
        interval: milliseconds between two rows of a contract.
        start: the first time of day, in milliseconds since midnight, New York time.
        end: the last, included.
        rights: `CALL`, `PUT` or both.
        strike: in thousandths of a dollar, or None for all.
        strike_range: this many strikes above the money, as many below, and the nearest one.
        version: how to count the time to expiration, see `black_scholes.years_to_expiration`.
        rate: the interest rate as a decimal, or None for the one known on the trade date.
        annual_dividend: dollars a year.
    """

    symbol: str
    expiration: date
    first_date: date
    last_date: date
    greeks: str = "first_order"
    interval: int = INTERVALS["5m"]
    start: int = calendar.OPEN * 1000
    end: int = calendar.CLOSE * 1000
    rights: tuple[str, ...] = ("CALL", "PUT")
    strike: int | None = None
    strike_range: int | None = None
    version: str = "latest"
    rate: float | None = None
    annual_dividend: float = 0.0


@dataclass(frozen=True)
class Block:
    """Rows of some contracts at the same instants, contract by contract.

    Attributes:
        symbol: the option root.
        expiration: of the contracts.
        contracts: (strike in thousandths of a dollar, right) of each.
        at: the instants of every contract's rows.
        numbers: column by name, integers of shape (contracts, instants).
    """

    symbol: str
    expiration: date
    contracts: list[tuple[int, str]]
    at: Instants
    numbers: dict[str, Ints]

    @property
    def rows(self) -> int:
        """How many rows the block has."""
        return len(self.contracts) * len(self.at.days)


def numbers(
    query: Query, contracts: list[tuple[int, str]], at: Instants, bid: Ints, ask: Ints
) -> dict[str, Ints]:
    """Returns the numbers of some contracts' rows by column, of shape (contracts, instants).

    Args:
        query: says which columns, and how to count time and discount.
        contracts: (strike in thousandths of a dollar, right) of each.
        at: the instants.
        bid: in cents, of shape (contracts, instants).
        ask: likewise.
    """
    spot = at.spot / 100
    strike = np.array([strike for strike, _ in contracts])[:, None] / 1000
    is_call = np.array([right == "CALL" for _, right in contracts])[:, None]
    days = (query.expiration.toordinal() - EPOCH) - at.days
    years = bs.years_to_expiration(days, at.milliseconds / 1000, query.version)
    rate = at.rate if query.rate is None else query.rate
    dividend_yield = query.annual_dividend / spot

    def solve(cents: Ints) -> bs.ImpliedVolatility:
        price = cents / 100
        return bs.implied_volatility(price, spot, strike, years, rate, is_call, dividend_yield)

    columns = ORDERS[query.greeks]
    mid = (bid + ask) // 2
    volatility, error = solve(mid)
    found = {
        "bid": bid,
        "ask": ask,
        "midpoint": mid,
        "implied_vol": _truncated(volatility),
        "iv_error": _truncated(error),
        "underlying_price": np.broadcast_to(at.spot, bid.shape),
    }
    if query.greeks == "implied_volatility":
        found["bid_implied_vol"] = _truncated(solve(bid).volatility)
        found["ask_implied_vol"] = _truncated(solve(ask).volatility)
    wanted = [name for name in columns if name in bs.ALL_GREEKS]
    greeks = bs.greeks(spot, strike, years, rate, volatility, is_call, dividend_yield, wanted)
    found.update((name, _truncated(values)) for name, values in greeks.items())
    return found


def _truncated(values: NDArray[np.float64]) -> Ints:
    """Returns the ten-thousandths of the nearest float32, cut towards zero.

    That is how ThetaData's numbers look: 0.5875 is served as 0.5874. A float32 times 10,000 is
    exact in a float64.
    """
    # Near a volatility of 0 a third-order Greek can be larger than an integer holds.
    single = np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)
    return (single.astype(np.float64) * 10_000).astype(np.int64)

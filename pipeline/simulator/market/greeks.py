"""What a request for Greeks asks for, and the numbers of its rows, computed from the quotes.

Numbers are held as the integers that their text shows: prices in cents, Greeks in ten-thousandths.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.simulator.market.quotes import Instants
from transforms import orders
from transforms.arrays import Floats, Ints
from transforms.market import calendar, interval_ms
from transforms.orders.schema import ALL_GREEKS, SOLUTION, TRADES, UNDERLYING
from transforms.pricing import black_scholes as bs
from transforms.pricing.implied_volatility import (
    ImpliedVolatility,
    implied_volatility,
    mean_error,
)

INTERVALS = {name: 1000 if name == "tick" else interval_ms(name) for name in orders.INTERVALS}
"""Milliseconds between two rows. This market ticks once a second."""

_CENTS = frozenset({*TRADES[:4], "vwap", "price", "bid", "ask", "midpoint", "underlying_price"})
_DECIMALS = frozenset({*ALL_GREEKS, *SOLUTION, "bid_implied_vol", "ask_implied_vol"})

_LARGEST = 1e11

V2 = "_v2"
"""Ends the name of an order in `COLUMNS` that v2 has with other columns than v3."""
COLUMNS: dict[str, tuple[str, ...]] = {
    name: tuple(column for column in order.columns if column not in UNDERLYING)
    for name, order in orders.ORDERS.items()
}
"""The number columns of each order, between the row's key and the underlying's."""


def _of_v2(columns: tuple[str, ...], endpoint: orders.Endpoint) -> tuple[str, ...]:
    begins = next((n for n, name in enumerate(columns) if name in _DECIMALS), len(columns))
    found = (*columns[:begins], *endpoint.unread, *columns[begins:])
    return tuple(name for name in found if name not in endpoint.lacks)


COLUMNS |= {
    f"{name}{V2}": _of_v2(COLUMNS[name], order.v2)
    for name, order in orders.ORDERS.items()
    if order.v2 and (order.v2.lacks or order.v2.unread)
}
EOD, EOD_V2 = "eod", f"eod{V2}"


def order_of(name: str) -> orders.Order:
    """Returns the order that a key of `COLUMNS` is of."""
    return orders.order_of(name.removesuffix(V2))


def has_underlying(name: str) -> bool:
    """Returns whether rows of a key of `COLUMNS` end with the underlying's time and price."""
    return UNDERLYING[0] in order_of(name).columns


def is_daily(name: str) -> bool:
    """Returns whether an order, a key of `COLUMNS`, has one row per contract and trade date."""
    return order_of(name).daily


def decimals(column: str) -> int:
    """Returns the digits after the point of a column: its integers are times 10 to that power."""
    return 2 if column in _CENTS else 4 if column in _DECIMALS else 0


@dataclass(frozen=True)
class Query:
    """What to serve: the contracts of one expiration, over some dates and times.

    Attributes:
        symbol: the option root.
        expiration: the date on which the contracts expire.
        first_date: the first trade date.
        last_date: the last one.
        greeks: the order of Greeks, a key of `COLUMNS`.
        interval: milliseconds between two rows of a contract; this and the times of day don't
            matter at the end of the day, which has one row for each contract and trade date.
        start: the first time of day, in milliseconds since midnight, New York time.
        end: the last, included.
        rights: `CALL`, `PUT` or both.
        strike: in thousandths of a dollar, or None for all.
        strike_range: this many strikes above the money, as many below, and the nearest one.
        version: how to count the time to expiration, see `black_scholes.years_to_expiration`.
        rate: the interest rate as a decimal, or None for the trade date's own.
        annual_dividend: dollars a year.
        option_use_nbbo: whether the end of a v3 day is computed from the quote's middle.
        v2: whether it is asked in v2, where every Greek of an unsolved volatility is 0 in the
            orders that have all of them; else the delta of a call is 1 there, of a put -1.
    """

    symbol: str
    expiration: date
    first_date: date
    last_date: date
    greeks: str = "first_order"
    interval: int = INTERVALS["5m"]
    start: int = calendar.OPEN_MS
    end: int = calendar.CLOSE_MS
    rights: tuple[str, ...] = ("CALL", "PUT")
    strike: int | None = None
    strike_range: int | None = None
    version: str = "latest"
    rate: float | None = None
    annual_dividend: float = 0.0
    option_use_nbbo: bool = True
    v2: bool = False

    @property
    def from_the_close(self) -> bool:
        """Whether its volatilities are solved from the last trade."""
        return self.greeks == EOD_V2 or (self.greeks == EOD and not self.option_use_nbbo)


@dataclass(frozen=True)
class ContractRows:
    """Rows of some contracts at the same instants, contract by contract.

    Attributes:
        symbol: the option root.
        expiration: of the contracts.
        contracts: (strike in thousandths of a dollar, right) of each.
        at: the instants of every contract's rows.
        numbers: column by name, integers of shape (contracts, instants). `ms_of_day`, if it is
            there, is each row's own time of day, in milliseconds; else that is the instant's.
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

    def between(self, first: int, end: int) -> Iterator["ContractRows"]:
        """Yields the rows from `first` to before `end`, as up to three blocks.

        There are more than one if the rows begin or end within a contract.
        """
        width = len(self.at.days)
        while first < end:
            contract, instant = divmod(first, width)
            if instant or end - first < width:
                stop = min(width, instant + end - first)
                yield self._part(slice(contract, contract + 1), slice(instant, stop))
                first += stop - instant
            else:
                yield self._part(slice(contract, end // width), slice(0, width))
                first = end // width * width

    def _part(self, contracts: slice, instants: slice) -> "ContractRows":
        whole = instants == slice(0, len(self.at.days))
        return ContractRows(
            self.symbol,
            self.expiration,
            self.contracts[contracts],
            self.at if whole else self.at.part(instants),
            {name: values[contracts, instants] for name, values in self.numbers.items()},
        )


def numbers(
    query: Query, contracts: list[tuple[int, str]], at: Instants, figures: Mapping[str, Ints]
) -> dict[str, Ints]:
    """Returns the numbers of some contracts' rows by column, of shape (contracts, instants).

    The price of an option is its midpoint; at the end of a v2 day, its close; of a trade, its own.

    Args:
        query: determines the columns, and how to count time and discount.
        contracts: (strike in thousandths of a dollar, right) of each.
        at: the instants.
        figures: the columns that need no model, likewise of shape (contracts, instants).
    """
    columns = COLUMNS[query.greeks]
    if "implied_vol" not in columns:
        return {name: figures[name] for name in columns}
    spot = at.spot / 100
    strike = np.array([strike for strike, _ in contracts])[:, None] / 1000
    is_call = np.array([right == "CALL" for _, right in contracts])[:, None]
    years = bs.years_to_expiration(at.days, at.milliseconds / 1000, query.expiration, query.version)
    rate = at.rate if query.rate is None else query.rate
    dividend_yield = query.annual_dividend / spot

    def solve(cents: Ints) -> ImpliedVolatility:
        price = cents / 100
        return implied_volatility(price, spot, strike, years, rate, is_call, dividend_yield)

    found = dict(figures)
    if "price" not in figures:
        found["midpoint"] = (figures["bid"] + figures["ask"]) // 2
    paid = found[order_of(query.greeks).v3.priced_by]
    volatility, error = solve(figures["close"] if query.from_the_close else paid)
    found["implied_vol"] = _truncated(volatility)
    found["underlying_price"] = np.broadcast_to(at.spot, paid.shape)
    if query.greeks == "implied_volatility":
        of_bid, of_ask = solve(figures["bid"]), solve(figures["ask"])
        found["bid_implied_vol"] = _truncated(of_bid.volatility)
        found["ask_implied_vol"] = _truncated(of_ask.volatility)
        error = mean_error(of_bid.error, error, of_ask.error)
    found["iv_error"] = _truncated(error)
    wanted = [name for name in columns if name in ALL_GREEKS]
    greeks = bs.greeks(spot, strike, years, rate, volatility, is_call, dividend_yield, wanted)
    found.update((name, _truncated(values)) for name, values in greeks.items())
    if query.greeks == EOD_V2 or (query.v2 and {*ALL_GREEKS} <= {*columns}):
        found["delta"] = np.where(volatility > 0, found["delta"], 0)
    return found


def _truncated(values: Floats) -> Ints:
    """Returns the ten-thousandths of the nearest float32, cut towards zero.

    That is how ThetaData's numbers look: 0.5875 is served as 0.5874. A float32 times 10,000 is
    exact in a float64.
    """
    # Near a volatility of 0 a third-order Greek can be larger than an integer holds.
    single = np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)
    return (single.astype(np.float64) * 10_000).astype(np.int64)

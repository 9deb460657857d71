"""The simulated market: which contracts exist, and the Greeks that a Terminal serves for them.

Everything follows from the seed, the symbol and the dates: two markets with the same seed are the
same market, in any process (on one machine; another processor's `exp` may differ in the last
place). The Greeks are computed from the quotes, as ThetaData computes them: see
`transforms.pricing.black_scholes`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby

import numpy as np

from pipeline.simulator.market import eod, listing, open_interest
from pipeline.simulator.market.greeks import (
    COLUMNS,
    ContractRows,
    Query,
    is_daily,
    numbers,
)
from pipeline.simulator.market.listing import Expiration
from pipeline.simulator.market.quotes import Instants, instants, quotes, sizes
from pipeline.simulator.market.trades import Trades, bars, trades
from pipeline.simulator.market.underlying import Underlying, generator
from transforms.arrays import Ints
from transforms.market import calendar

DEFAULT_SYMBOLS = ("SPXW", "SPX")
DEFAULT_LAST_DATE = date(2026, 12, 31)

_BLOCK_ROWS = 8192  # keeps the arrays of a block within the processor's cache
_TRADED_STRIKES = 24  # whose trades are made at once: some ten thousand


@dataclass(frozen=True)
class Market:
    """A simulated market.

    Attributes:
        seed: another seed, another market.
        symbols: the option roots that have contracts.
        last_date: the market's today. There is no data after it, and contracts that are listed
            later do not exist.
    """

    seed: int = 0
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    last_date: date = DEFAULT_LAST_DATE
    _underlyings: dict[str, Underlying] = field(default_factory=dict, repr=False, compare=False)

    def expirations(self, symbol: str) -> tuple[date, ...]:
        """Returns every expiration that was ever listed, ascending; none for unknown symbols."""
        if symbol not in self.symbols:
            return ()
        return listing.expirations(listing.root_of(symbol), self.last_date)

    def strikes(self, symbol: str, expiration: date) -> list[int]:
        """Returns every strike that was ever listed, in thousandths of a dollar, in NO order.

        The order is the same each time, but it is no ascending one: neither is the Terminal's.
        """
        if symbol not in self.symbols:
            return []
        found = [strike for strike, _ in self._listed(symbol, expiration)]
        return [int(n) for n in generator(symbol, expiration).permutation(found)]

    def trade_dates(
        self,
        symbol: str,
        expiration: date,
        *,
        strike: int | None = None,
        first: date = date.min,
        last: date = date.max,
    ) -> list[date]:
        """Returns the dates on which an expiration has rows, ascending.

        Args:
            symbol: the option root.
            expiration: one that was never listed has no dates.
            strike: in thousandths of a dollar: the dates of its two contracts; None for all.
            first: no date before it is returned.
            last: no date after it is returned.
        """
        if symbol not in self.symbols:
            return []
        listed = self._listed(symbol, expiration)
        begins = [since for each, since in listed if strike is None or each == strike]
        if not begins:
            return []
        final = min(self._expiration(symbol, expiration).last_trading_day, self.last_date)
        return calendar.trading_days(max(first, min(begins)), min(last, final))

    def contracts(self, symbol: str, trade_date: date) -> Iterator[tuple[date, int]]:
        """Yields (expiration, strike in thousandths of a dollar) of what has rows on that date.

        They ascend. Each stands for two contracts: a call and a put.
        """
        root = listing.root_of(symbol)
        for expiration in listing.expirations(root, min(trade_date, self.last_date)):
            if expiration >= trade_date and self.trade_dates(
                symbol, expiration, first=trade_date, last=trade_date
            ):
                for strike, since in self._listed(symbol, expiration):
                    if since <= trade_date:
                        yield expiration, strike

    def size(self, query: Query) -> int:
        """Returns how many rows an answer has, without making them."""
        return sum(rows for rows, _ in self._plan(query))

    def blocks(
        self, query: Query, first: int = 0, end: int | None = None
    ) -> Iterator[ContractRows]:
        """Yields the rows of an answer in the order of the answer; nothing if there are none.

        Rows come contract by contract (by strike, the call before the put) over all dates asked
        for, then by time. A contract has rows from the date on which it was listed to its last
        day of trading. No block is much larger than `_BLOCK_ROWS` rows, save one contract's.

        Args:
            query: the parameters of the request.
            first: the number of the first row wanted, from 0.
            end: the number of the first row that is not wanted any more; None for all.
        """
        start = 0
        for rows, make in self._plan(query):
            low, high = max(first - start, 0), rows if end is None else min(end - start, rows)
            start += rows
            if high <= 0:
                return
            if (low, high) == (0, rows):
                yield make()
            elif low < high:
                yield from make().between(low, high)

    def _plan(self, query: Query) -> Iterator[tuple[int, Callable[[], ContractRows]]]:
        """Yields how many rows each block of an answer has, in order, and what makes it."""
        at = self._instants(query)
        if at is None:
            return
        first, last = at.dates[0], at.dates[-1]
        listed = [
            (strike, max(since, first))
            for strike, since in self._chosen(query, int(at.spot[0]), first)
            if since <= last
        ]
        of_trades = "price" in COLUMNS[query.greeks]
        for since, group in groupby(listed, key=lambda pair: pair[1]):
            strikes = np.array([strike for strike, _ in group], dtype=np.int64)
            part = at.from_day(since)
            width = len(part.days) * len(query.rights)
            size = _TRADED_STRIKES if of_trades else max(1, _BLOCK_ROWS // width)
            for start in range(0, len(strikes), size):
                some = strikes[start : start + size]
                if of_trades:
                    yield from self._of_trades(query, some, part)
                else:
                    yield len(some) * width, partial(self._block, query, some, part)

    def _expiration(self, symbol: str, day: date) -> Expiration:
        root = listing.root_of(symbol)
        new = Underlying(root.underlying, self.seed)
        return Expiration(root, self._underlyings.setdefault(root.underlying, new), day)

    def _listed(self, symbol: str, expiration: date) -> tuple[tuple[int, date], ...]:
        return listing.strikes(self._expiration(symbol, expiration), self.last_date)

    def _instants(self, query: Query) -> Instants | None:
        """Returns when there are rows for an expiration, or None."""
        days = self.trade_dates(
            query.symbol, query.expiration, first=query.first_date, last=query.last_date
        )
        if not days:
            return None
        of = self._expiration(query.symbol, query.expiration)
        if "open_interest" in COLUMNS[query.greeks]:
            return open_interest.reports(of, days)
        if is_daily(query.greeks) or "price" in COLUMNS[query.greeks]:
            return eod.closes(of, days)
        start = max(query.start, calendar.OPEN_MS)
        times = np.arange(
            start, min(query.end, calendar.CLOSE_MS) + 1, query.interval, dtype=np.int64
        )
        if not len(times):
            return None
        return instants(of, days, times)

    def _chosen(self, query: Query, spot: int, day: date) -> list[tuple[int, date]]:
        listed = list(self._listed(query.symbol, query.expiration))
        if query.strike is not None:
            return [pair for pair in listed if pair[0] == query.strike]
        if query.strike_range is not None:
            known = [pair for pair in listed if pair[1] <= day]
            nearest = min(range(len(known)), key=lambda n: abs(known[n][0] - spot * 10))
            return known[max(nearest - query.strike_range, 0) : nearest + query.strike_range + 1]
        return listed

    def _block(self, query: Query, strikes: Ints, at: Instants) -> ContractRows:
        of, columns = self._expiration(query.symbol, query.expiration), COLUMNS[query.greeks]
        if "open_interest" in columns:
            found = open_interest.figures(of, strikes, at)
        elif is_daily(query.greeks):
            found = eod.figures(of, strikes, at)
        elif "open" in columns:
            traded = self._trades(query, strikes, at)
            found = bars(traded, 2 * len(strikes), at, query.interval)
        else:
            bid, ask = quotes(of, strikes, at)
            found = {"bid": bid, "ask": ask}
            if "bid_size" in columns:
                found = sizes(query.expiration, strikes, at, bid, ask)
        picked = [("CALL", "PUT").index(right) for right in query.rights]
        shape = (len(strikes) * len(picked), len(at.days))
        figures = {name: values[:, picked].reshape(shape) for name, values in found.items()}
        contracts = [(int(strike), right) for strike in strikes for right in query.rights]
        return _made(query, contracts, at, figures)

    def _trades(self, query: Query, strikes: Ints, at: Instants) -> Trades:
        """Returns the trades of some contracts on the trade dates of some instants."""
        of = self._expiration(query.symbol, query.expiration)
        return trades(of, strikes, eod.closes(of, at.dates))

    def _of_trades(
        self, query: Query, strikes: Ints, at: Instants
    ) -> Iterator[tuple[int, Callable[[], ContractRows]]]:
        """Yields as `_plan` does: a block is the trades of a contract within the times of day."""
        found = self._trades(query, strikes, at)
        times = found.at.milliseconds
        found = found.part((times >= query.start) & (times <= query.end))
        for place, strike in enumerate(strikes.tolist()):
            for right in query.rights:
                own = found.part(found.contract == 2 * place + ("CALL", "PUT").index(right))
                if rows := len(own.contract):
                    figures = {name: values[None] for name, values in own.numbers.items()}
                    yield rows, partial(_made, query, [(strike, right)], own.at, figures)


def _made(
    query: Query, contracts: list[tuple[int, str]], at: Instants, figures: dict[str, Ints]
) -> ContractRows:
    made = numbers(query, contracts, at, figures)
    return ContractRows(query.symbol, query.expiration, contracts, at, made)

"""How many contracts an expiration has, learnt from expirations that are done.

Near expirations have several times the contracts of far ones, so sizes are kept by symbol
and by days to expiration, and interpolated in between.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from transforms.market.calendar import CLOSE_MS, OPEN_MS
from transforms.market.clock import clock_ms, interval_ms
from transforms.model import GreeksRequest
from transforms.orders import END_OF_DAY

TICK = "tick"


@lru_cache(maxsize=16)
def moments(interval: str, parameters: tuple[tuple[str, str], ...] = ()) -> float:
    """Returns how many rows one contract has in a trade date.

    Args:
        interval: as in `GreeksRequest`. `tick`, whose rows are unknown, counts as one: sizes
            learnt from ticks are only good for ticks.
        parameters: of the request: `start_time` and `end_time` bound the day, both included.
    """
    if interval in (TICK, END_OF_DAY):
        return 1.0
    given = dict(parameters)
    first = clock_ms(given["start_time"]) if "start_time" in given else OPEN_MS
    last = clock_ms(given["end_time"]) if "end_time" in given else CLOSE_MS
    return float(1 + max(0, last - first) // interval_ms(interval))


def days_to_expiration(request: GreeksRequest) -> float:
    """Returns the mean of the calendar days from a request's trade dates to its expiration."""
    days = [(request.expiration - day).days for day in request.trade_dates]
    return sum(days) / len(days)


class Sizes:
    """Contracts by symbol and days to expiration."""

    def __init__(self) -> None:
        self._known: dict[str, dict[float, tuple[float, int]]] = {}
        self._places: dict[str, list[float]] = {}

    def learn(self, symbol: str, days: float, contracts: float, number: int = 1) -> None:
        """Remembers a number of expirations: their contracts in all, `days` before they expired."""
        points = self._known.setdefault(symbol, {})
        if days not in points:
            insort(self._places.setdefault(symbol, []), days)
        total, count = points.get(days, (0.0, 0))
        points[days] = (total + contracts, count + number)

    def contracts(self, symbol: str, days: float) -> float | None:
        """Returns the contracts of an expiration that is `days` away, or None if nothing is known.

        Between two known distances it is interpolated; outside of all, the nearest one's.
        """
        points = self._known.get(symbol)
        if not points:
            return None
        places = self._places[symbol]
        after = bisect_left(places, days)
        near = places[max(after - 1, 0)], places[min(after, len(places) - 1)]
        low, high = (points[place][0] / points[place][1] for place in near)
        width = near[1] - near[0]
        return low if width == 0 else low + (high - low) * (days - near[0]) / width

    def rows(self, request: GreeksRequest) -> float | None:
        """Returns the rows to expect of a request, or None if nothing is known of its symbol."""
        contracts = self.contracts(_kind(request), days_to_expiration(request))
        return None if contracts is None else contracts * _amount(request)

    def learn_rows(self, request: GreeksRequest, rows: float) -> None:
        """Remembers the rows of a request that is done."""
        self.learn(_kind(request), days_to_expiration(request), rows / _amount(request))

    def describe(self) -> dict[str, list[list[float]]]:
        """Returns what was learnt, JSON-ready: (days, contracts, expirations) by symbol."""
        return {
            symbol: [
                [round(days, 1), round(points[days][0], 3), points[days][1]]
                for days in self._places[symbol]
            ]
            for symbol, points in self._known.items()
        }

    def learn_described(self, described: Mapping[str, Any]) -> None:
        """Remembers what `describe` returned, of another run.

        Raises:
            ValueError, TypeError, AttributeError: it did not.
        """
        for symbol, points in described.items():
            for days, total, number in points:
                self.learn(str(symbol), float(days), float(total), int(number))


class Workload:
    """Requests that are to be done, added up by symbol and by days to expiration.

    Args:
        requests: to begin with.

    Attributes:
        number: of the requests.
        nearest: of each symbol, the request whose expiration is nearest; apart from it that of
            ticks.
        farthest: likewise, the request whose expiration is farthest.
    """

    def __init__(self, requests: Iterable[GreeksRequest] = ()) -> None:
        self.number = 0
        self.nearest: dict[str, GreeksRequest] = {}
        self.farthest: dict[str, GreeksRequest] = {}
        self._amounts: dict[tuple[str, float], tuple[float, int]] = {}
        for request in requests:
            self.add(request)

    def add(self, request: GreeksRequest) -> None:
        """Adds a request."""
        days = self._count(request, 1)
        kind = _kind(request)
        if kind not in self.nearest or days < days_to_expiration(self.nearest[kind]):
            self.nearest[kind] = request
        if kind not in self.farthest or days > days_to_expiration(self.farthest[kind]):
            self.farthest[kind] = request

    def remove(self, request: GreeksRequest) -> None:
        """Takes out a request that is done."""
        self._count(request, -1)

    def rows(self, sizes: Sizes, others: Sizes | None = None, scale: float = 1.0) -> float | None:
        """Returns the rows to expect of all, or None if there is a symbol that nobody knows.

        Args:
            sizes: what is known.
            others: for symbols that `sizes` does not know.
            scale: contracts over those that `sizes` knows.
        """
        rows = 0.0
        for (symbol, days), (amount, _) in self._amounts.items():
            contracts = sizes.contracts(symbol, days)
            if contracts is not None:
                contracts *= scale
            elif others is not None:
                contracts = others.contracts(symbol, days)
            if contracts is None:
                return None
            rows += contracts * amount
        return rows

    def _count(self, request: GreeksRequest, sign: int) -> float:
        days = days_to_expiration(request)
        key = _kind(request), round(days, 1)
        amount, number = self._amounts.get(key, (0.0, 0))
        self._amounts[key] = amount + sign * _amount(request), number + sign
        if not self._amounts[key][1]:
            del self._amounts[key]
        self.number += sign
        return days


def _kind(request: GreeksRequest) -> str:
    """Returns what its contracts are known by: the symbol, and apart from it that of ticks."""
    return f"{request.symbol} {TICK}" if request.interval == TICK else request.symbol


def _amount(request: GreeksRequest) -> float:
    """Returns how many rows a request has of each contract."""
    return moments(request.interval, request.parameters) * len(request.trade_dates)

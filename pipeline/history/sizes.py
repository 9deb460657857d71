"""How many contracts an expiration has, learnt from expirations that are done.

Near expirations have several times the contracts of far ones, so sizes are kept by symbol
and by days to expiration, and interpolated in between.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping

from transforms.market.calendar import CLOSE_MS, OPEN_MS
from transforms.market.clock import clock_ms, interval_ms
from transforms.model import GreeksRequest
from transforms.orders import END_OF_DAY

TICK = "tick"


def moments(interval: str, parameters: Mapping[str, str] | None = None) -> float:
    """Returns how many rows one contract has in a trade date.

    Args:
        interval: as in `GreeksRequest`. `tick`, whose rows are unknown, counts as one: sizes
            learnt from ticks are only good for ticks.
        parameters: of the request: `start_time` and `end_time` bound the day, both included.
    """
    if interval in (TICK, END_OF_DAY):
        return 1.0
    given = parameters or {}
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

    def learn(self, symbol: str, days: float, contracts: float) -> None:
        """Remembers an expiration: its contracts, `days` before it expired."""
        points = self._known.setdefault(symbol, {})
        if days not in points:
            insort(self._places.setdefault(symbol, []), days)
        total, count = points.get(days, (0.0, 0))
        points[days] = (total + contracts, count + 1)

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
        contracts = self.contracts(request.symbol, days_to_expiration(request))
        if contracts is None:
            return None
        each = moments(request.interval, dict(request.parameters))
        return contracts * each * len(request.trade_dates)

    def learn_rows(self, request: GreeksRequest, rows: float) -> None:
        """Remembers the rows of a request that is done."""
        each = moments(request.interval, dict(request.parameters))
        contracts = rows / (each * len(request.trade_dates))
        self.learn(request.symbol, days_to_expiration(request), contracts)

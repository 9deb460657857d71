"""Greeks that an answer does not have, computed from each row's own numbers (`--derive`).

The formulas, the count of time and the search for the rate are those with which `greeks check`
recomputes the vendor's Greeks, and the numbers are cut as the vendor's are.
"""

import numpy as np
import pyarrow as pa

from transforms.arrays import Floats, Ints
from transforms.audit.printed import PRINTED
from transforms.audit.recognition import count_of_time, years_of
from transforms.audit.recomputation import rates_of
from transforms.audit.vendor_rate import ImpliedRate
from transforms.model import GreeksRequest
from transforms.pricing.black_scholes import greeks
from transforms.pricing.conventions import as_printed
from transforms.quality.block import Block
from transforms.quality.columns import arrays
from transforms.workers.turns import CONVERTING

_SAMPLE = 2048  # rows of a group, from which its rate takes a millisecond
_UNKNOWN = ImpliedRate(0.04, 1.0)  # where no row has a volatility: nothing depends on it
_SETTLED, _CALM = 1e-4, 0.1  # d1 is printed so; a rate's doubt moves it by doubt·√T/volatility
_INPUTS = (
    *("strike", "right", "timestamp", "underlying_price", "price"),
    *("bid", "bid_implied_vol", "midpoint", "implied_vol", "ask", "ask_implied_vol", "iv_error"),
    *("delta", "rho", "epsilon", "dual_delta"),
)


class Derivation:
    """Appends the Greeks that a request derives to its rows, group by group.

    A row's Greeks follow from its `implied_vol`, `strike`, `right`, `underlying_price` and
    `timestamp`, the annual dividend of the request, and the interest rate of its trade date, which
    no row has: it is what the prices and volatilities of the rows imply (`audit.vendor_rate`). The
    first group of a trade date determines it; the next ones do where that leaves it vague. As the
    printed volatility is cut, the middle of what it may have been is taken.

    Where `implied_vol` is 0, not solved, a derived Greek is what the vendor gives there: 0, and a
    delta of 1 or -1. Where an input is missing, it is null.

    Args:
        request: with the names in `derived`, and the rows in its order.
        generation: of the API that the rows come from, `v3` or `v2`: how time is counted where the
            rows don't show it.
    """

    def __init__(self, request: GreeksRequest, generation: str) -> None:
        told = dict(request.parameters)
        self._request, self._schema = request, request.schema
        self._version = "1" if generation == "v2" else told.get("version", "latest")
        self._dividend = float(told.get("annual_dividend", 0))
        self._rates: dict[int, ImpliedRate] = {}
        self._settled: set[int] = set()
        self._inputs = [name for name in _INPUTS if name in request.order.schema.names]

    def complete(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the rows with the derived columns after the others.

        Args:
            rows: a row group, as `RowGroups` yields them.
        """
        with CONVERTING, np.errstate(all="ignore"):
            derived = self._derived(rows.select(self._inputs))
            columns = [_column(derived[name]) for name in self._request.derived]
            return pa.RecordBatch.from_arrays([*rows.columns, *columns], schema=self._schema)

    def _derived(self, rows: pa.RecordBatch) -> dict[str, Floats]:
        block = self._block(rows)
        rate = self._rates_of(block, rows)
        spot, volatility = block["underlying_price"], block["implied_vol"]
        solved = volatility > 0
        found = greeks(
            np.where(spot > 0, spot, np.nan),
            block["strike"],
            years_of(block, self._version),
            rate,
            np.where(solved, volatility + PRINTED / 2, volatility),
            block.is_call,
            self._dividend / spot if self._dividend else 0.0,
            self._request.derived,
        )
        missing = np.isnan(spot + volatility)
        return {name: np.where(missing, np.nan, values) for name, values in found.items()}

    def _block(self, rows: pa.RecordBatch) -> Block:
        daily = self._request.order.daily
        return Block(arrays(rows), self._request.expiration, daily, self._dividend)

    def _rates_of(self, block: Block, rows: pa.RecordBatch) -> Floats | float:
        """Returns the rate of each row; one number where all are of one trade date."""
        if block.only_day is not None:
            return self._rate(block.only_day, np.arange(len(block)), rows)
        rates = np.zeros(len(block))
        for day in np.unique(block.day).tolist():
            places = np.flatnonzero(block.day == day)
            rates[places] = self._rate(day, places, rows)
        return rates

    def _rate(self, day: int, places: Ints, rows: pa.RecordBatch) -> float:
        """Returns the rate of a trade date, by all that is known so far."""
        if day not in self._settled:
            some = places[np.linspace(0, len(places) - 1, min(_SAMPLE, len(places))).astype(int)]
            sample = self._block(rows.take(pa.array(some)))
            self._version = count_of_time(sample) or self._version
            years = years_of(sample, self._version)
            dividend_yield = self._dividend / sample["underlying_price"]
            found = rates_of(sample, sample.price, years, None, dividend_yield)[day]
            known = self._rates.get(day, _UNKNOWN)
            if found is not None and found.doubt < known.doubt:
                self._rates[day] = known = found
            if known.doubt * np.sqrt(years.max()) / _CALM < _SETTLED:
                self._settled.add(day)
        return self._rates.get(day, _UNKNOWN).rate


def _column(values: Floats) -> pa.Array:
    printed = as_printed(values)
    finite = np.isfinite(printed)
    if finite.all():
        buffers = [None, pa.py_buffer(printed)]
        return pa.Array.from_buffers(pa.float64(), len(printed), buffers, 0)
    return pa.array(printed, mask=~finite)

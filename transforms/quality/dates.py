"""Which trade dates the rows of one expiration are of."""

from datetime import date

import numpy as np
import pyarrow as pa

from transforms.market.clock import DAY_MS, EPOCH
from transforms.quality.block import new_york
from transforms.quality.columns import milliseconds


class TradeDates:
    """Notes the trade dates of rows as they pass by: by their timestamps, on New York's clocks."""

    def __init__(self) -> None:
        self._days: set[int] = set()

    def add(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Takes rows, at least one; only their `timestamp` is looked at."""
        shown = new_york(milliseconds(rows["timestamp"]))
        first, last = int(shown.min()) // DAY_MS, int(shown.max()) // DAY_MS
        self._days.update([first] if first == last else np.unique(shown // DAY_MS).tolist())

    @property
    def found(self) -> set[date]:
        """The trade dates of all rows so far."""
        return {date.fromordinal(EPOCH + day) for day in self._days}

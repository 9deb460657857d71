"""Rows of one expiration as NumPy arrays, on New York's clocks."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.black_scholes import ALL_GREEKS, midpoint
from transforms.early_closes import close_ms
from transforms.presence import DAY_MS, Ints

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EPOCH = date(1970, 1, 1).toordinal()
_STEADY = 100 * DAY_MS  # New York's clocks change at most once in so many days


@dataclass
class Block:
    """Rows of one expiration, as NumPy arrays.

    Attributes:
        table: the rows, each column in one piece.
        expiration: of the contracts.
        daily: one row for each contract and trade date.
        annual_dividend: that the Greeks were computed with, in dollars.
        time: of each row, milliseconds since 1970-01-01 on New York's clocks.
    """

    table: pa.Table
    expiration: date
    daily: bool
    annual_dividend: float = 0.0
    time: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._columns: dict[str, Floats] = {}
        self.names = frozenset(self.table.column_names)
        self.instant = milliseconds(self.table["timestamp"])
        self.time = new_york(self.table["timestamp"], self.instant)
        self.day = self.time // DAY_MS
        self.clock = self.time - self.day * DAY_MS
        self.is_call = pc.equal(self.table["right"], "C").to_numpy()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __getitem__(self, name: str) -> Floats:
        """Returns a column of numbers; null is NaN."""
        if name not in self._columns:
            self._columns[name] = np.asarray(self.table[name].to_numpy(), np.float64)
        return self._columns[name]

    @cached_property
    def greeks(self) -> list[str]:
        """The Greeks among the columns that hold any."""
        return [name for name in ALL_GREEKS if name in self.names and not _lacks(self.table, name)]

    @cached_property
    def closes(self) -> Ints:
        """When trading ends on each row's date, in milliseconds since midnight."""
        days = np.unique(self.day)
        closes = [close_ms(date.fromordinal(EPOCH + int(day))) for day in days]
        return np.array(closes, np.int64)[np.searchsorted(days, self.day)]

    @cached_property
    def age(self) -> Ints:
        """By how many milliseconds the underlying's price is older than the row; 0 if unknown."""
        column = self.table["underlying_timestamp"]
        if column.null_count:
            column = pc.coalesce(column, self.table["timestamp"])
        return self.instant - milliseconds(column)

    @cached_property
    def all_zero(self) -> Ints:
        """The rows whose Greeks are all 0."""
        first, *rest = self.greeks
        rows = np.flatnonzero(self[first] == 0)
        for name in rest:
            rows = rows[self[name][rows] == 0] if len(rows) else rows
        return rows

    @property
    def code(self) -> Ints:
        """A number for each contract: its strike in tenths of a cent, its right in the last bit."""
        return code_of(self["strike"], self.is_call)

    def years(self, rows: Ints) -> Floats:
        """Returns the most time to expiration that a row may have."""
        days = self.expiration.toordinal() - EPOCH - self.day[rows]
        return np.maximum(days + 1, 1) / 365

    def price(self) -> Floats:
        """Returns what the volatility was solved for: the middle; in v2's end of day the close."""
        if self.daily and "close" in self.names and _lacks(self.table, "dual_delta"):
            return self["close"]
        return self["midpoint"] if "midpoint" in self.names else midpoint(self["bid"], self["ask"])


def new_york(column: pa.ChunkedArray, instant: Ints) -> Ints:
    """Returns instants, milliseconds since 1970 in UTC, as milliseconds on New York's clocks."""
    ends = pa.array([instant.min(), instant.max()]).cast(pa.int64()).cast(column.type)
    offsets = milliseconds(pa.chunked_array([pc.local_timestamp(ends)])) - milliseconds(
        pa.chunked_array([ends])
    )
    if offsets[0] == offsets[1] and instant.max() - instant.min() < _STEADY:
        return np.asarray(instant + offsets[0])
    return milliseconds(pc.local_timestamp(column))


def milliseconds(column: pa.ChunkedArray) -> Ints:
    """Returns a column of timestamps as milliseconds since 1970."""
    return np.asarray(column.cast(pa.timestamp("ms", column.type.tz)).cast(pa.int64()).to_numpy())


def _lacks(table: pa.Table, name: str) -> bool:
    return name not in table.column_names or table[name].null_count == table.num_rows


def code_of(strike: Floats, is_call: Flags) -> Ints:
    """Returns a number for each contract, from which `contract` has strike and right."""
    return np.asarray(np.rint(strike * 1000).astype(np.int64) * 2 + ~is_call)


def contract(code: int) -> tuple[float, str]:
    """Returns the strike and the right of a contract's number."""
    return code // 2 / 1000, "CP"[code % 2]

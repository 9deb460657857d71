"""Rows of data files as numpy columns, in pieces, for one symbol and a range of trade dates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.inspection.reader import read_batches
from transforms.arrays import Flags, Floats, Ints
from transforms.market.clock import DAY_MS, EPOCH

BASE = ("bid", "ask", "implied_vol", "iv_error", "underlying_price")

_PIECE = 1 << 17


class NoRows(ValueError):
    """There is nothing to report on; the message says why, and what to do."""


class NoSuchDay(NoRows):
    """The files have no row of the trade date."""


@dataclass(frozen=True)
class Piece:
    """Some rows of one expiration on one trade date.

    Attributes:
        expiration: of every row.
        trade_date: of every row, in New York.
        time: milliseconds since midnight in New York.
        strike: dollars.
        is_call: true for a call, false for a put.
        values: the other columns by name, nan where empty.
    """

    expiration: date
    trade_date: date
    time: Ints
    strike: Floats
    is_call: Flags
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.time)

    @property
    def solved(self) -> Flags:
        """Whether there are a price, a spot and a volatility: 0 is none, nor is an error of 100."""
        found = (self.values["implied_vol"] > 0) & (self.values["underlying_price"] > 0)
        # A quote's middle below a cent is none; rows of older days may have no quote.
        found &= ~(self.values["bid"] + self.values["ask"] < 0.015)
        return np.asarray(found & (np.abs(self.values["iv_error"]) < 100))

    @property
    def out_of_the_money(self) -> Flags:
        """Whether it is a call above the underlying, or at it, or a put below it."""
        spot = self.values["underlying_price"]
        return np.where(self.is_call, self.strike >= spot, self.strike < spot)

    def where(self, which: Flags | Ints) -> "Piece":
        """Returns the rows that a mask or their places pick."""
        return replace(
            self,
            time=self.time[which],
            strike=self.strike[which],
            is_call=self.is_call[which],
            values={name: column[which] for name, column in self.values.items()},
        )


def dates_and_symbols(path: str) -> tuple[frozenset[str], date, date]:
    """Returns a file's symbols, and its first and last trade date.

    Raises:
        NoRows: the file is empty.
        UnreadableFile: the file can't be read, or a key column is missing.
    """
    symbols: set[str] = set()
    days: list[date] = []
    for table in read_batches(path, ()):
        symbols |= set(pc.unique(table["symbol"]).to_pylist())
        ends = pc.min_max(pc.local_timestamp(table["timestamp"]))
        days += [ends["min"].as_py().date(), ends["max"].as_py().date()]
    if not days:
        raise NoRows(f"{path} has no row")
    return frozenset(symbols), min(days), max(days)


def trade_dates(path: str, symbol: str) -> set[date]:
    """Returns the trade dates of which a file has rows of a symbol.

    Raises:
        UnreadableFile: the file can't be read, or a key column is missing.
    """
    days: set[date] = set()
    for table in read_batches(path, ()):
        rows = table.filter(pc.equal(table["symbol"], symbol))
        days |= set(pc.unique(pc.local_timestamp(rows["timestamp"]).cast(pa.date32())).to_pylist())
    return days


def pieces(
    path: str, symbol: str, first: date, last: date, columns: Sequence[str]
) -> Iterator[Piece]:
    """Yields the rows of one symbol on the trade dates `first` to `last`, both included.

    Args:
        path: a Parquet or CSV file with ThetaData's columns.
        symbol: the option root.
        first: the first trade date.
        last: the last trade date.
        columns: what to read besides the keys; those that the file lacks are all nan.

    Raises:
        UnreadableFile: the file can't be read, or a key column is missing.
    """
    for table in read_batches(path, columns, (first, last), _PIECE):
        kept = pc.equal(table["symbol"], symbol)
        if not pc.all(kept).as_py():
            table = table.filter(kept)
        if not table.num_rows:
            continue
        yield from _split(table, first, last, columns)


def _split(table: pa.Table, first: date, last: date, columns: Sequence[str]) -> Iterator[Piece]:
    local = _numbers(pc.local_timestamp(table["timestamp"]).cast(pa.int64()), np.int64)
    days, times = np.divmod(local, DAY_MS)
    expirations = _numbers(table["expiration"].cast(pa.int32()), np.int64)
    kept = (days >= first.toordinal() - EPOCH) & (days <= last.toordinal() - EPOCH)
    strike = _numbers(table["strike"].cast(pa.float64()), np.float64)
    calls = _numbers(pc.equal(table["right"], "C"), np.bool_)
    values = {
        name: _finite(_numbers(table[name].cast(pa.float64()), np.float64))
        if name in table.column_names
        else np.full(len(local), np.nan)
        for name in columns
    }
    groups = days * 1_000_000 + expirations
    for group in np.unique(groups[kept]):
        mask = kept & (groups == group)
        day, expiration = (date.fromordinal(EPOCH + n) for n in divmod(int(group), 1_000_000))
        whole = Piece(expiration, day, times, strike, calls, values)
        yield whole if mask.all() else whole.where(mask)


def _finite(values: Floats) -> Floats:
    """Returns the numbers, nan where there is none: nothing else can be drawn or averaged."""
    return np.where(np.isfinite(values), values, np.nan)


def _numbers(column: pa.ChunkedArray, kind: type) -> Any:
    return column.to_numpy(zero_copy_only=False).astype(kind, copy=False)

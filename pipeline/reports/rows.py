"""Rows of data files as numpy columns, in pieces, for one symbol and a range of trade dates."""

import csv as standard_csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet
from numpy.typing import NDArray

from transforms.schema import ORDERS, ZONE, schema_of

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".csv.zst")
KEYS = ("strike", "right", "timestamp")
BASE = ("bid", "ask", "implied_vol", "iv_error", "underlying_price")

_TYPES = {field.name: field.type for order in ORDERS for field in schema_of(order)}
_PIECE = 1 << 17
_HEADER_BYTES = 1 << 16
_EPOCH = date(1970, 1, 1)

Floats = NDArray[np.float64]


class NoRows(ValueError):
    """There is nothing to report on; the message says why, and what to do."""


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
    time: NDArray[np.int64]
    strike: Floats
    is_call: NDArray[np.bool_]
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.time)

    @property
    def solved(self) -> NDArray[np.bool_]:
        """Whether there is a volatility: ThetaData's 0 is none, and so is an error of 100."""
        found = self.values["implied_vol"] > 0
        return np.asarray(found & (np.abs(self.values["iv_error"]) < 100))

    @property
    def out_of_the_money(self) -> NDArray[np.bool_]:
        """Whether it is a call above the underlying, or at it, or a put below it."""
        spot = self.values["underlying_price"]
        return np.where(self.is_call, self.strike >= spot, self.strike < spot)

    def where(self, mask: NDArray[np.bool_]) -> "Piece":
        """Returns the rows that `mask` picks."""
        values = {name: column[mask] for name, column in self.values.items()}
        return Piece(self.expiration, self.trade_date, self.time[mask], self.strike[mask],
                     self.is_call[mask], values)  # fmt: skip


def find_files(folder: Path) -> list[Path]:
    """Returns the data files below a folder, by name."""
    return sorted(path for path in folder.rglob("*") if path.name.endswith(SUFFIXES))


def columns_of(path: Path) -> list[str]:
    """Returns the names of a file's columns.

    Raises:
        OSError: the file can't be read.
        pyarrow.ArrowInvalid: it is not what its suffix says.
    """
    if path.name.endswith(".parquet"):
        return list(parquet.read_schema(path).names)
    # Not by Arrow's reader: it reads ahead in a thread, which goes on when the file is closed, and
    # takes bytes from the file that is opened next under the same number (apache/arrow#43604).
    with pa.input_stream(path) as stream:  # also decompresses, by the suffix
        head = stream.read(_HEADER_BYTES).decode("utf-8-sig", "replace").splitlines()[:1]
    return next(standard_csv.reader(head), [])


def dates_and_symbols(path: Path) -> tuple[frozenset[str], date, date]:
    """Returns a file's symbols, and its first and last trade date.

    Raises:
        NoRows: the file is empty.
        OSError: the file can't be read.
        pyarrow.ArrowInvalid: it is not what its suffix says, or a key column is missing.
    """
    symbols: set[str] = set()
    days: list[date] = []
    for batch in _batches(path, ["symbol", "timestamp"], date.min, date.max):
        if batch.num_rows:
            symbols |= set(pc.unique(batch["symbol"]).to_pylist())
            ends = pc.min_max(pc.local_timestamp(_zoned(batch["timestamp"])))
            days += [ends["min"].as_py().date(), ends["max"].as_py().date()]
    if not days:
        raise NoRows(f"{path} has no row")
    return frozenset(symbols), min(days), max(days)


def pieces(
    path: Path, symbol: str, first: date, last: date, columns: Sequence[str]
) -> Iterator[Piece]:
    """Yields the rows of one symbol on the trade dates `first` to `last`, both included.

    Args:
        path: a Parquet or CSV file with ThetaData's columns.
        symbol: the option root.
        first: the first trade date.
        last: the last trade date.
        columns: what to read besides the keys; those that the file lacks are all nan.

    Raises:
        OSError: the file can't be read.
        pyarrow.ArrowInvalid: it is not what its suffix says, or a key column is missing.
    """
    for batch in _batches(path, ["symbol", "expiration", *KEYS, *columns], first, last):
        table = pa.table(batch)
        kept = pc.equal(table["symbol"], symbol)
        if not pc.all(kept).as_py():
            table = table.filter(kept)
        if not table.num_rows:
            continue
        yield from _split(table, first, last, columns)


def _split(table: pa.Table, first: date, last: date, columns: Sequence[str]) -> Iterator[Piece]:
    local = _numbers(pc.local_timestamp(_zoned(table["timestamp"])).cast(pa.int64()), np.int64)
    days, times = np.divmod(local, 86_400_000)
    expirations = _numbers(table["expiration"].cast(pa.int32()), np.int64)
    kept = (days >= (first - _EPOCH).days) & (days <= (last - _EPOCH).days)
    strike = _numbers(table["strike"].cast(pa.float64()), np.float64)
    calls = _numbers(pc.starts_with(table["right"].cast(pa.string()), "C"), np.bool_)
    values = {
        name: _numbers(table[name].cast(pa.float64()), np.float64)
        if name in table.column_names
        else np.full(len(local), np.nan)
        for name in columns
    }
    groups = days * 1_000_000 + expirations
    for group in np.unique(groups[kept]):
        mask = kept & (groups == group)
        day, expiration = divmod(int(group), 1_000_000)
        whole = Piece(_EPOCH + timedelta(expiration), _EPOCH + timedelta(day), times, strike,
                      calls, values)  # fmt: skip
        yield whole if mask.all() else whole.where(mask)


def _zoned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type.tz is None:
        # Other tools write New York's time without its zone.
        return pc.assume_timezone(column.cast(pa.timestamp("ms")), ZONE, ambiguous="earliest")
    return column.cast(pa.timestamp("ms", tz=ZONE))


def _numbers(column: pa.ChunkedArray, kind: type) -> Any:
    return column.to_numpy(zero_copy_only=False).astype(kind, copy=False)


def _batches(
    path: Path, columns: Sequence[str], first: date, last: date
) -> Iterator[pa.RecordBatch]:
    there = columns_of(path)
    wanted = [name for name in dict.fromkeys(columns) if name in there]
    missing = [name for name in ("symbol", "expiration", *KEYS) if name not in there]
    if missing:
        raise pa.ArrowInvalid(f"{path} has no column {', '.join(missing)}: not option Greeks")
    if path.name.endswith(".parquet"):
        file = parquet.ParquetFile(path)
        groups = _row_groups(file, there.index("timestamp"), first, last)
        yield from file.iter_batches(_PIECE, row_groups=groups, columns=wanted)
        return
    types = {name: _TYPES[name] for name in wanted if name in _TYPES}
    options = csv.ConvertOptions(column_types=types, include_columns=wanted)
    # The reader alone has the file, which is closed when it has read what it reads ahead.
    blocks = csv.ReadOptions(block_size=1 << 22)
    yield from csv.open_csv(pa.input_stream(path), blocks, convert_options=options)


def _row_groups(file: parquet.ParquetFile, column: int, first: date, last: date) -> list[int]:
    """The row groups that may hold rows of the dates, by what the file says of its own."""
    groups = []
    for number in range(file.metadata.num_row_groups):
        said = file.metadata.row_group(number).column(column).statistics
        if said is not None and said.has_min_max and isinstance(said.min, datetime):
            low, high = (_utc_date(instant) for instant in (said.min, said.max))
            # A day of New York touches two of UTC.
            if high < first or (low - last).days > 1:
                continue
        groups.append(number)
    return groups


def _utc_date(instant: datetime) -> date:
    return instant.astimezone(timezone.utc).date() if instant.tzinfo else instant.date()

"""Whose rows a Parquet file has: by its statistics where they prove it, else by reading them."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.market import NEW_YORK
from transforms.quality.dates import TradeDates

_ROWS = 1 << 16
"""Rows that are read at a time."""


def values(parquet: pq.ParquetFile, name: str) -> set[Any]:
    """Returns each value of a column whose row groups have one each, and None for a null.

    Of a row group with more, at least its least and its greatest.
    """
    found: set[Any] = set()
    for number in range(parquet.metadata.num_row_groups):
        ends = _ends(parquet, number, name)
        if ends is not None:
            found.update(ends)
            continue
        for batch in _batches(parquet, number, name):
            found.update(pc.unique(batch.column(0)).to_pylist())
    return found


def trade_dates(parquet: pq.ParquetFile) -> set[date | None]:
    """Returns the dates of all times in New York, and None for a null.

    A row group that begins and ends on one date has no other; of another, each row is read.
    """
    found: set[date | None] = set()
    for number in range(parquet.metadata.num_row_groups):
        ends = _ends(parquet, number, "timestamp")
        days = {instant.astimezone(NEW_YORK).date() for instant in ends or ()}
        if len(days) == 1:
            found |= days
            continue
        read = TradeDates()
        for batch in _batches(parquet, number, "timestamp"):
            if batch.column(0).null_count:
                found.add(None)
                batch = batch.filter(batch.column(0).is_valid())
            if batch.num_rows:
                read.add(batch)
        found |= read.found
    return found


def _ends(parquet: pq.ParquetFile, number: int, name: str) -> tuple[Any, Any] | None:
    """Returns a column's least and greatest value in a row group.

    None if they are not known, or not all that there is.
    """
    place = parquet.schema_arrow.names.index(name)
    known = parquet.metadata.row_group(number).column(place).statistics
    if known is None or not known.has_min_max or not known.has_null_count or known.null_count:
        return None
    return known.min, known.max


def _batches(parquet: pq.ParquetFile, number: int, name: str) -> Iterator[pa.RecordBatch]:
    yield from parquet.iter_batches(_ROWS, row_groups=[number], columns=[name], use_threads=False)

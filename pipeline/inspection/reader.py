"""Reads files of Greeks that anyone wrote, batch by batch, into this project's own types."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timezone

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.inspection.columns import STAMPS, TYPES, typed
from pipeline.inspection.files import (
    SUFFIXES,
    UnreadableFile,
    check_name,
    columns_of,
    compression_of,
    opened,
)
from transforms.orders.schema import KEY_COLUMNS

_BATCH_ROWS = 1 << 14


def read_batches(
    path: str,
    columns: Iterable[str] | None = None,
    dates: tuple[date, date] | None = None,
    rows: int = _BATCH_ROWS,
) -> Iterator[pa.Table]:
    """Yields a file's rows, some ten thousand at a time, with the names and types of `schema`.

    Columns that this project does not know are left out; an underlying's or an option's price may
    be an integer, a right any word that begins with C or P, and a time without a zone is New
    York's. At most one batch is held.

    Args:
        path: the file.
        columns: those to read besides the key's, or None for all; what the file lacks is left out.
        dates: the first and the last trade date that matter: a Parquet file's row groups
            whose statistics exclude them are not read.
        rows: of Parquet, at once.

    Raises:
        UnreadableFile: it is no CSV or Parquet, lacks a column of the key, or a cell is not of
            its column's type.
    """
    check_name(path)
    try:
        names = set(TYPES) if columns is None else {*KEY_COLUMNS, *columns} & set(TYPES)
        batches = (
            _parquet(path, names, dates, rows) if path.endswith(".parquet") else _csv(path, names)
        )
        for batch in batches:
            if batch.num_rows:
                yield typed(path, pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error


def _parquet(
    path: str, names: set[str], dates: tuple[date, date] | None, rows: int
) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(opened(path)) as file:
        there = file.schema_arrow.names
        columns = [name for name in there if name in names]
        groups = list(range(file.metadata.num_row_groups))
        if dates and "timestamp" in there:
            groups = list(_row_groups(file, there.index("timestamp"), *dates))
        yield from file.iter_batches(rows, row_groups=groups, columns=columns)


def _row_groups(file: pq.ParquetFile, column: int, first: date, last: date) -> Iterator[int]:
    """Yields the row groups that may hold rows of the dates, by their statistics."""
    for number in range(file.metadata.num_row_groups):
        said = file.metadata.row_group(number).column(column).statistics
        if said is not None and said.has_min_max and isinstance(said.min, datetime):
            low, high = (_utc_date(instant) for instant in (said.min, said.max))
            # A day of New York touches two of UTC.
            if high < first or (low - last).days > 1:
                continue
        yield number


def _utc_date(instant: datetime) -> date:
    return instant.astimezone(timezone.utc).date() if instant.tzinfo else instant.date()


def _csv(path: str, names: set[str]) -> Iterator[pa.RecordBatch]:
    if not path.endswith((".csv", ".csv.gz", ".csv.zst")):
        raise UnreadableFile(f"{path} does not end in {', '.join(SUFFIXES)}")
    types = {name: kind for name, kind in TYPES.items() if pa.types.is_floating(kind)}
    types |= dict.fromkeys((*STAMPS, "symbol", "right", "expiration"), pa.string())
    # Not closed here: Arrow reads on in a thread of its own, which would take bytes of the file
    # that gets the same number next. It is closed with its reader.
    yield from pacsv.open_csv(
        pa.input_stream(opened(path), compression=compression_of(path)),
        pacsv.ReadOptions(block_size=1 << 21),
        convert_options=pacsv.ConvertOptions(
            column_types=types, include_columns=[name for name in columns_of(path) if name in names]
        ),
    )

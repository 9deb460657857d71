"""Reads files of Greeks that anyone wrote, batch by batch, into this project's own types."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from transforms.schema import KEY_COLUMNS, ORDERS, ZONE, schema_of

SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".parquet")
_BATCH_ROWS = 1 << 14
_HEADER_BYTES = 1 << 16
_STAMPS = ("timestamp", "underlying_timestamp")
_TYPES = {field.name: field.type for order in ORDERS for field in schema_of(order)}
_PRICES = ("underlying_price", "strike", "bid", "ask", "midpoint", "close")
_STAMP = pa.timestamp("ms", ZONE)
_WITH_OFFSET = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"


class UnreadableFile(ValueError):
    """A file can't be read as rows of Greeks. The message begins with its path."""


def find_files(paths: Sequence[str]) -> list[str]:
    """Returns the files that paths name: themselves, or all that a folder holds, sorted.

    Raises:
        UnreadableFile: a path is not there, or a folder has no file of `SUFFIXES`.
    """
    found: list[str] = []
    for name in paths:
        path = Path(name)
        if "://" in name:
            raise UnreadableFile(
                f"{name} is not on this machine: copy it here first, such as by `aws s3 sync`"
            )
        if not path.exists():
            raise UnreadableFile(f"{name} is not there")
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and _known(p.name))
            if not inside:
                raise UnreadableFile(f"{name} has no file that ends in {', '.join(SUFFIXES)}")
            found += map(str, inside)
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def _known(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith((".", "_"))


def columns_of(path: str) -> list[str]:
    """Returns the names of a file's columns.

    Raises:
        UnreadableFile: it is no CSV or Parquet.
    """
    try:
        if path.endswith(".parquet"):
            return list(pq.read_schema(path).names)
        # Not by Arrow's reader: it reads ahead in a thread, which goes on when the file is closed,
        # and takes bytes from the file that is opened next under the same number
        # (apache/arrow#43604).
        with pa.input_stream(path, compression=_compression(path)) as stream:
            head = stream.read(_HEADER_BYTES).decode("utf-8-sig", "replace").splitlines()[:1]
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error
    return next(csv.reader(head), [])


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
        dates: the first and the last trade date that matter: a Parquet file's row groups that say
            of themselves that they have no row of them are not read.
        rows: of Parquet, at once.

    Raises:
        UnreadableFile: it is no CSV or Parquet, lacks a column of the key, or a cell is not what
            its column says.
    """
    try:
        names = set(_TYPES) if columns is None else {*KEY_COLUMNS, *columns} & set(_TYPES)
        batches = (
            _parquet(path, names, dates, rows) if path.endswith(".parquet") else _csv(path, names)
        )
        for batch in batches:
            if batch.num_rows:
                yield _typed(path, pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error


def _parquet(
    path: str, names: set[str], dates: tuple[date, date] | None, rows: int
) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        there = file.schema_arrow.names
        columns = [name for name in there if name in names]
        groups = list(range(file.metadata.num_row_groups))
        if dates and "timestamp" in there:
            groups = list(_row_groups(file, there.index("timestamp"), *dates))
        yield from file.iter_batches(rows, row_groups=groups, columns=columns)


def _row_groups(file: pq.ParquetFile, column: int, first: date, last: date) -> Iterator[int]:
    """The row groups that may hold rows of the dates, by what the file says of its own."""
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


def _compression(path: str) -> str | None:
    return {"gz": "gzip", "zst": "zstd"}.get(path.rpartition(".")[2])


def _csv(path: str, names: set[str]) -> Iterator[pa.RecordBatch]:
    if not path.endswith((".csv", ".csv.gz", ".csv.zst")):
        raise UnreadableFile(f"{path} does not end in {', '.join(SUFFIXES)}")
    types = {name: kind for name, kind in _TYPES.items() if pa.types.is_floating(kind)}
    types |= dict.fromkeys((*_STAMPS, "symbol", "right", "expiration"), pa.string())
    # Not closed here: Arrow reads on in a thread of its own, which would take bytes of the file
    # that gets the same number next. It is closed with its reader.
    yield from pacsv.open_csv(
        pa.input_stream(path, compression=_compression(path)),
        pacsv.ReadOptions(block_size=1 << 21),
        convert_options=pacsv.ConvertOptions(
            column_types=types, include_columns=[name for name in columns_of(path) if name in names]
        ),
    )


def _typed(path: str, table: pa.Table) -> pa.Table:
    if "symbol" not in table.column_names:
        table = table.append_column("symbol", pa.repeat("", table.num_rows))
    lacking = [name for name in KEY_COLUMNS if name not in table.column_names]
    if lacking:
        raise UnreadableFile(
            f"{path} has no column {', '.join(lacking)}: rows of Greeks are named by "
            f"{', '.join(KEY_COLUMNS)}"
        )
    columns = {}
    for name in table.column_names:
        if name in _TYPES:
            columns[name] = _column(path, name, table[name])
    for name in KEY_COLUMNS:
        if columns[name].null_count:
            raise UnreadableFile(f"{path} has a row without {name}")
    return pa.table(columns)


def _column(path: str, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if name in _STAMPS:
        return _stamps(column)
    if name == "right":
        first = pc.utf8_upper(
            pc.utf8_slice_codeunits(pc.utf8_trim(column.cast(pa.string()), " "), 0, 1)
        )
        if not pc.all(pc.is_in(first, pa.array(["C", "P", None]))).as_py():
            raise UnreadableFile(f"{path}: a right is neither a call nor a put")
        return first
    if name == "expiration":
        if pa.types.is_integer(kind):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            digits = pc.replace_substring(pc.utf8_slice_codeunits(column, 0, 10), "-", "")
            return pc.strptime(digits, format="%Y%m%d", unit="s").cast(pa.date32())
        return column.cast(pa.date32())
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    single = pa.types.is_float32(column.type) or pa.types.is_float16(column.type)
    column = column.cast(_TYPES[name])
    return _decimal(column, name in _PRICES) if single else column


def _decimal(column: pa.ChunkedArray, price: bool) -> pa.ChunkedArray:
    """Returns the decimals that were stored as float32, which holds 8.72 as 8.72000026.

    ThetaData's numbers have four, its prices above a thousand dollars two, which a float32 keeps.
    """
    cut = pc.round(column, 4)
    if not price:
        return cut
    return pc.if_else(pc.greater_equal(column, 1000), pc.round(column, 2), cut)


def _stamps(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz:
            return column.cast(_STAMP, safe=False)
        return pc.assume_timezone(column.cast(pa.timestamp("ms"), safe=False), ZONE)
    column = pc.replace_substring(
        pc.utf8_trim(column.cast(pa.string()), " "), " ", "T", max_replacements=1
    )
    # Arrow reads +00 and +0000 and +00:00, if all of a column have an offset or none has.
    with_offset = pc.match_substring_regex(column, _WITH_OFFSET)
    if not pc.any(with_offset).as_py():
        return pc.assume_timezone(column.cast(pa.timestamp("ms")), ZONE)
    if pc.all(with_offset).as_py():
        return column.cast(pa.timestamp("ms", "UTC")).cast(_STAMP)
    raise pa.ArrowInvalid("some times have an offset from UTC, and others have none")

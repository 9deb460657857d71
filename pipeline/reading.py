"""Reads files of Greeks that anyone wrote, batch by batch, into this project's own types."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from transforms.schema import KEY_COLUMNS, ORDERS, ZONE, schema_of

SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".parquet")
_BATCH_ROWS = 1 << 14
_STAMPS = ("timestamp", "underlying_timestamp")
_TYPES = {field.name: field.type for order in ORDERS for field in schema_of(order)}
_STAMP = pa.timestamp("ms", ZONE)
_OFFSET = re.compile(r".*T.*(Z|[+-]\d\d:?\d\d)$")


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
            raise UnreadableFile(f"{name} is not on this machine: copy it here first, such as by "
                                 "`aws s3 sync`")  # fmt: skip
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


def read_batches(path: str) -> Iterator[pa.Table]:
    """Yields a file's rows, some ten thousand at a time, with the names and types of `schema`.

    Columns that this project does not know are left out; an underlying's or an option's price may
    be an integer, a right any word that begins with C or P, and a time without a zone is New
    York's. At most one batch is held.

    Raises:
        UnreadableFile: it is no CSV or Parquet, lacks a column of the key, or a cell is not what
            its column says.
    """
    try:
        batches = _parquet(path) if path.endswith(".parquet") else _csv(path)
        for batch in batches:
            if batch.num_rows:
                yield _typed(path, pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error


def _parquet(path: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name in _TYPES]
        yield from file.iter_batches(_BATCH_ROWS, columns=columns)


def _csv(path: str) -> Iterator[pa.RecordBatch]:
    if not path.endswith((".csv", ".csv.gz", ".csv.zst")):
        raise UnreadableFile(f"{path} does not end in {', '.join(SUFFIXES)}")
    compression = {"gz": "gzip", "zst": "zstd"}.get(path.rpartition(".")[2])
    types = {name: kind for name, kind in _TYPES.items() if pa.types.is_floating(kind)}
    types |= dict.fromkeys((*_STAMPS, "symbol", "right", "expiration"), pa.string())
    # Not closed here: Arrow reads on in a thread of its own, which would take bytes of the file
    # that gets the same number next. It is closed with its reader.
    yield from pacsv.open_csv(
        pa.input_stream(path, compression=compression),
        pacsv.ReadOptions(block_size=1 << 21),
        convert_options=pacsv.ConvertOptions(column_types=types),
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
    return column.cast(_TYPES[name])


def _stamps(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz:
            return column.cast(_STAMP, safe=False)
        return pc.assume_timezone(column.cast(pa.timestamp("ms"), safe=False), ZONE)
    column = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
    first = next((cell for cell in column.slice(0, 1000).to_pylist() if cell), "")
    if _OFFSET.match(first):
        return column.cast(pa.timestamp("ms", "UTC")).cast(_STAMP)
    return pc.assume_timezone(column.cast(pa.timestamp("ms")), ZONE)

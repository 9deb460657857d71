"""The underlying's prices in the rows of one data file, whose bytes are proven first."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.inspection.files import compression_of
from transforms.orders.schema import COLUMNS, UNDERLYING
from transforms.storage import files

_READ = ("timestamp", *UNDERLYING)
_SCHEMA = pa.schema([(name, COLUMNS[name][0]) for name in _READ])
_ROWS, _BYTES = 1 << 17, 1 << 20
NONE = _SCHEMA.empty_table().select(UNDERLYING)
"""A table of no prices."""


class Unproven(ValueError):
    """The bytes of a file are not those of its entry. The message has no subject."""


def prices_by_date(path: str, sha256: str) -> Iterator[tuple[date, pa.Table]]:
    """Yields the prices in a file's rows, some rows at a time: a trade date, and each pair once.

    A price of 0 or null is none. Only the three columns that are needed are decoded.

    Args:
        path: of the data file.
        sha256: that its bytes have by the manifest, in hexadecimal.

    Raises:
        Unproven: its bytes are other ones; nothing was yielded.
        OSError: it can't be read.
    """
    with _proven(path, sha256) as place:
        for batch in _parquet(place) if place.endswith(".parquet") else _csv(place):
            rows = pa.table(batch).cast(_SCHEMA)
            days = pc.local_timestamp(rows["timestamp"]).cast(pa.date32())
            for day in pc.unique(days).to_pylist():
                kept = pc.and_(pc.equal(days, day), pc.greater(rows["underlying_price"], 0))
                yield day, joined(NONE, rows.filter(kept).select(UNDERLYING).drop_null())


def joined(*prices: pa.Table) -> pa.Table:
    """Returns the rows of all, each once, in any order."""
    rows = pa.concat_tables(prices)
    return rows.group_by(list(UNDERLYING), use_threads=False).aggregate([]).select(UNDERLYING)


def _parquet(path: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(_ROWS, columns=list(_READ), use_threads=False)


def _csv(path: str) -> Iterator[pa.RecordBatch]:
    # Arrow reads the offsets of the text with this zone alone.
    stamp = pa.timestamp("ms", "UTC")
    types = {f.name: stamp if pa.types.is_timestamp(f.type) else f.type for f in _SCHEMA}
    # Not closed here, for the reason that `inspection.reader` has.
    yield from pacsv.open_csv(
        pa.input_stream(path, compression=compression_of(path)),
        pacsv.ReadOptions(block_size=_BYTES, use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types=types, include_columns=list(_READ)),
    )


@contextlib.contextmanager
def _proven(path: str, sha256: str) -> Iterator[str]:
    """Gives the path of a file of this machine with the bytes of a data file, which are proven."""
    with contextlib.ExitStack() as stack:
        place = path
        if not files.is_local(path):
            # Read from place to place, it would take a request for each, besides those of the hash.
            suffix = "".join(PurePosixPath(path).suffixes)
            copy = stack.enter_context(tempfile.NamedTemporaryFile(suffix=suffix))
            with files.open_file(path) as file:
                shutil.copyfileobj(file, copy, _BYTES)
            copy.flush()
            place = copy.name
        found = files.sha256(place)
        if found != sha256:
            raise Unproven(f"has other bytes than were written: SHA-256 {found}, not {sha256}")
        yield place

"""The file of a manifest's index: a row for each entry, in order, to be read and written in pieces.

It is a Parquet file, which DuckDB, pandas and Polars can query; its name does not end like one,
since they would take it for data where `.meta` lies inside the output folder. Its pages have
checksums.
"""

import contextlib
import shutil
import tempfile
import uuid
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.output.folder import OutputFolder
from transforms.storage import documents, files
from transforms.storage.base import Overtaken

SCHEMA = pa.schema(
    {
        "name": pa.string(),
        "document_size": pa.int64(),
        "document_mark": pa.string(),
        "there": pa.bool_(),
        "identity": pa.binary(16),
        "state": pa.string(),
        "request": pa.string(),
        "greeks": pa.string(),
        "source": pa.string(),
        "run_id": pa.string(),
        "provisional": pa.bool_(),
        "dates_with_rows": pa.string(),
        "missing_dates": pa.string(),
        "missing_since": pa.string(),
        "rows": pa.int64(),
        "bytes": pa.int64(),
        "sha256": pa.string(),
        "findings": pa.string(),
        "format": pa.string(),
        "compression": pa.string(),
        "schema_version": pa.int64(),
        "time": pa.string(),
    },
    metadata={"theta-greeks-index": "1"},
)
"""`name` is the data file's, and `there` whether it is, with the bytes of its entry; size and mark
are those of the entry's document when it was read; `identity` is `index.identity_of` the request;
`request` and `findings` (rows by rule; empty if the rows were not checked) are JSON. The others are
those of `Entry`."""

_ROWS = 1024
_BYTES = 2 << 20
"""So much goes into a row group: an entry may list hundreds of trade dates."""


class IndexReader:
    """The rows of an index as it was left, in order; none if there is none that can be read.

    Attributes:
        taken: how many of them are taken.
    """

    def __init__(self, file: Any) -> None:
        self.taken = 0
        self._file: pq.ParquetFile | None = None
        with contextlib.suppress(OSError, pa.ArrowException):
            opened = pq.ParquetFile(file, page_checksum_verification=True) if file else None
            if opened and opened.schema_arrow.equals(SCHEMA, check_metadata=True):
                self._file = opened
        self._groups = self.groups()
        self._rows = SCHEMA.empty_table()
        self._keys: list[str] = []

    def groups(self) -> Iterator[pa.Table]:
        """Yields the rows from the beginning, some at a time, as far as they can be read."""
        if self._file is None:
            return
        with contextlib.suppress(OSError, pa.ArrowException):
            for number in range(self._file.num_row_groups):
                yield self._file.read_row_group(number, use_threads=False)

    def through(self, key: str) -> pa.Table:
        """Takes the next rows, to those whose document has the path `key`."""
        found = []
        while self._fill():
            end = bisect_right(self._keys, key)
            found.append(self._rows.slice(0, end))
            self._rows, self._keys = self._rows.slice(end), self._keys[end:]
            if self._keys:
                break
        rows = pa.concat_tables(found) if found else SCHEMA.empty_table()
        self.taken += rows.num_rows
        return rows

    def has_more(self) -> bool:
        """Returns whether there are rows that are not taken."""
        return self._fill()

    def _fill(self) -> bool:
        while not self._keys:
            rows = next(self._groups, None)
            if rows is None:
                return False
            self._rows, self._keys = rows, documents_of(rows)
        return True


def documents_of(rows: pa.Table) -> list[str]:
    """Returns the path of each row's document, below the folder of the entries."""
    return [f"{name}.json" for name in rows["name"].to_pylist()]


@contextlib.contextmanager
def open_index(folder: OutputFolder) -> Iterator[IndexReader]:
    """Gives the index of a folder as it is now; what can't be read of it is as if it was not there.

    Raises:
        OSError: it is in a store that can't be read.
    """
    with contextlib.ExitStack() as stack:
        file = None
        if files.exists(folder.index):
            file = stack.enter_context(files.open_file(folder.index))
            if not files.is_local(folder.path):
                # Read from place to place, it would take a request for each.
                copy = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(file, copy)
                file = copy
        yield IndexReader(file)


class IndexWriter(contextlib.AbstractContextManager["IndexWriter"]):
    """Writes an index, which nobody sees before it is whole.

    It is not synced: one that is lost or damaged costs time.

    Args:
        folder: the output folder.

    Raises:
        OSError: from every method: it can't be written.
    """

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._is_local = files.is_local(folder.path)
        # One that tempfile makes is its owner's alone, whatever the umask.
        self._unfinished: Any = (
            Path(f"{folder.meta}/{uuid.uuid4().hex}.unfinished").open("xb")  # noqa: SIM115 -- closed in __exit__
            if self._is_local
            else tempfile.NamedTemporaryFile(delete=False)  # noqa: SIM115 -- likewise
        )
        self._writer = pq.ParquetWriter(
            self._unfinished, SCHEMA, compression="zstd", write_page_checksum=True
        )
        self._waiting: list[pa.Table] = []

    def __exit__(self, *error: object) -> None:
        self._unfinished.close()
        Path(self._unfinished.name).unlink(missing_ok=True)

    def copy(self, index: IndexReader, rows: int) -> None:
        """Writes the first rows of another index."""
        for group in index.groups():
            self.write(group.slice(0, rows))
            rows -= min(rows, group.num_rows)

    def write(self, rows: pa.Table) -> None:
        """Writes the next rows."""
        self._waiting.append(rows)
        held = sum(each.num_rows for each in self._waiting)
        if held >= _ROWS or sum(each.nbytes for each in self._waiting) >= _BYTES:
            self._flush()

    def put_in_place(self) -> None:
        """Makes what was written the index."""
        self._flush()
        self._writer.close()
        self._unfinished.flush()
        if self._is_local:
            Path(self._unfinished.name).replace(self._folder.index)
        else:
            written = [self._unfinished.name]
            # Another run that has written its own meanwhile has one that is as good.
            with contextlib.suppress(Overtaken):
                documents.write_joined(self._folder.index, written, "application/octet-stream")

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []

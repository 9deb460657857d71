"""Parquet files."""

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.sinks.base import ExpirationSink, OpenFile
from transforms.sinks.hashing_file import HashingFile


class _ParquetWriter(NamedTuple):
    rows: pq.ParquetWriter
    out: pa.BufferedOutputStream


class ParquetSink(ExpirationSink):
    """Parquet with large row groups, and dictionaries for the columns that repeat."""

    NAME = "parquet"
    MIME_TYPE = "application/vnd.apache.parquet"
    # Arrow writes fifty pieces for a row group. Each of them would wait for the interpreter's lock.
    _BUFFER_BYTES = 1 << 18

    def begin(self, file: HashingFile, schema: pa.Schema) -> Any:
        """Writes the magic bytes."""
        repeating = [column.name for column in schema if not pa.types.is_floating(column.type)]
        out = pa.BufferedOutputStream(pa.PythonFile(file, mode="w"), self._BUFFER_BYTES)
        writer = pq.ParquetWriter(
            out,
            schema,
            compression=self.compression,
            # A dictionary of Greeks costs a fifth of the time and saves nothing.
            use_dictionary=[*repeating, "strike"],
        )
        return _ParquetWriter(writer, out)

    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        """Writes a row group."""
        writer: _ParquetWriter = handle.writer
        writer.rows.write_table(rows, rows.num_rows)

    def end(self, handle: OpenFile) -> None:
        """Writes the footer."""
        writer: _ParquetWriter = handle.writer
        writer.out.flush()
        handle.file.keep()
        writer.rows.close()
        writer.out.flush()

    def rows_written(self, handle: OpenFile) -> int:
        """Returns the rows by the file's own footer, read from the bytes in which it was written.

        The file itself can't be read before `commit` on every file system.
        """
        return int(pq.read_metadata(pa.BufferReader(handle.file.kept())).num_rows)

"""The custom FileBasedSink and its formats: one file for each expiration.

To add a format, subclass `ExpirationSink`, implement `begin`, `write_rows`, `end` and
`rows_written`, and list the class in `FORMATS` and its compressions in
`transforms.output.COMPRESSIONS`; the contract tests in
tests/transforms/test_sinks.py then run on it.
"""

import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.coders import BytesCoder
from apache_beam.io.filebasedsink import FileBasedSink
from apache_beam.io.filesystem import CompressionTypes

from transforms.native.lines import lines_in
from transforms.output.layout import Layout
from transforms.sinks.csv_rows import RowEncoder
from transforms.sinks.csv_text import encode_header
from transforms.sinks.hashing_file import HashingFile
from transforms.storage.commit import begin
from transforms.storage.unfinished import Unfinished
from transforms.workers.turns import CONVERTING


@dataclass
class OpenFile:
    """The handle of one unfinished file.

    Attributes:
        unfinished: where its bytes are stored.
        file: what its bytes go through.
        writer: the format's own writer.
        lines: that a format of lines has written, after its header.
    """

    unfinished: Unfinished
    file: HashingFile
    writer: Any = None
    lines: int = 0


@dataclass(frozen=True)
class Written:
    """A complete file that is not in place yet.

    Attributes:
        rows: in it.
        bytes: that were written.
        stored: bytes, as the file system says.
        sha256: of the bytes that were written.
    """

    rows: int
    bytes: int
    stored: int
    sha256: str


class ExpirationSink(FileBasedSink, ABC):
    """Writes each expiration's record batches to a file of its own, and commits it at once.

    `FileBasedSink` opens the files, on any of Beam's file systems. Its finalization is not used:
    it would hold every file back until the run ends (see `write.ExpirationWriter` instead).

    The life of a file: `open` its path (which writes the header), `write_record` for each row
    group, `close`, `commit`; or `discard` at any time. Nobody sees it before `commit`; see
    `commits`. Rows come in the groups of `RowGroups`, so that the bytes depend on the rows alone
    and not on how their batches were cut.

    Args:
        layout: where temporary and finished files go.
        schema: of every batch.
        compression: one of `COMPRESSIONS[NAME]`.

    Attributes:
        NAME: of the format, as `--format` takes it.
        MIME_TYPE: of the files.
    """

    NAME: str
    MIME_TYPE: str

    def __init__(self, layout: Layout, schema: pa.Schema, compression: str) -> None:
        super().__init__(
            layout.output,
            BytesCoder(),
            file_name_suffix=layout.suffix,
            mime_type=self.MIME_TYPE,
            # The formats compress for themselves: Arrow does it without holding the GIL, and
            # the bytes that are counted and hashed are those on the disk.
            compression_type=CompressionTypes.UNCOMPRESSED,
        )
        self.layout = layout
        self.schema = schema
        self.compression = compression

    @abstractmethod
    def begin(self, file: HashingFile) -> Any:
        """Writes what a file begins with and returns the format's writer."""

    @abstractmethod
    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        """Writes a row group, which is one chunk a column."""

    @abstractmethod
    def end(self, handle: OpenFile) -> None:
        """Writes what a file ends with."""

    @abstractmethod
    def rows_written(self, handle: OpenFile) -> int:
        """Returns the number of rows in a closed file.

        They are read or counted in the very bytes that were written; they are not taken from the
        caller, since they are compared with what the caller says.
        """

    def open(self, temp_path: str) -> OpenFile:
        """Returns a handle of a new file with its header, if the format has one.

        Args:
            temp_path: where the file is to be: what is temporary about it is `commits`' to say.

        Raises:
            OSError: from here on every method may: the file system refuses.
        """
        unfinished = begin(temp_path, self.layout.temporary_path(), self.MIME_TYPE, super().open)
        handle = OpenFile(unfinished, HashingFile(unfinished.file))
        try:
            handle.writer = self.begin(handle.file)
        except BaseException:
            self.discard(handle)
            raise
        return handle

    def write_record(self, file_handle: OpenFile, value: pa.RecordBatch) -> None:
        """Writes a row group, as `RowGroups` yields them.

        Raises:
            pa.ArrowInvalid: the rows have another schema than the sink's.
        """
        with CONVERTING:
            self.write_rows(file_handle, pa.Table.from_batches([value], self.schema))

    def close(self, file_handle: OpenFile) -> Written:
        """Finishes the file and returns what is in it."""
        self.end(file_handle)
        file_handle.file.close()
        file_handle.writer = None
        rows = self.rows_written(file_handle)
        stored = file_handle.unfinished.seal()
        return Written(rows, file_handle.file.bytes, stored, file_handle.file.sha256)

    def commit(self, file_handle: OpenFile, over: str | None = None) -> None:
        """Makes a closed file visible, in one step; see `commits.Unfinished.commit`.

        Raises:
            OSError: it could not be; the file that was there is as it was.
        """
        file_handle.unfinished.commit(over)

    def discard(self, file_handle: OpenFile) -> None:
        """Closes and removes an unfinished file.

        Where even that fails, on a disk that was made read-only, it stays in the temporary folder,
        which the next run clears.
        """
        file_handle.file.abandon()
        with contextlib.suppress(OSError):
            file_handle.unfinished.discard()


class _CsvWriter(NamedTuple):
    rows: RowEncoder
    out: Any


class CsvSink(ExpirationSink):
    """CSV with a header line, line feeds as line ends, and no quotes."""

    NAME = "csv"
    MIME_TYPE = "text/csv"
    # A piece of text takes a megabyte, for each file under way.
    _PIECE_ROWS = 1 << 12

    def begin(self, file: HashingFile) -> Any:
        """Writes the header line."""
        out: Any = file
        if self.compression != "none":
            out = pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), self.compression)
        out.write(encode_header(self.schema))
        return _CsvWriter(RowEncoder(self.schema), out)

    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        """Writes rows as lines."""
        writer: _CsvWriter = handle.writer
        for start in range(0, rows.num_rows, self._PIECE_ROWS):
            text = writer.rows.encode(rows.slice(start, self._PIECE_ROWS))
            writer.out.write(text)
            handle.lines += lines_in(text)

    def end(self, handle: OpenFile) -> None:
        """Ends the compressed stream."""
        handle.writer.out.close()

    def rows_written(self, handle: OpenFile) -> int:
        """Returns the lines that were written: no cell has a line feed in it."""
        return handle.lines


class _ParquetWriter(NamedTuple):
    rows: pq.ParquetWriter
    out: pa.BufferedOutputStream


class ParquetSink(ExpirationSink):
    """Parquet with large row groups, and dictionaries for the columns that repeat."""

    NAME = "parquet"
    MIME_TYPE = "application/vnd.apache.parquet"
    # Arrow writes fifty pieces for a row group. Each of them would wait for the interpreter's lock.
    _BUFFER_BYTES = 1 << 18

    def begin(self, file: HashingFile) -> Any:
        """Writes the magic bytes."""
        repeating = [column.name for column in self.schema if not pa.types.is_floating(column.type)]
        out = pa.BufferedOutputStream(pa.PythonFile(file, mode="w"), self._BUFFER_BYTES)
        writer = pq.ParquetWriter(
            out,
            self.schema,
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
        """Returns the rows that the file's own footer tells, read from the bytes it was written in.

        The file itself can't be read before `commit` on every file system.
        """
        return int(pq.read_metadata(pa.BufferReader(handle.file.kept())).num_rows)


FORMATS: dict[str, type[ExpirationSink]] = {sink.NAME: sink for sink in (CsvSink, ParquetSink)}
"""The formats by name, as `--format` takes them."""


def make_sink(
    format_name: str, compression: str, schema: pa.Schema, layout: Layout
) -> ExpirationSink:
    """Returns the sink of a format.

    Raises:
        KeyError: there is no such format.
    """
    return FORMATS[format_name](layout, schema, compression)

"""CSV files."""

from typing import Any, NamedTuple

import pyarrow as pa

from transforms.native.compiled import count_lines
from transforms.sinks.base import ExpirationSink, OpenFile
from transforms.sinks.csv_rows import RowEncoder
from transforms.sinks.csv_text import encode_header
from transforms.sinks.hashing_file import HashingFile


class _CsvWriter(NamedTuple):
    rows: RowEncoder
    out: Any


class CsvSink(ExpirationSink):
    """CSV with a header line, line feeds as line ends, and no quotes."""

    NAME = "csv"
    MIME_TYPE = "text/csv"
    # A piece of text takes a megabyte, for each file under way.
    _PIECE_ROWS = 1 << 12

    def begin(self, file: HashingFile, schema: pa.Schema) -> Any:
        """Writes the header line."""
        out: Any = file
        if self.compression != "none":
            out = pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), self.compression)
        out.write(encode_header(schema))
        return _CsvWriter(RowEncoder(), out)

    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        """Writes rows as lines."""
        writer: _CsvWriter = handle.writer
        for start in range(0, rows.num_rows, self._PIECE_ROWS):
            text = writer.rows.encode(rows.slice(start, self._PIECE_ROWS))
            writer.out.write(text)
            handle.lines += count_lines(text)

    def end(self, handle: OpenFile) -> None:
        """Ends the compressed stream."""
        handle.writer.out.close()

    def rows_written(self, handle: OpenFile) -> int:
        """Returns the lines that were written: no cell has a line feed in it."""
        return handle.lines

"""Reads a CSV answer as record batches while it arrives, and checks every row of it.

The answer is never held whole: it is cut into blocks of whole lines, and each block is parsed,
checked and handed on before the next one is read.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from transforms.schema import KEY_COLUMNS, ZONE
from transforms.thetadata.errors import MalformedResponse

BLOCK_BYTES = 1 << 18
"""Bytes read and parsed at a time: about 2,000 rows of first-order Greeks."""

_LINE_BYTES = 1 << 20
_RIGHTS = pa.array(["CALL", "PUT", "C", "P"])


def blocks_of_lines(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yields the body in blocks that end where a line ends; the last one where the body does.

    Args:
        read: returns the next n bytes of the body, fewer only at its end.
        size: about how many bytes a block has; a longer line makes a longer block.
    """
    rest = b""
    while chunk := read(size):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = chunk[cut:]
        else:
            rest += chunk
            if len(rest) > _LINE_BYTES:
                raise MalformedResponse(f"a line of more than {_LINE_BYTES:,} bytes")
    if rest:
        yield rest


class CsvReader:
    """Parses the blocks of one answer to one schema.

    Args:
        schema: of the batches to return, as `schema.schema_of` gives it.
        names: for each column of the schema, its name in the CSV, where it differs.
        expected: what must stand in every row: `symbol`, `expiration` and the trade date.
        what: names the request in errors.

    Raises:
        MalformedResponse: from every method, naming the request and the line.
    """

    def __init__(
        self, schema: pa.Schema, symbol: str, expiration: date, trade_date: date, what: str
    ) -> None:
        self._schema = schema
        self._symbol = pa.scalar(symbol)
        self._expiration = pa.scalar(expiration, pa.date32())
        self._trade_date = pa.scalar(trade_date, pa.date32())
        self._what = what
        self._line = 1
        self._read_options: pacsv.ReadOptions | None = None
        self._parse_options = pacsv.ParseOptions(newlines_in_values=False)
        self._convert_options = pacsv.ConvertOptions(
            column_types={f.name: _text_type(f.type) for f in schema},
            include_columns=schema.names,
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=True,
        )

    def batches(self, blocks: Iterator[bytes], batch_size: int) -> Iterator[pa.RecordBatch]:
        """Yields the rows of `blocks` as record batches of 1 to `batch_size` rows, in order."""
        header = None
        for block in blocks:
            if header is None:
                header, _, block = block.partition(b"\n")
                self._read_header(header)
                self._line = 2
            batch = self._read_block(block)
            for start in range(0, batch.num_rows, batch_size):
                yield batch.slice(start, batch_size)
            self._line += block.count(b"\n")
        if header is None:
            raise self._error(1, "the answer is empty: not even a header")

    def _read_header(self, line: bytes) -> None:
        text = line.decode("utf-8", errors="replace").strip()
        if text[:1] in ("{", "["):
            raise self._error(1, f"JSON where CSV was asked for: {text[:80]}")
        if text[:1] == "<":
            raise self._error(1, f"HTML or XML where CSV was asked for: {text[:80]}")
        columns = next(csv.reader([text]), [])
        missing = [name for name in self._schema.names if name not in columns]
        if missing:
            raise self._error(
                1, f"the header lacks {', '.join(missing)}; it is {text[:200] or '(empty)'}"
            )
        repeated = sorted({name for name in columns if columns.count(name) > 1})
        if repeated:
            raise self._error(1, f"the header names {', '.join(repeated)} more than once")
        self._read_options = pacsv.ReadOptions(column_names=columns, use_threads=False)

    def _read_block(self, block: bytes) -> pa.RecordBatch:
        try:
            return self._typed(self._parse(block))
        except (pa.ArrowInvalid, ValueError) as error:
            raise self._first_bad_line(block, error) from error

    def _parse(self, block: bytes) -> pa.Table:
        if not block.strip():
            return pa.table({f.name: pa.array([], _text_type(f.type)) for f in self._schema})
        assert self._read_options is not None  # noqa: S101 -- batches() reads the header first
        # One block of lines is one chunk of the table: nothing is concatenated.
        self._read_options.block_size = len(block) + 1
        return pacsv.read_csv(
            pa.BufferReader(block),
            read_options=self._read_options,
            parse_options=self._parse_options,
            convert_options=self._convert_options,
        )

    def _typed(self, table: pa.Table) -> pa.RecordBatch:
        """Returns the schema's columns of a parsed block; a ValueError says what is wrong."""
        columns = {name: _whole(table.column(name)) for name in self._schema.names}
        for name in KEY_COLUMNS:
            if columns[name].null_count:
                raise ValueError(f"{name} is empty")
        _require(pc.equal(columns["symbol"], self._symbol), columns["symbol"], self._symbol)
        _require(
            pc.equal(columns["expiration"], self._expiration),
            columns["expiration"],
            self._expiration,
        )
        days = pc.cast(pc.floor_temporal(columns["timestamp"], unit="day"), pa.date32())
        _require(pc.equal(days, self._trade_date), columns["timestamp"], self._trade_date)
        rights = columns["right"]
        _require(pc.is_in(rights, value_set=_RIGHTS), rights, "CALL or PUT")
        columns["right"] = pc.utf8_slice_codeunits(rights, 0, 1)
        for field in self._schema:
            if pa.types.is_floating(field.type):
                values = columns[field.name]
                _require(pc.is_finite(values), values, "a finite number")
                # Minus zero becomes zero; nothing else changes.
                columns[field.name] = pc.add(values, 0.0)
            elif pa.types.is_timestamp(field.type):
                columns[field.name] = pc.assume_timezone(columns[field.name], ZONE)
        return pa.RecordBatch.from_arrays(
            [columns[name] for name in self._schema.names], schema=self._schema
        )

    def _first_bad_line(self, block: bytes, error: Exception) -> MalformedResponse:
        """Returns the error of the first line that does not parse alone; slow, and rare."""
        for number, line in enumerate(block.splitlines(keepends=True)):
            try:
                self._typed(self._parse(line))
            except (pa.ArrowInvalid, ValueError) as reason:
                text = line.decode("utf-8", errors="replace").strip()
                return self._error(self._line + number, f"{reason}; the line is {text[:200]}")
        return self._error(self._line, str(error))

    def _error(self, line: int, problem: str) -> MalformedResponse:
        return MalformedResponse(
            f"{self._what}: line {line} of the answer: {problem}. Nothing of this expiration was "
            "kept; if it happens again, the Terminal's version may have changed its format"
        )


def _text_type(kind: pa.DataType) -> pa.DataType:
    """The type that a column is parsed to: the Terminal's timestamps carry no zone."""
    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _require(holds: pa.Array, values: pa.Array, wanted: object) -> None:
    if not pc.all(holds, min_count=0).as_py():
        place = pc.index(holds, False).as_py()
        raise ValueError(f"{values[place]} where {wanted} was expected")

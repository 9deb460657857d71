"""Reads a CSV answer as record batches while it arrives, and checks every row of it.

The answer is never held whole: it is cut into blocks of whole lines, and each block is parsed,
checked and handed on before the next one is read.
"""

import csv
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import xxhash

from transforms.market.clock import DAY_MS, interval_ms, zoned
from transforms.model import GreeksRequest
from transforms.native import compiled
from transforms.native.compiled import count_lines
from transforms.schema import END_OF_DAY, KEY_COLUMNS, schema_of
from transforms.thetadata.dialect import Dialect, Part, require
from transforms.thetadata.errors import AnswerChanged, BrokenResponse, MalformedResponse
from transforms.thetadata.fast_csv import PlainLines
from transforms.workers.turns import CONVERTING

_NO_ROWS = (pa.ArrowException, ValueError, OverflowError)
"""What the parsing of text that is no row raises."""

BLOCK_BYTES = 1 << 20
"""Bytes read and parsed at a time: about 7,000 rows of first-order Greeks.

Half as many take 3 to 7 % more of a run's time, and 8 MiB less in all.
"""

_LINE_BYTES = 1 << 20
_MOST_COLUMNS = 4096  # all Greeks are 46; more may be added, but not so many
_WORDS = 400  # characters of an error
MOST_CONTRACTS = 10_000
"""Contracts of one expiration: seven times as many as the largest has."""

_NO_NUMBERS = ("", "null", "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf")
"""Cells that hold no number. Symbols are in upper case, so that none is among them."""
_YEARS = (1990, 2099)  # of any time; nothing that is computed with it leaves a timestamp's range


def most_rows(request: GreeksRequest, part: Part) -> int:
    """Returns how many rows an answer can have at most.

    That is one for each of `MOST_CONTRACTS` and each step of its grid, around the clock; without a
    grid (`tick`), each millisecond. End of day v2 serves some rows twice.
    """
    days = (part.last - part.first).days + 1
    if request.greeks == END_OF_DAY:
        return 2 * days * MOST_CONTRACTS
    step = 1 if request.interval == "tick" else interval_ms(request.interval)
    return days * (DAY_MS // step + 1) * MOST_CONTRACTS


def blocks_of_lines(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yields the body in blocks that end where a line ends; the last one where the body does.

    Args:
        read: returns the next n bytes of the body, fewer only at its end.
        size: about how many bytes a block has, the first one half as many, so that also an answer
            that soon breaks off brings rows; a longer line makes a longer block.
    """
    rest: list[bytes] = []
    waiting = 0
    sizes = itertools.chain([max(size // 2, 1)], itertools.repeat(size))
    while chunk := read(next(sizes)):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            # While a block is looked at, and its rows are written, nobody else holds it.
            block = [b"".join((*rest, memoryview(chunk)[:cut]))]
            rest, waiting = [chunk[cut:]], len(chunk) - cut
            del chunk
            yield block.pop()
        else:
            rest.append(chunk)
            waiting += len(chunk)
            if waiting > _LINE_BYTES:
                raise MalformedResponse(f"a line of more than {_LINE_BYTES:,} bytes")
    if waiting:
        yield b"".join(rest)


class CsvReader:
    """Parses one answer to one schema; the answer may come in several attempts.

    What was passed on is remembered as a number of bytes and their XXH3 of 128 bits, which guards
    against chance as SHA-256 does, at a twentieth of its time. A second answer to the same query
    must begin with those very bytes: then its reading goes on behind them, and no row is lost or
    doubled.

    Args:
        request: what was asked for.
        part: the part of it that the answer is for.
        dialect: the generation that answers.

    Raises:
        MalformedResponse: from every method, naming the request and the line.
    """

    def __init__(self, request: GreeksRequest, part: Part, dialect: Dialect) -> None:
        self._schema = schema_of(request.greeks)
        self._request, self._part = request, part
        self._dialect = dialect
        self._types = dialect.types(self._schema)
        self._symbol = pa.scalar(request.symbol)
        self._expiration = pa.scalar(request.expiration, pa.date32())
        self._first = pa.scalar(part.first, pa.date32())
        self._last = pa.scalar(part.last, pa.date32())
        span = str(part.first) if part.first == part.last else f"{part.first} to {part.last}"
        self.what = f"{request.symbol} expiring {request.expiration} on {span}"
        """The request and the dates of the answer, in words."""
        self._line = 1
        self._read_options: pacsv.ReadOptions | None = None
        self._plain: PlainLines | None = None
        self._parse_options = pacsv.ParseOptions(newlines_in_values=False)
        self._convert_options = pacsv.ConvertOptions(
            column_types=self._types,
            include_columns=list(self._types),
            null_values=list(_NO_NUMBERS),
            strings_can_be_null=True,
            check_utf8=True,
        )
        self._digest = xxhash.xxh3_128()
        self._rowless = 0  # bytes since the last row
        self._rows, self._most_rows = 0, most_rows(request, part)
        self.passed = 0
        """Bytes of the answer whose rows were passed on."""

    def batches(
        self, read: Callable[[int], bytes], batch_size: int, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows that were not passed on yet as batches of 1 to `batch_size` rows.

        Args:
            read: returns the next n bytes of the answer, fewer only at its end.
            batch_size: the most rows in a batch.
            block_bytes: see `blocks_of_lines`.

        Raises:
            AnswerChanged: the answer does not begin with the bytes that were passed on.
            BrokenResponse: its last line has no end: that line is no row.
        """
        self._prove(read)
        if not self.passed:
            self._read_options = None
        for block in blocks_of_lines(read, block_bytes):
            if self._read_options is None:
                self._require_csv(block)
            if not block.endswith(b"\n"):
                raise BrokenResponse(
                    f"{self.what}: the answer ends in the middle of line {self._line}"
                )
            rows = block
            if self._read_options is None:
                header, _, rows = block.partition(b"\n")
                self._read_header(header)
            lines = count_lines(block)
            headers = int(rows is not block)
            batch = self._read_block(rows, self._line + headers, lines - headers)
            self._rowless = 0 if batch.num_rows else self._rowless + len(block)
            if self._rowless > _LINE_BYTES:
                raise self._error(self._line + headers, "only empty lines follow")
            self._rows += batch.num_rows
            if self._rows > self._most_rows:
                error = self._error(self._line, f"more than {self._most_rows:,} rows")
                error.retryable = False  # it does not end
                raise error
            self._line += lines
            self._digest.update(block)
            self.passed += len(block)
            del block, rows
            for start in range(0, batch.num_rows, batch_size):
                yield batch.slice(start, batch_size)
        if self._read_options is None:
            raise self._error(1, "the answer is empty: not even a header")

    def _prove(self, read: Callable[[int], bytes]) -> None:
        digest, left = xxhash.xxh3_128(), self.passed
        while left and (chunk := read(min(left, BLOCK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.digest() != self._digest.digest():
            raise AnswerChanged(
                f"{self.what}: asked again, the Terminal gave other rows than those that it had "
                "given before the answer broke off"
            )

    def _require_csv(self, block: bytes) -> None:
        text = block[:200].decode("utf-8", errors="replace").strip()
        kind = {"{": "JSON", "[": "JSON", "<": "HTML or XML"}.get(text[:1])
        if kind is not None:
            raise self._error(1, f"{kind} where CSV was asked for: {text[:80]}")

    def _read_header(self, line: bytes) -> None:
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if text.count(",") >= _MOST_COLUMNS:
            raise self._error(1, f"the header has more than {_MOST_COLUMNS:,} columns")
        try:
            columns = next(csv.reader([text], strict=True), [])
        except csv.Error as error:
            raise self._error(1, f"the header is not CSV: {error}") from error
        counts = Counter(columns)
        missing = [name for name in self._types if name not in counts]
        if missing:
            raise self._error(
                1, f"the header lacks {', '.join(missing)}; it is {text[:200] or '(empty)'}"
            )
        repeated = sorted(name for name, count in counts.items() if count > 1)
        if repeated:
            raise self._error(1, f"the header names {', '.join(repeated)} more than once")
        self._read_options = pacsv.ReadOptions(column_names=columns, use_threads=False)
        if compiled.AVAILABLE and self._dialect.plain:
            self._plain = PlainLines(columns, self._schema, self._request, self._part)

    def _read_block(self, block: bytes, line: int, lines: int) -> pa.RecordBatch:
        try:
            with CONVERTING:
                rows = self._plain.read(block, lines) if self._plain else None
                rows = self._typed(self._parse(block)) if rows is None else rows
                self._require_part(rows)
                return rows
        except _NO_ROWS as error:
            raise self._first_bad_line(block, line, error) from error

    def _parse(self, block: bytes) -> dict[str, pa.Array]:
        if not block.strip(b"\r\n"):
            return {name: pa.array([], kind) for name, kind in self._types.items()}
        assert self._read_options is not None  # noqa: S101 -- batches() reads the header first
        # One block of lines is one chunk of the table: nothing is concatenated.
        self._read_options.block_size = len(block) + 1
        table = pacsv.read_csv(
            pa.BufferReader(block),
            read_options=self._read_options,
            parse_options=self._parse_options,
            convert_options=self._convert_options,
        )
        (batch,) = table.to_batches()
        return dict(zip(self._types, batch.columns, strict=True))

    def _typed(self, cells: Mapping[str, pa.Array]) -> pa.RecordBatch:
        """Returns the schema's columns of a parsed block; a ValueError says what is wrong."""
        columns = dict(self._dialect.columns(cells, self._schema))
        for field in self._schema:
            if pa.types.is_floating(field.type):
                columns[field.name] = _numbers(columns[field.name])
        for name in KEY_COLUMNS:
            if columns[name].null_count:
                raise ValueError(f"{name} is empty")
        require(pc.equal(columns["symbol"], self._symbol), columns["symbol"], self._symbol)
        require(
            pc.equal(columns["expiration"], self._expiration),
            columns["expiration"],
            self._expiration,
        )
        self._require_dates(columns["timestamp"])
        for field in self._schema:
            if pa.types.is_timestamp(field.type):
                _require_years(columns[field.name])
                columns[field.name] = zoned(columns[field.name])
        return pa.RecordBatch.from_arrays(
            [columns[name] for name in self._schema.names], schema=self._schema
        )

    def _require_dates(self, times: pa.Array) -> None:
        """Returns if all local times are of the trade dates that were asked for."""
        ends = pc.min_max(times)
        low, high = (pc.cast(ends[name], pa.date32()) for name in ("min", "max"))
        if not low.is_valid or (
            self._first.as_py() <= low.as_py() and high.as_py() <= self._last.as_py()
        ):
            return
        days = pc.cast(pc.floor_temporal(times, unit="day"), pa.date32())
        inside = pc.and_(pc.greater_equal(days, self._first), pc.less_equal(days, self._last))
        require(inside, times, self._first)

    def _require_part(self, rows: pa.RecordBatch) -> None:
        """Checks that rows are of the right, the strike and the time that the part asks for.

        Raises:
            ValueError: names the first row that is not.
        """
        part = self._part
        if part.right is not None:
            right = part.right[:1].upper()
            require(pc.equal(rows["right"], right), rows["right"], right)
        if part.strike is not None:
            strike = float(part.strike)
            require(pc.equal(rows["strike"], strike), rows["strike"], strike)

    def _first_bad_line(self, block: bytes, line: int, error: Exception) -> MalformedResponse:
        """Returns the error of the first line that can't be read.

        The half that holds it is read again, until one line is left: twice the block in all.
        """
        lines = block.split(b"\n")
        while len(lines) > 1:
            half = len(lines) // 2
            failure = self._failure(b"\n".join(lines[:half]))
            if failure is None:
                lines, line = lines[half:], line + half
            else:
                lines, error = lines[:half], failure
        text = lines[0].decode("utf-8", errors="replace").strip()
        error = self._failure(lines[0]) or error
        return self._error(line, f"{str(error)[: _WORDS // 2]}; the line is {text[:200]}")

    def _failure(self, block: bytes) -> Exception | None:
        """Returns why lines can't be read, or None if they can."""
        try:
            self._require_part(self._typed(self._parse(block)))
        except _NO_ROWS as error:
            return error
        return None

    def _error(self, line: int, problem: str) -> MalformedResponse:
        return MalformedResponse(
            f"{self.what}: line {line} of the answer: {problem[:_WORDS]}. Nothing of this "
            "expiration was kept; if it happens again, the Terminal's version may have changed its "
            "format"
        )


def _numbers(values: pa.Array) -> pa.Array:
    """Returns the numbers, minus zero as zero, and null where one is not finite."""
    numbers = values.to_numpy(zero_copy_only=False) + 0.0
    # A sum is finite only if every number is; the reverse need not be.
    with np.errstate(all="ignore"):
        whole = not values.null_count and math.isfinite(np.add.reduce(numbers))
    if not whole:
        return pa.array(numbers, values.type, mask=~np.isfinite(numbers))
    # pa.array would copy them to see whether one is null.
    return pa.Array.from_buffers(values.type, len(numbers), [None, pa.py_buffer(numbers)], 0)


def _require_years(times: pa.Array) -> None:
    """Checks that times are of `_YEARS`.

    Raises:
        ValueError: names the first that is not.
    """
    ends = pc.min_max(times)
    low, high = (pc.year(ends[name]).as_py() for name in ("min", "max"))
    if low is not None and not _YEARS[0] <= low <= high <= _YEARS[1]:
        years = pc.year(times)
        inside = pc.and_(pc.greater_equal(years, _YEARS[0]), pc.less_equal(years, _YEARS[1]))
        require(inside, times, f"a time of {_YEARS[0]} to {_YEARS[1]}")

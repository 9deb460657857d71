"""Reads whole lines of an answer as rows of the schema, and checks every row."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from transforms.model import GreeksRequest
from transforms.native import compiled
from transforms.orders.schema import KEY_COLUMNS, ZONE
from transforms.thetadata.dialect import Dialect, Part, require
from transforms.thetadata.fast_csv import PlainLines
from transforms.workers.turns import CONVERTING

_NO_ROWS = (pa.ArrowException, ValueError, OverflowError)
"""What the parsing of text that is no row raises."""

_NO_NUMBERS = ("", "null", "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf")
"""Cells that hold no number. Symbols are in upper case, so that none is among them."""
_YEARS = (1990, 2099)  # of any time; nothing that is computed with it leaves a timestamp's range


class BadLine(Exception):
    """A line is no row that was asked for.

    Attributes:
        before: lines of the block before it.
    """

    def __init__(self, before: int, problem: str) -> None:
        super().__init__(problem)
        self.before = before


class RowReader:
    """Reads the rows of one answer, whose header is known.

    Args:
        columns: of the answer; others than the dialect's are ignored.
        request: what was asked for.
        part: the part of it that the answer is for.
        dialect: the generation that answers.
    """

    def __init__(
        self, columns: Sequence[str], request: GreeksRequest, part: Part, dialect: Dialect
    ) -> None:
        self._order, self._schema = request.order, request.order.schema
        self._part = part
        self._dialect = dialect
        self._columns = columns
        self._symbol = pa.scalar(request.symbol)
        self._expiration = pa.scalar(request.expiration, pa.date32())
        self._first = pa.scalar(part.first, pa.date32())
        self._last = pa.scalar(part.last, pa.date32())
        self._plain: PlainLines | None = None
        if compiled.AVAILABLE and part.reach is None:
            self._plain = PlainLines(columns, request, part, dialect)

    def read(self, block: bytes, lines: int) -> pa.RecordBatch:
        """Returns the rows of a block of whole lines.

        Args:
            block: the lines; empty ones are no rows.
            lines: how many it has.

        Raises:
            BadLine: the first line that is no row, or one that was not asked for.
        """
        try:
            with CONVERTING:
                rows = self._plain.read(block, lines) if self._plain else None
                rows = self._typed(self._parse(block)) if rows is None else rows
                self._require_part(rows)
                return rows
        except _NO_ROWS as error:
            raise self._first_bad_line(block, error) from error

    # Made where the compiled reader does not read the lines: for few answers.
    @cached_property
    def _types(self) -> dict[str, pa.DataType]:
        return self._dialect.types(self._order)

    @cached_property
    def _convert_options(self) -> pacsv.ConvertOptions:
        return pacsv.ConvertOptions(
            column_types=self._types,
            include_columns=list(self._types),
            null_values=list(_NO_NUMBERS),
            strings_can_be_null=True,
            check_utf8=True,
        )

    def _parse(self, block: bytes) -> dict[str, pa.Array]:
        if not block.strip(b"\r\n"):
            return {name: pa.array([], kind) for name, kind in self._types.items()}
        # One block of lines is one chunk of the table: nothing is concatenated.
        table = pacsv.read_csv(
            pa.BufferReader(block),
            read_options=pacsv.ReadOptions(
                column_names=self._columns, use_threads=False, block_size=len(block) + 1
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=False),
            convert_options=self._convert_options,
        )
        (batch,) = table.to_batches()
        return dict(zip(self._types, batch.columns, strict=True))

    def _typed(self, cells: Mapping[str, pa.Array]) -> pa.RecordBatch:
        """Returns the schema's columns of a parsed block; a ValueError names its mistake."""
        columns = dict(self._dialect.columns(cells, self._order))
        for field in self._schema:
            if pa.types.is_floating(field.type):
                columns[field.name] = _numbers(columns[field.name])
        for name in KEY_COLUMNS:
            if columns[name].null_count:
                raise ValueError(f"{name} is empty")
        require(pc.equal(columns["symbol"], self._symbol), columns["symbol"], self._symbol)
        if self._part.reach is None:
            asked = pc.equal(columns["expiration"], self._expiration)
            require(asked, columns["expiration"], self._expiration)
        else:
            later = pc.greater_equal(columns["expiration"], self._first)
            require(later, columns["expiration"], f"an expiration from {self._first} on")
        self._require_dates(columns["timestamp"])
        for field in self._schema:
            if pa.types.is_timestamp(field.type):
                _require_years(columns[field.name])
                columns[field.name] = pc.assume_timezone(columns[field.name], ZONE)
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

    def _first_bad_line(self, block: bytes, error: Exception) -> BadLine:
        """Returns the error of the first line that can't be read.

        The half that holds it is read again, until one line is left: twice the block in all.
        """
        before = 0
        while cut := block.rfind(b"\n", 0, len(block) // 2) + 1 or block.find(b"\n") + 1:
            if cut == len(block):
                break
            failure = self._failure(block[:cut])
            if failure is None:
                before += block.count(b"\n", 0, cut)
                block = block[cut:]
            else:
                block, error = block[:cut], failure
        text = block.decode("utf-8", errors="replace").strip()
        error = self._failure(block) or error
        return BadLine(before, f"{str(error)[:200]}; the line is {text[:200]}")

    def _failure(self, block: bytes) -> Exception | None:
        """Returns why lines can't be read, or None if they can."""
        try:
            self._require_part(self._typed(self._parse(block)))
        except _NO_ROWS as error:
            return error
        return None


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

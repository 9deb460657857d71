"""Reads the plain lines that a Terminal sends, in one pass of compiled code."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa

from transforms.market.clock import EPOCH, day_offsets
from transforms.model import GreeksRequest
from transforms.native import compiled
from transforms.orders import order_of
from transforms.orders.schema import ZONE
from transforms.thetadata.dialect import Dialect, Part

_BEFORE = timedelta(7)  # the underlying's price may be as old as a week
_ALIGNED = 64  # bytes, as Arrow has it


class PlainLines:
    """Reads blocks of lines whose columns are those of a dialect, checking every row's key.

    It knows plain text only, as `_text.c` says. Of any other block it returns None, and the reader
    that knows all of CSV must read it, or name its mistake.

    Args:
        columns: of the text, those of the dialect among them.
        request: what was asked for.
        part: the part of it that the lines answer.
        dialect: the generation that answers.
    """

    def __init__(
        self,
        columns: Sequence[str],
        request: GreeksRequest,
        part: Part,
        dialect: Dialect,
    ) -> None:
        self._schema = request.order.schema
        self._letters, self._made, self._kinds = _cells_of(tuple(columns), request.greeks, dialect)
        expiration = request.expiration.strftime(dialect.date_format)
        self._key = (request.symbol.encode(), expiration.encode())
        base = part.first - _BEFORE
        first, last, start = (day.toordinal() - EPOCH for day in (part.first, part.last, base))
        self._days = (first, last, start, day_offsets(base, part.last))
        self._symbol = pa.scalar(request.symbol)
        self._expiration = pa.scalar(request.expiration, pa.date32())
        self._room = -1

    def read(self, text: bytes, lines: int) -> pa.RecordBatch | None:
        """Returns the rows of a block of lines, or None if it is not plain.

        Args:
            text: the block.
            lines: how many of its lines end.
        """
        rows = lines + (not text.endswith(b"\n"))
        if len(text) < rows * len(self._made):
            return None  # some lines are too short to be rows: no room is made for them
        sizes = {name: rows * _SIZES[kind] for name, kind in self._kinds.items()}
        places, size = {}, 0
        for name, bytes_ in sizes.items():
            places[name] = size
            size += -(-bytes_ // _ALIGNED) * _ALIGNED
        out = pa.allocate_buffer(size)
        starts = tuple(0 if name is None else places[name] for name in self._made)
        found = compiled.read_rows(text, self._letters, starts, self._key, self._days, out, rows)
        if found != rows:
            return None
        if rows > self._room:
            self._make_room(rows)
        columns = []
        for field in self._schema:
            kind = self._kinds.get(field.name)
            if kind is None:
                columns.append(pa.nulls(rows, field.type))
            elif kind == "s":
                columns.append(self._symbols.slice(0, rows))
            elif kind == "e":
                columns.append(self._expirations.slice(0, rows))
            else:
                values = out.slice(places[field.name], sizes[field.name])
                buffers = [None, self._ends, values] if kind in "rc" else [None, values]
                columns.append(pa.Array.from_buffers(field.type, rows, buffers, 0))
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _make_room(self, rows: int) -> None:
        """Makes the arrays that are the same in every block."""
        self._room = rows
        self._symbols = pa.repeat(self._symbol, rows)
        self._expirations = pa.repeat(self._expiration, rows)
        self._ends = pa.py_buffer(np.arange(rows + 1, dtype=np.int32))


@lru_cache(16)  # the answers of a run have the same ones
def _cells_of(
    columns: tuple[str, ...], greeks: str, dialect: Dialect
) -> tuple[bytes, list[str | None], dict[str, str]]:
    """Returns each column's letter, the column that it makes or None, and the letter of each."""
    kinds: dict[str, tuple[str, str | None]] = {
        field.name: (_KINDS[field.type], field.name) for field in order_of(greeks).schema
    }
    kinds.update(dialect.cells)
    cells = [kinds.get(name, (" ", None)) for name in columns]
    letters = "".join(letter for letter, _ in cells).encode()
    made = {made: letter for letter, made in cells if made is not None}
    return letters, [made for _, made in cells], made


_SIZES = {"s": 0, "e": 0} | dict.fromkeys("rc", 1) | dict.fromkeys("dlTtkmn", 8) | {"i": 4}
_KINDS = {
    pa.float64(): "d",
    pa.int64(): "l",
    pa.int32(): "i",
    pa.timestamp("ms", ZONE): "t",
    # Of every dialect's cells:
    pa.string(): " ",
    pa.date32(): " ",
}

"""Rows as lines of a CSV file."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from transforms.market.clock import steady_offset
from transforms.native import compiled
from transforms.sinks.csv_text import cell_text

_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="none")
# What the compiled printer knows, and how many bytes an item has.
_KINDS = {
    pa.float64(): ("d", 8),
    pa.int64(): ("l", 8),
    pa.int32(): ("i", 4),
    pa.date32(): ("D", 4),
    pa.string(): ("u", 4),
}


class RowEncoder:
    """Encodes the rows of one file, block by block."""

    def __init__(self) -> None:
        # Printed to over and over: pieces of a megabyte, taken and given back, would pit the heap.
        self._text = bytearray()

    def encode(self, rows: pa.Table) -> memoryview | pa.Buffer:
        """Returns the rows as lines; a null is an empty cell.

        They are there until the next rows are encoded.
        """
        # To combine even one chunk lets go of the interpreter's lock, for which others wait.
        columns = [
            column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            for column in rows.columns
        ]
        size = _print(columns, rows.num_rows, self._text) if compiled.AVAILABLE else None
        if size is not None:
            return memoryview(self._text)[:size]
        out = pa.BufferOutputStream()
        cells = pa.Table.from_arrays([cell_text(each) for each in columns], rows.schema.names)
        pacsv.write_csv(cells, out, _OPTIONS)
        return out.getvalue()


def _print(columns: list[pa.Array], rows: int, out: bytearray) -> int | None:
    """Prints the columns as lines and returns their size, or None if they are not plain."""
    if not rows or any(column.null_count for column in columns):
        return None
    shift = _shift([column for column in columns if pa.types.is_timestamp(column.type)])
    if shift is None:
        return None
    return compiled.print_rows(tuple(_parts(column) for column in columns), rows, shift, out)


def _shift(times: list[pa.Array]) -> int | None:
    """Returns the zone's offset if all the times have the same one."""
    if not times:
        return 0
    instants = [column.view(pa.int64()).to_numpy() for column in times]
    low = min(int(np.min(column)) for column in instants)
    return steady_offset(low, max(int(np.max(column)) for column in instants))


def _parts(column: pa.Array) -> tuple[Any, ...]:
    kind, size = ("t", 8) if pa.types.is_timestamp(column.type) else _KINDS[column.type]
    _, values, *letters = column.buffers()
    return kind, values.slice(column.offset * size), *(letters or [None])

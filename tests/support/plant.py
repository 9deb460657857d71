"""Rows of the simulated market, and defects planted in them at known places."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.audit.recomputation import is_daily
from transforms.model.row_groups import RowGroups
from transforms.quality.block import Block
from transforms.quality.check import QualityCheck
from transforms.quality.columns import arrays
from transforms.quality.findings import Quality

DAY, EXPIRATION = date(2024, 3, 14), date(2024, 3, 15)


def block_of(table: pa.Table) -> Block:
    """Returns the rows of one expiration as the checks look at them."""
    return Block(arrays(table), table["expiration"][0].as_py(), is_daily(table))


def place(table: pa.Table, strike: float, right: str, clock: str, day: date | None = None) -> int:
    """Returns the number of a contract's row at a time of day such as `10:00`."""
    stamps = pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M" if day else "%H:%M")
    clock = f"{day} {clock}" if day else clock
    mask = pc.and_(
        pc.and_(pc.equal(table["strike"], strike), pc.equal(table["right"], right)),
        pc.equal(stamps, clock),
    )
    (row,) = pc.indices_nonzero(mask).to_pylist()
    return int(row)


def plant(table: pa.Table, row: int, **values: Any) -> pa.Table:
    """Returns the table with other values in one row."""
    for name, value in values.items():
        column = table.schema.get_field_index(name)
        cells = table[name].to_pylist()
        cells[row] = value
        table = table.set_column(column, table.field(name), pa.array(cells, table.field(name).type))
    return table


def without(table: pa.Table, *rows: int) -> pa.Table:
    """Returns the table without some of its rows."""
    return table.take([n for n in range(table.num_rows) if n not in rows])


def again(table: pa.Table, row: int) -> pa.Table:
    """Returns the table with one row twice, one after the other."""
    return table.take([*range(row + 1), *range(row, table.num_rows)])


def swapped(table: pa.Table, row: int) -> pa.Table:
    """Returns the table with one row after the one that follows it."""
    order = list(range(table.num_rows))
    order[row], order[row + 1] = order[row + 1], order[row]
    return table.take(order)


def cut(table: pa.Table, sizes: Iterator[int]) -> Iterator[pa.RecordBatch]:
    """Yields the rows in batches of these sizes."""
    start = 0
    while start < table.num_rows:
        size = next(sizes)
        yield from table.slice(start, size).combine_chunks().to_batches()
        start += size


def quality_of(table: pa.Table, interval: str | None = "30m", size: int = 1000) -> Quality:
    check = QualityCheck(interval)
    for group in RowGroups.of(table.to_batches(max_chunksize=size)):
        check.add(group)
    return check.finish()

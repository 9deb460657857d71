"""Rows of a table apart: by expiration, and by trade date."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.market.clock import DAY_MS
from transforms.orders import ORDERS
from transforms.quality.block import new_york
from transforms.quality.columns import milliseconds


def kind_of(table: pa.Table) -> str:
    """Returns what rows of the same columns have in common: the order of data, or their names."""
    names = {*table.column_names}
    orders = (order.name for order in ORDERS.values() if {*order.schema.names} == names)
    return next(orders, "") or ",".join(sorted(names))


def by_expiration(table: pa.Table) -> Iterator[tuple[tuple[str, date], pa.Table]]:
    """Yields the rows of each symbol and expiration."""
    keys = table.select(["symbol", "expiration"]).group_by(["symbol", "expiration"]).aggregate([])
    for key in keys.to_pylist():
        part = table
        if keys.num_rows > 1:
            same = pc.equal(table["symbol"], key["symbol"])
            part = table.filter(pc.and_(same, pc.equal(table["expiration"], key["expiration"])))
        yield (key["symbol"], key["expiration"]), part


def by_day(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Yields the rows of each trade date, as days since 1970-01-01."""
    days = new_york(milliseconds(table["timestamp"])) // DAY_MS
    found = np.unique(days).tolist()
    for day in found:
        yield day, table if len(found) == 1 else table.filter(pa.array(days == day))

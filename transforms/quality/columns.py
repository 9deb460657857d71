"""Columns of Arrow as NumPy arrays, as the checks look at them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.arrays import Flags, Ints
from transforms.orders.schema import ALL_GREEKS, TRADES

Columns = Mapping[str, NDArray[Any]]

NUMBERS = frozenset(
    {
        "strike",
        "bid",
        "ask",
        "midpoint",
        "price",
        *TRADES,
        "vwap",
        "bid_size",
        "ask_size",
        "size",
        "sequence",
        *ALL_GREEKS,
        "bid_implied_vol",
        "implied_vol",
        "ask_implied_vol",
        "iv_error",
        "underlying_price",
        "open_interest",
    }
)
"""The columns of numbers that are looked at; of any other one, whether a number is missing."""
TIMES = ("timestamp", "underlying_timestamp")

UNKNOWN = np.iinfo(np.int64).min
"""The time that stands where there is none."""


def arrays(rows: pa.Table | pa.RecordBatch) -> dict[str, NDArray[Any]]:
    """Returns the columns that are looked at, as arrays.

    Numbers are float64, and NaN where there is none; times are milliseconds since 1970 in UTC, the
    smallest integer where there is none; `right` is true for a call. A number that is not one of
    `NUMBERS` is there only if one of it is missing: NaN there, and else 0.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1:
            column = column.chunk(0)
        if name in NUMBERS:
            found[name] = np.asarray(_values(column, pa.float64(), np.float64), np.float64)
        elif name in TIMES:
            found[name] = milliseconds(column)
        elif column.null_count and pa.types.is_primitive(column.type):
            empty = pc.is_null(column).to_numpy(zero_copy_only=False)
            found[name] = np.where(empty, np.nan, 0.0)
        elif name == "right":
            if isinstance(column, pa.ChunkedArray):
                column = column.combine_chunks()
            found[name] = _is_call(column)
    return found


def _values(column: pa.Array | pa.ChunkedArray, kind: pa.DataType, item: Any) -> NDArray[Any]:
    """Returns a column's values; of an array of that kind without a null as they lie in memory.

    (Arrow's own `to_numpy` lets go of the interpreter's lock, for which others wait.)
    """
    if isinstance(column, pa.Array) and column.type == kind and not column.null_count:
        _, values = column.buffers()
        if values is not None:
            return np.frombuffer(values, item)[column.offset : column.offset + len(column)]
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _is_call(column: Any) -> Flags:
    letters = column.buffers()[-1]
    if column.type == pa.string() and letters is not None and len(column):
        # A letter each, as this project's rows have it.
        offsets = np.frombuffer(column.buffers()[1], np.int32)
        ends = offsets[column.offset : column.offset + len(column) + 1]
        if ends[-1] - ends[0] == len(column):
            return np.asarray(np.frombuffer(letters, np.uint8)[ends[0] : ends[-1]] == ord("C"))
    return np.asarray(pc.equal(column, "C").to_numpy(zero_copy_only=False), np.bool_)


def milliseconds(column: pa.Array | pa.ChunkedArray) -> Ints:
    """Returns a column of timestamps as milliseconds since 1970 in UTC."""
    if column.type.unit != "ms":
        column = column.cast(pa.timestamp("ms", column.type.tz))
    return _values(column, column.type, np.int64).view(np.int64)

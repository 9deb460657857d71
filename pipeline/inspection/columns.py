"""The columns of Greeks that anyone wrote, in this project's own types."""

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.inspection.files import UnreadableFile
from transforms.orders import ORDERS
from transforms.orders.schema import KEY_COLUMNS, TRADES, ZONE

TYPES = {field.name: field.type for order in ORDERS.values() for field in order.schema}
"""The type of each column of this project's own files."""

STAMPS = ("timestamp", "underlying_timestamp")
_PRICES = ("underlying_price", "strike", "bid", "ask", "midpoint", "price", *TRADES[:4], "vwap")
_STAMP = pa.timestamp("ms", ZONE)
_WITH_OFFSET = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"


def typed(path: str, table: pa.Table) -> pa.Table:
    """Returns the known columns of rows with the names and types of `schema`.

    Args:
        path: of the file that they come from, for errors.
        table: the rows; without a symbol they get an empty one.

    Raises:
        UnreadableFile: a column of the key is missing or has an empty cell, or a right is neither
            a call nor a put.
        pyarrow.ArrowException: a cell is not of its column's type.
    """
    if "symbol" not in table.column_names:
        table = table.append_column("symbol", pa.repeat("", table.num_rows))
    lacking = [name for name in KEY_COLUMNS if name not in table.column_names]
    if lacking:
        raise UnreadableFile(
            f"{path} has no column {', '.join(lacking)}: rows of Greeks are named by "
            f"{', '.join(KEY_COLUMNS)}"
        )
    columns = {}
    for name in table.column_names:
        if name in TYPES:
            columns[name] = _column(path, name, table[name])
    for name in KEY_COLUMNS:
        if columns[name].null_count:
            raise UnreadableFile(f"{path} has a row without {name}")
    return pa.table(columns)


def _column(path: str, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if name in STAMPS:
        return _stamps(column)
    if name == "right":
        first = pc.utf8_upper(
            pc.utf8_slice_codeunits(pc.utf8_trim(column.cast(pa.string()), " "), 0, 1)
        )
        if not pc.all(pc.is_in(first, pa.array(["C", "P", None]))).as_py():
            raise UnreadableFile(f"{path}: a right is neither a call nor a put")
        return first
    if name == "expiration":
        if pa.types.is_integer(kind):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            digits = pc.replace_substring(pc.utf8_slice_codeunits(column, 0, 10), "-", "")
            return pc.strptime(digits, format="%Y%m%d", unit="s").cast(pa.date32())
        return column.cast(pa.date32())
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    single = pa.types.is_float32(column.type) or pa.types.is_float16(column.type)
    column = column.cast(TYPES[name])
    return _decimal(column, name in _PRICES) if single else column


def _decimal(column: pa.ChunkedArray, price: bool) -> pa.ChunkedArray:
    """Returns the decimals that were stored as float32, which holds 8.72 as 8.72000026.

    ThetaData's numbers have four, its prices above a thousand dollars two, which a float32 keeps.
    """
    cut = pc.round(column, 4)
    if not price:
        return cut
    return pc.if_else(pc.greater_equal(column, 1000), pc.round(column, 2), cut)


def _stamps(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz:
            return column.cast(_STAMP, safe=False)
        return pc.assume_timezone(column.cast(pa.timestamp("ms"), safe=False), ZONE)
    column = pc.replace_substring(
        pc.utf8_trim(column.cast(pa.string()), " "), " ", "T", max_replacements=1
    )
    # Arrow reads +00 and +0000 and +00:00, if all of a column have an offset or none has.
    with_offset = pc.match_substring_regex(column, _WITH_OFFSET)
    if not pc.any(with_offset).as_py():
        return pc.assume_timezone(column.cast(pa.timestamp("ms")), ZONE)
    if pc.all(with_offset).as_py():
        return column.cast(pa.timestamp("ms", "UTC")).cast(_STAMP)
    raise pa.ArrowInvalid("some times have an offset from UTC, and others have none")

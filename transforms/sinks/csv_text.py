"""The text of the CSV files.

Numbers are the Terminal's decimals without trailing zeros or exponent; timestamps
carry milliseconds and New York's offset of that day: `2024-03-14T09:30:00.000-04:00`.
"""

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc


def encode_header(schema: pa.Schema) -> bytes:
    """Returns the header line."""
    return (",".join(schema.names) + "\n").encode()


def cell_text(column: pa.Array) -> pa.Array:
    """Returns a column as text where Arrow's CSV writer would print it otherwise, else as it is."""
    if pa.types.is_floating(column.type):
        return decimal_text(column)
    return timestamp_text(column) if pa.types.is_timestamp(column.type) else column


def timestamp_text(instants: pa.Array) -> pa.Array:
    """Returns zoned timestamps as ISO 8601 text with their zone's offset at that instant."""
    # Many rows have one time, and to look it up is much cheaper than to print it.
    times = instants.dictionary_encode()
    return pc.take(pc.strftime(times.dictionary, format="%Y-%m-%dT%H:%M:%S%Ez"), times.indices)


def decimal_text(values: pa.Array) -> pa.Array:
    """Returns float64 values as the shortest decimal that reads back as the same value.

    Minus zero is zero.
    """
    text = pc.cast(pc.add(values, 0.0), pa.string())
    scientific = pc.match_substring(text, "e")
    if not pc.any(scientific, min_count=0).as_py():
        return text
    spelled = [format(Decimal(number), "f") for number in pc.filter(text, scientific).to_pylist()]
    return pc.replace_with_mask(
        text, pc.fill_null(scientific, False), pa.array(spelled, pa.string())
    )

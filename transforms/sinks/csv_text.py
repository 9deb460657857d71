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


def timestamp_text(instants: pa.Array) -> pa.Array:
    """Returns zoned timestamps as ISO 8601 text with their zone's offset at that instant."""
    return pc.strftime(instants, format="%Y-%m-%dT%H:%M:%S%Ez")


def decimal_text(values: pa.Array) -> pa.Array:
    """Returns float64 values as the shortest decimal that reads back as the same value."""
    text = pc.cast(values, pa.string())
    scientific = pc.match_substring(text, "e")
    if not pc.any(scientific, min_count=0).as_py():
        return text
    spelled = [format(Decimal(number), "f") for number in pc.filter(text, scientific).to_pylist()]
    return pc.replace_with_mask(
        text, pc.fill_null(scientific, False), pa.array(spelled, pa.string())
    )

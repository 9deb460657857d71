"""Rows as lines of a CSV file."""

import pyarrow as pa
import pyarrow.csv as pacsv

from transforms.column_text import Decimals, Timestamps

_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="none")


class RowEncoder:
    """Encodes the rows of one file, block by block.

    The text depends on the rows alone; what was learnt of earlier blocks makes it faster.

    Args:
        schema: of every block.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._printers = [_printer(field.type) for field in schema]

    def encode(self, rows: pa.Table) -> pa.Buffer:
        """Returns the rows as lines; a null is an empty cell."""
        out = pa.BufferOutputStream()
        text = [
            column if printer is None else printer.text(column.combine_chunks())
            for printer, column in zip(self._printers, rows.columns, strict=True)
        ]
        pacsv.write_csv(pa.Table.from_arrays(text, rows.schema.names), out, _OPTIONS)
        return out.getvalue()


def _printer(kind: pa.DataType) -> Decimals | Timestamps | None:
    if pa.types.is_floating(kind):
        return Decimals()
    return Timestamps() if pa.types.is_timestamp(kind) else None

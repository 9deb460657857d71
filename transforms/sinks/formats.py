"""The formats by name.

To add one: subclass `ExpirationSink` in a module of its own, implement `begin`, `write_rows`, `end`
and `rows_written`, list the class in `FORMATS`, and its compressions in
`transforms.output.layout.COMPRESSIONS`. The contract tests of
tests/transforms/sinks/test_formats.py then run on it.
"""

import pyarrow as pa

from transforms.output.layout import Layout
from transforms.sinks.base import ExpirationSink
from transforms.sinks.csv import CsvSink
from transforms.sinks.parquet import ParquetSink

FORMATS: dict[str, type[ExpirationSink]] = {sink.NAME: sink for sink in (CsvSink, ParquetSink)}
"""The formats by name, as `--format` takes them."""


def make_sink(
    format_name: str, compression: str, schema: pa.Schema, layout: Layout
) -> ExpirationSink:
    """Returns the sink of a format.

    Args:
        format_name: a key of `FORMATS`.
        compression: one of `COMPRESSIONS[format_name]`.
        schema: of the rows.
        layout: where the files go.

    Raises:
        KeyError: there is no such format.
    """
    return FORMATS[format_name](layout, schema, compression)

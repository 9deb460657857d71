"""The formats by name.

To add one: subclass `ExpirationSink` in a module of its own, implement `begin`, `write_rows`, `end`
and `rows_written`, list the class in `FORMATS`, and its compressions in
`transforms.output.layout.COMPRESSIONS`. The contract tests of
tests/transforms/sinks/test_formats.py then run on it.
"""

import pyarrow as pa

from transforms.orders import schema_of
from transforms.output.layout import (
    BY_EXPIRATION,
    COMPRESSIONS,
    PATTERNS,
    Layout,
    check_pattern,
)
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


def sink_for(
    output: str,
    greeks: str = "first_order",
    format_name: str = "csv",
    compression: str = "",
    pattern: str = PATTERNS[BY_EXPIRATION],
) -> ExpirationSink:
    """Returns a sink for a pipeline of one's own.

    Args:
        output: the folder of the data files, on any file system that Beam knows.
        greeks: the order of the requests.
        format_name: a key of `FORMATS`.
        compression: one of `COMPRESSIONS[format_name]`; empty for its first.
        pattern: names the files, below `output` and without their suffix.

    Raises:
        KeyError: there is no such order, format or compression.
        ValueError: the pattern can't name files.
    """
    check_pattern(pattern)
    compression = compression or next(iter(COMPRESSIONS[format_name]))
    layout = Layout.of_new_run(output, COMPRESSIONS[format_name][compression], pattern)
    return make_sink(format_name, compression, schema_of(greeks), layout)

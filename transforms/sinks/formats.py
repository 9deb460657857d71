"""The formats by name.

To add one: subclass `ExpirationSink` in a module of its own, implement `begin`, `write_rows`, `end`
and `rows_written`, list the class in `FORMATS`, and its compressions in
`transforms.output.layout.COMPRESSIONS`. The contract tests of
tests/transforms/sinks/test_formats.py then run on it.
"""

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


def make_sink(format_name: str, compression: str, layout: Layout) -> ExpirationSink:
    """Returns the sink of a format.

    Args:
        format_name: a key of `FORMATS`.
        compression: one of `COMPRESSIONS[format_name]`.
        layout: where the files go.

    Raises:
        KeyError: there is no such format.
    """
    return FORMATS[format_name](layout, compression)


def sink_for(
    output: str,
    format_name: str = "csv",
    compression: str = "",
    pattern: str = PATTERNS[BY_EXPIRATION],
) -> ExpirationSink:
    """Returns a sink for a pipeline of one's own.

    Args:
        output: the folder of the data files, on any file system that Beam knows.
        format_name: a key of `FORMATS`.
        compression: one of `COMPRESSIONS[format_name]`; empty for its first.
        pattern: names the files, below `output` and without their suffix.

    Raises:
        KeyError: there is no such format or compression.
        ValueError: the pattern can't name files.
    """
    check_pattern(pattern)
    compression = compression or next(iter(COMPRESSIONS[format_name]))
    layout = Layout.of_new_run(output, COMPRESSIONS[format_name][compression], pattern)
    return make_sink(format_name, compression, layout)

"""A file of the underlying's prices: its schema, and how it is put in place."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.text import count
from transforms.orders.schema import COLUMNS, UNDERLYING
from transforms.output.folder import OutputFolder
from transforms.sinks import ExpirationSink
from transforms.storage import files

SCHEMA = pa.schema(
    [
        pa.field(name, COLUMNS[name][0], False, {"unit": COLUMNS[name][1]})
        for name in ("symbol", *UNDERLYING)
    ]
)
"""The schema of the files of prices."""


def write(sink: ExpirationSink, path: str, symbol: str, prices: pa.Table) -> str:
    """Puts a file in place, whole or not at all, and returns the SHA-256 of its bytes.

    One that has these very bytes stays.

    Args:
        sink: of its format.
        path: of the file.
        symbol: of the prices.
        prices: times and prices, sorted.

    Raises:
        OSError: it can't be written; what was there is as it was.
    """
    symbols = pa.repeat(pa.scalar(symbol), prices.num_rows)
    columns = [symbols, *(each.combine_chunks() for each in prices.columns)]
    handle = sink.create(path, SCHEMA)
    try:
        if prices.num_rows:
            sink.write_record(handle, pa.record_batch(columns, schema=SCHEMA))
        written = sink.close(handle)
        if files.exists(path) and files.sha256(path) == written.sha256:
            sink.discard(handle)
        else:
            sink.commit(handle)
    except BaseException:
        sink.discard(handle)
        raise
    return written.sha256


def repeated_times(prices: pa.Table) -> str:
    """Returns how many times of sorted prices have several, or an empty text."""
    times = prices[UNDERLYING[0]].combine_chunks()
    again = pc.equal(times[1:], times[:-1])
    number = pc.sum(again).as_py()
    if not number:
        return ""
    first = times[pc.index(again, True).as_py()].as_py().isoformat(timespec="milliseconds")
    return f"{count(number, 'further price')} of a time that has one already, first at {first}"


def check_disk(folder: OutputFolder) -> None:
    """Checks that a file can be renamed into the folder of the prices.

    Raises:
        OSError: that is on another disk.
    """
    if not files.is_local(folder.meta):
        return
    place = Path(folder.prices)
    there = place if place.exists() else place.absolute().parent
    if there.stat().st_dev != Path(folder.meta).stat().st_dev:
        raise OSError(
            f"{place} would be on another disk than {folder.meta}, and may not outlive a "
            "container: where a volume is mounted, --output is to be a folder in it"
        )

"""An output folder filled from the stand-in Terminal, with no pipeline around it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline.simulator.server import TerminalServer
from transforms.commit.expiration_writer import ExpirationWriter
from transforms.model import Trailer
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.sinks.formats import make_sink
from transforms.thetadata import ThetaClient

DAY = date(2024, 3, 14)
NEXT_DAY = date(2024, 3, 15)


def fill(
    output: Path,
    terminal: TerminalServer,
    expirations: Sequence[date] = (NEXT_DAY,),
    first: date = DAY,
    last: date = DAY,
    *,
    file_format: str = "parquet",
    compression: str = "zstd",
    greeks: str = "first_order",
    interval: str = "30m",
    pattern: str = "{expiration:%Y-%m-%d}/{symbol}_{expiration:%Y%m%d}",
) -> int:
    """Writes a file for each expiration of SPXW, with its manifest, and returns the rows."""
    suffix = COMPRESSIONS[file_format][compression]
    layout = Layout(str(output), suffix, "run-1", pattern)
    writer = ExpirationWriter(make_sink(file_format, compression, layout), "simulated, seed 0")
    rows = 0
    with ThetaClient(terminal.url) as client:
        for expiration in expirations:
            request = client.request(
                "SPXW", expiration, first, last, interval=interval, greeks=greeks
            )
            batches = list(client.stream(request))
            for batch in batches:
                writer.write(request, batch)
            count = sum(batch.num_rows for batch in batches)
            result = writer.write(request, Trailer(len(batches), count))
            assert result is not None
            assert result.rows == count > 0, result.failure
            rows += count
    return rows

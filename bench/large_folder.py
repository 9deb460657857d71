"""A folder of many files, as earlier runs leave it: `python -m bench.large_folder FOLDER`.

Writes a file of 70 rows and its entry for each request of a plan of the simulated market in daily
layout, except for those of the last trade date, and prints the commands that have one day to add,
and nothing to do. Nothing is synced: a folder of 100,000 files takes about a minute.
"""

import argparse
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from pipeline.config import DownloadConfig
from pipeline.planning import make_plan, open_source
from pipeline.planning.preconditions import note_layout
from transforms.model import GreeksRequest
from transforms.orders import schema, schema_of
from transforms.output.entry import COMMITTED, Entry
from transforms.output.layout import Layout
from transforms.sinks.csv_text import encode_header
from transforms.storage.json_text import json_text

ROWS = 70


def content_of(request: GreeksRequest) -> bytes:
    """Returns a CSV file of `ROWS` rows."""
    names = schema_of(request.greeks).names
    day = request.first_trade_date
    lines = []
    for number in range(ROWS):
        time = f"{day}T{10 + number % 6}:00:00.000-04:00"
        row = dict.fromkeys(names, "0.5") | {
            "symbol": request.symbol,
            "expiration": str(request.expiration),
            "strike": str(5000 + number // 6 * 5),
            "right": "C",
            "timestamp": time,
            "underlying_timestamp": time,
        }
        lines.append(",".join(row.values()) + "\n")
    return encode_header(schema_of(request.greeks)) + "".join(lines).encode()


def write(layout: Layout, request: GreeksRequest, source: str) -> None:
    """Writes a file and its entry."""
    content = content_of(request)
    path = Path(layout.path(request))
    day = str(request.first_trade_date)
    entry = Entry(
        COMMITTED,
        request.describe(),
        source,
        "20240101T000000.000000Z",
        dates_with_rows=day,
        rows=ROWS,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        format="csv",
        compression="none",
        schema_version=schema.VERSION,
        time=datetime.now(timezone.utc).isoformat(),
    )
    document = Path(layout.folder.entry(layout.name(request)))
    for each, data in ((path, content), (document, json_text(asdict(entry)).encode())):
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--start_date", default="2013-01-02")
    parser.add_argument("--end_date", default="2024-03-14")
    parser.add_argument("--max_dte", type=int, default=75)
    chosen = parser.parse_args(arguments)
    flags = {
        "symbols": ("SPXW",),
        "start_date": datetime.fromisoformat(chosen.start_date).date(),
        "end_date": datetime.fromisoformat(chosen.end_date).date(),
        "max_dte": chosen.max_dte,
        "interval": "1h",
        "layout": "daily",
        "terminal": "embedded",
        "output": chosen.folder,
    }
    config = DownloadConfig(**flags)
    with open_source(config) as source, source.client() as client:
        plan = make_plan(client, config)
        layout = Layout(config.output, ".csv", "20240101T000000.000000Z", config.pattern)
        last = plan.trading_days[-1]
        there = [each for each in plan.requests if each.first_trade_date != last]
        for request in there:
            write(layout, request, source.origin)
        note_layout(layout, config)
    for name, end in (("one day to add", last), ("nothing to do", plan.trading_days[-2])):
        words = ["greeks", "download", "--terminal", "embedded", "--symbol", "SPXW"]
        words += ["--start_date", chosen.start_date, "--end_date", str(end), "--interval", "1h"]
        words += ["--layout", "daily", "--max_dte", str(chosen.max_dte)]
        words += ["--output", chosen.folder]
        print(f"{name}: {shlex.join(words)}")
    print(f"{len(there):,} files, and {len(plan.requests) - len(there)} more for {last}")


if __name__ == "__main__":
    main()

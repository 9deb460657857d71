"""How fast a history of 100,000 runs is listed: `python -m bench.history [RUNS] [POSTGRESQL_URL]`.

Fills a folder, an SQLite file and, if one is given, a PostgreSQL with so many runs of 21
expirations, and prints the seconds of the whole command `greeks runs list` on each, from its start
to its end.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bench.processes import GREEKS

BEGIN = datetime(2020, 1, 1, tzinfo=timezone.utc)
LISTS = {
    "--limit 20": ["--limit", "20"],
    "--symbol RARE --limit 20": ["--symbol", "RARE", "--limit", "20"],
    "--since 2020-01-02 --until 2020-01-03 --limit 20": [
        *("--since", "2020-01-02", "--until", "2020-01-03", "--limit", "20"),
    ],
}


def records(runs: int) -> Iterator[dict[str, Any]]:
    """Yields the records of so many runs, a minute apart, the oldest first."""
    expiration = {
        "symbol": "SPXW",
        "expiration": "2024-03-14",
        "status": "written",
        "rows": 35234,
        "bytes": 5177254,
        "seconds": 0.592,
        "requests": 1,
    }
    for number in range(runs):
        start = BEGIN + timedelta(minutes=number)
        symbol = "RARE" if number % 10_000 == 7 else ("SPXW", "SPX", "AAPL")[number % 3]
        yield {
            "run_id": start.strftime("%Y%m%dT%H%M%S.%fZ"),
            "status": "succeeded" if number % 50 else "failed",
            "start_time": start.isoformat(),
            "total_duration": 2.9,
            "total_expirations": 21,
            "total_records": 403690,
            "total_data_size": 60908574,
            "average_throughput": 139498.8,
            "peak_memory_usage": 169.7,
            "request": {"symbol": [symbol], "start_date": "2024-03-14", "interval": "5m"},
            "source": {"data": "live"},
            "expirations": [expiration] * 21,
        }


def fill_folder(folder: Path, runs: int) -> None:
    """Writes the files that a folder's history would hold."""
    folder.mkdir()
    for record in records(runs):
        text = json.dumps(record, indent=2)
        (folder / f"pipeline-run-{record['run_id']}.json").write_text(text)


def fill_database(url: str, runs: int) -> None:
    """Writes the rows that a database's history would hold."""
    from pipeline.history.sql import SqlStore

    store = SqlStore(url)
    with store._transaction() as connection:
        for record in records(runs):
            store._insert(connection, record)


def main() -> None:
    """Prints the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as base:
        fill_folder(Path(base) / "folder", runs)
        fill_database(f"sqlite:///{base}/runs.db", runs)
        stores = {"folder": f"{base}/folder", "sqlite": f"sqlite:///{base}/runs.db"}
        if len(sys.argv) > 2:
            stores["postgresql"] = sys.argv[2]
            fill_database(sys.argv[2], runs)
        print(f"| {runs:,} runs | seconds |\n|---|--:|")
        for kind, url in stores.items():
            for name, flags in LISTS.items():
                command = [*GREEKS, "runs", "list", "--metrics", url]
                began = time.perf_counter()
                subprocess.run([*command, *flags], check=True, stdout=subprocess.DEVNULL)
                print(f"| {kind}, {name} | {time.perf_counter() - began:.2f} |", flush=True)


if __name__ == "__main__":
    main()

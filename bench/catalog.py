"""CSV against Parquet, in size and in the time of three queries: `python -m bench.catalog`.

Downloads a trade date of SPXW every minute from a simulated market in every format and
compression, and runs the first three queries of docs/queries.md on each through its `catalog.sql`.
Prints the size, its ratio to plain CSV, and the seconds of each query: the best of five runs, each
in a new connection, with the files in the page cache.
"""

import re
import tempfile
import time
from pathlib import Path

import duckdb

from bench.processes import download

FORMATS = ("csv none", "csv gzip", "csv zstd", "parquet zstd", "parquet snappy")
PAGE = (Path(__file__).parents[1] / "docs" / "queries.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)[:3]
RUNS = 5


def measure(catalog: str) -> list[float]:
    """Returns the seconds of each query, the best of `RUNS`."""
    best = []
    for query in QUERIES:
        times = []
        for _ in range(RUNS):
            connection = duckdb.connect()
            connection.execute(catalog)
            begin = time.perf_counter()
            rows = connection.sql(query).fetchall()
            times.append(time.perf_counter() - begin)
            assert rows, query
        best.append(min(times))
    return best


def main() -> None:
    """Prints the table."""
    print("| files | MB | smaller | smile | straddles | term structure |")
    print("|---|--:|--:|--:|--:|--:|")
    plain = 0
    for kind in FORMATS:
        name, compression = kind.split()
        with tempfile.TemporaryDirectory() as folder:
            flags = ("--interval", "1m", "--format", name, "--compression", compression)
            download(folder, "embedded", *flags)
            size = sum(p.stat().st_size for p in Path(folder, "greeks").rglob("*") if p.is_file())
            plain = plain or size
            catalog = Path(folder, "greeks.meta", "catalog.sql").read_text("utf-8")
            seconds = measure(catalog)
        cells = [f"{name}, {compression}", f"{size / 1e6:.1f}", f"{plain / size:.1f} times"]
        print(f"| {' | '.join([*cells, *(f'{value:.2f} s' for value in seconds)])} |", flush=True)


if __name__ == "__main__":
    main()

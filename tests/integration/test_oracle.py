"""Every row that was served is in the files, exactly once, by an oracle without the pipeline."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks, greeks_here, summaries
from tests.support.data import files_in
from tests.support.oracle import Market

# A Friday and a Monday: over the weekend, New York's clocks went forward. SPX expires on the 15th.
DAYS = (date(2024, 3, 8), date(2024, 3, 11))
MAX_DTE = 7
RANGE = ["--start_date", str(DAYS[0]), "--end_date", str(DAYS[-1]), "--max_dte", str(MAX_DTE)]


def oracle(market: Market, symbol: str) -> dict[str, pa.Table]:
    tables = {}
    for expiration in market.expirations(symbol):
        days = [d for d in DAYS if d <= expiration <= d + timedelta(MAX_DTE)]
        rows = [market.rows(symbol, expiration, day, "30m") for day in days]
        if any(table.num_rows for table in rows):
            name = f"{expiration}/{symbol}_{expiration:%Y%m%d}"
            tables[name] = pa.concat_tables(rows)
    return tables


def read(path: Path, schema: pa.Schema) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    types = {field.name: field.type for field in schema}
    return pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types=types))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "csv.gz"])
def test_the_files_hold_every_served_row_exactly_once(
    market: Market, terminal: TerminalServer, tmp_path: Path, suffix: str
) -> None:
    form = ["--format", suffix.partition(".")[0]]
    form += ["--compression", "gzip"] if suffix.endswith("gz") else []
    flags = ["--symbol", "SPXW,SPX", "--interval", "30m", "--terminal", terminal.url]
    greeks_here(tmp_path, "download", *flags, *RANGE, *form)
    expected = oracle(market, "SPXW") | oracle(market, "SPX")
    assert len(expected) > 5
    assert "2024-03-15/SPX_20240315" in expected
    output = tmp_path / "data" / "greeks"
    assert sorted(files_in(output)) == sorted(f"{name}.{suffix}" for name in expected)
    for name, table in expected.items():
        found = read(output / f"{name}.{suffix}", table.schema)
        assert found.cast(table.schema).equals(table), name
    rows = sum(table.num_rows for table in expected.values())
    (summary,) = summaries(tmp_path)
    assert summary["total_records"] == rows == terminal.stats()["rows"]
    assert summary["source"] == {"terminal": terminal.url, "api": "v3", "data": "simulated"}


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_the_bytes_do_not_depend_on_how_they_were_fetched(
    terminal: TerminalServer, tmp_path: Path, form: str
) -> None:
    trees = []
    for number, how in enumerate(
        [
            ["--concurrency", "1"],
            ["--concurrency", "4", "--batch_size", "333"],
            ["--concurrency", "2", "--direct_running_mode", "multi_processing"],
            ["--direct_running_mode", "multi_threading", "--batch_size", "100000"],
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        flags = ["--symbol", "SPXW", "--interval", "10m", "--terminal", terminal.url, *RANGE]
        greeks_here(folder, "download", *flags, "--format", form, *how)
        trees.append(files_in(folder / "data" / "greeks"))
    assert len(trees[0]) > 5
    assert all(tree == trees[0] for tree in trees)


@pytest.mark.parametrize(
    ("first", "last", "offsets"),
    [
        ("2024-03-08", "2024-03-11", ("-05:00", "-04:00")),
        pytest.param("2024-11-01", "2024-11-04", ("-04:00", "-05:00"), marks=pytest.mark.slow),
    ],
)
def test_the_machines_time_zone_does_not_touch_the_data(
    terminal: TerminalServer, tmp_path: Path, first: str, last: str, offsets: tuple[str, str]
) -> None:
    trees = []
    for zone in ("America/New_York", "UTC", "Asia/Singapore"):
        folder = tmp_path / zone
        folder.mkdir(parents=True)
        # One in a process that never knew another zone.
        run = greeks if zone == "Asia/Singapore" else greeks_here
        flags = ["--symbol", "SPXW", "--interval", "1h", "--terminal", terminal.url]
        dates = ["--start_date", first, "--end_date", last, "--max_dte", "3"]
        run(folder, "download", *flags, *dates, TZ=zone)
        parquet = ["--format", "parquet", "--output", "data/parquet"]
        run(folder, "download", *flags, *dates, *parquet, TZ=zone)
        trees.append(files_in(folder / "data" / "greeks") | files_in(folder / "data" / "parquet"))
    assert trees[0] == trees[1] == trees[2]
    text = trees[0][f"{last}/SPXW_{last.replace('-', '')}.csv"].decode()
    assert f",{first}T09:30:00.000{offsets[0]}," in text
    assert f",{last}T09:30:00.000{offsets[1]}," in text

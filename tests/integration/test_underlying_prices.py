"""The underlying's prices in files of their own: by a run, by the command, and after a kill."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import psutil
import pyarrow.parquet as pq
import pytest

from pipeline.process.watchdog import WORKER
from pipeline.simulator.server import TerminalServer
from pipeline.underlying.prices import update
from tests.support.answers import rows_of
from tests.support.command import greeks, greeks_here, start, summaries
from tests.support.data import batches_on, files_in
from tests.support.google_store import google_store
from tests.support.market import silent_terminal
from tests.support.market import terminal as scripted_terminal
from tests.support.object_store import BUCKET, object_store
from tests.support.scripted import Answer, scripted_server
from tests.support.waiting import wait_for
from transforms.commit.expiration_writer import ExpirationWriter
from transforms.market import trading_days
from transforms.model import GreeksRequest, Trailer
from transforms.orders import schema_of
from transforms.output.index import windows
from transforms.output.layout import DAILY, PATTERNS, Layout
from transforms.sinks.formats import make_sink
from transforms.storage.gcs import access as gcs
from transforms.storage.s3 import access as s3

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--interval", "30m"]
DOWNLOAD += ["--progress", "none"]
DAYS = [*DOWNLOAD, "--end_date", "2024-03-15", "--max_dte", "4"]
WITH = "--underlying_prices"
READERS = {
    "parquet": "read_parquet('{}/**/*.parquet', hive_partitioning = false, filename = true)",
    "csv": "read_csv('{}/**/*.csv*', hive_partitioning = false, filename = true)",
}


def prices_of(folder: Path) -> dict[str, bytes]:
    return files_in(folder / "data" / "greeks.underlying")


def query(sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(sql).fetchall()


@pytest.mark.parametrize(
    ("file_format", "compression"),
    [
        ("parquet", "zstd"),
        pytest.param("csv", "none", marks=pytest.mark.slow),
        pytest.param("csv", "gzip", marks=pytest.mark.slow),
    ],
)
def test_a_run_writes_each_price_of_its_rows_once_by_symbol_and_trade_date(
    tmp_path: Path, terminal: TerminalServer, file_format: str, compression: str
) -> None:
    flags = ["--symbol", "SPXW,SPX", "--format", file_format, "--compression", compression]
    greeks_here(tmp_path, *DAYS, *flags, WITH, "--terminal", terminal.url)
    reader = READERS[file_format]
    data = reader.format(tmp_path / "data/greeks")
    made = reader.format(tmp_path / "data/greeks.underlying")
    stored = query(
        "SELECT symbol, underlying_timestamp, underlying_price, "
        f"regexp_extract(filename, 'greeks.underlying/(.*)[.]{file_format}', 1) FROM {made}"
    )
    expected = query(
        "SELECT DISTINCT symbol, underlying_timestamp, underlying_price, "
        "'trade_date=' || CAST(timezone('America/New_York', timestamp) AS DATE) || '/' || symbol "
        f"FROM {data} WHERE underlying_price IS NOT NULL AND underlying_timestamp IS NOT NULL"
    )
    assert sorted(stored, key=repr) == sorted(expected, key=repr)
    assert len({each[3] for each in stored}) == 3  # SPX has no rows on the day of its expiration
    for name in {each[3] for each in stored}:
        of_it = [each[1:3] for each in stored if each[3] == name]
        assert of_it == sorted(of_it), name
    assert "all as it was written" in greeks_here(tmp_path, "verify", "--fix")


def test_the_columns_have_the_types_and_units_of_the_data(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    greeks_here(tmp_path, *DOWNLOAD, WITH, "--format", "parquet", "--terminal", terminal.url)
    schema = pq.read_schema(tmp_path / "data/greeks.underlying/trade_date=2024-03-14/SPXW.parquet")
    data = schema_of("first_order")
    assert schema.names == ["symbol", "underlying_timestamp", "underlying_price"]
    for field in schema:
        assert field.type == data.field(field.name).type
        assert field.metadata == data.field(field.name).metadata


@pytest.mark.parametrize("layout", ["expiration", pytest.param("daily", marks=pytest.mark.slow)])
def test_two_half_runs_make_the_bytes_of_one(
    tmp_path: Path, terminal: TerminalServer, layout: str
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    whole.mkdir()
    halves.mkdir()
    flags = ["--layout", layout, "--terminal", terminal.url, WITH]
    greeks_here(whole, *DAYS, *flags)
    greeks_here(halves, *DAYS, *flags, "--max_dte", "1")
    greeks_here(halves, *DAYS, *flags)
    assert prices_of(halves) == prices_of(whole)
    assert len(prices_of(whole)) == 2
    # Without the flag, and then by the command.
    shutil.rmtree(halves / "data/greeks.underlying")
    assert "2 files made, 0 unchanged" in greeks_here(halves, "underlying")
    assert prices_of(halves) == prices_of(whole)
    assert "0 files made, 2 unchanged" in greeks_here(halves, "underlying")


def test_a_run_reads_only_the_data_files_of_trade_dates_that_changed(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    flags = ["--layout", "daily", "--terminal", terminal.url, WITH]
    greeks_here(tmp_path, *DOWNLOAD, *flags)
    before = prices_of(tmp_path)
    for path in (tmp_path / "data/greeks/trade_date=2024-03-14").iterdir():
        path.write_bytes(b"x" * path.stat().st_size)  # whoever reads it, reports it
    out = greeks_here(tmp_path, *DAYS, *flags)
    assert "1 file made, 1 unchanged" in out
    assert prices_of(tmp_path).items() > before.items()


def priced(request: GreeksRequest, *prices: str) -> Answer:
    """Returns an answer whose rows have these prices in turn."""
    header, *rows = rows_of(request, request.trade_dates[0], 10).decode().split("\r\n")
    rows = [row.replace("5123.45", prices[place % len(prices)]) for place, row in enumerate(rows)]
    return Answer("\r\n".join([header, *rows]).encode())


def test_a_data_file_with_other_rows_makes_the_prices_of_its_trade_date_anew(
    tmp_path: Path,
) -> None:
    price = "5123.45"
    with scripted_server(scripted_terminal(lambda request: priced(request, price))) as server:
        flags = [*DOWNLOAD, "--max_dte", "1", WITH, "--terminal", server.url]
        greeks_here(tmp_path, *flags)
        assert all(b"5123.45" in content for content in prices_of(tmp_path).values())
        price = "5200.5"
        out = greeks_here(tmp_path, *flags, "--overwrite")
        assert "1 file made, 0 unchanged" in out
        (content,) = prices_of(tmp_path).values()
        assert b"5200.5\n" in content
        assert b"5123.45" not in content
        # The same rows again are no other ones.
        assert "0 files made, 1 unchanged" in greeks_here(tmp_path, *flags, "--overwrite")


def test_several_prices_of_a_time_are_kept_and_reported(tmp_path: Path) -> None:
    def answer(request: GreeksRequest) -> Answer:
        return priced(request, "5123.45" if request.expiration.day == 14 else "5123.5")

    with scripted_server(scripted_terminal(answer)) as server:
        flags = [*DOWNLOAD, "--max_dte", "1", WITH, "--terminal", server.url]
        out = greeks_here(tmp_path, *flags)
    assert "SPXW.csv keeps 10 further prices of a time that has one already, first at 2024" in out
    (content,) = prices_of(tmp_path).values()
    assert content.count(b",5123.45\n") == content.count(b",5123.5\n") == 10


def test_a_price_of_zero_or_null_is_none(tmp_path: Path) -> None:
    def answer(request: GreeksRequest) -> Answer:
        return priced(request, "0.0000", "5123.45")

    with scripted_server(scripted_terminal(answer)) as server:
        greeks_here(tmp_path, *DOWNLOAD, "--max_dte", "0", WITH, "--terminal", server.url)
    (content,) = prices_of(tmp_path).values()
    assert content.count(b"\n") == 6
    assert b",0" not in content.replace(b",5123", b"")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("missing", marks=pytest.mark.slow),
        pytest.param("shorter", marks=pytest.mark.slow),
        "other bytes",
    ],
)
def test_no_prices_are_made_from_the_rest_where_a_data_file_is_damaged(
    tmp_path: Path, terminal: TerminalServer, damage: str
) -> None:
    flags = ["--layout", "daily", "--terminal", terminal.url]
    greeks_here(tmp_path, *DAYS, *flags)
    path = tmp_path / "data/greeks/trade_date=2024-03-14/SPXW_20240318.csv"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            content[:-100] if damage == "shorter" else content.replace(b"514", b"515", 1)
        )
    out = greeks_here(tmp_path, "underlying", code=1)
    named = re.search(r"SPXW_20240318.csv (.*): no prices of 2024-03-14 were made", out)
    assert named is not None, out
    assert ("has other bytes" if damage == "other bytes" else "is missing") in named[1]
    assert list(prices_of(tmp_path)) == ["trade_date=2024-03-15/SPXW.csv"]
    # A run that does not fetch it fails, too, and the record has the reason.
    if damage == "other bytes":
        greeks_here(tmp_path, *DAYS, *flags, WITH, code=1)
        summary = summaries(tmp_path)[-1]
        assert summary["status"] == "failed"
        assert named[0] in summary["errors"][0]["message"]
    # One that does makes the prices.
    greeks_here(tmp_path, *DAYS, *flags, WITH, "--resume", "hash")
    assert len(prices_of(tmp_path)) == 2


def test_a_broken_entry_keeps_all_prices_as_they_are(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    greeks_here(tmp_path, *DOWNLOAD, "--terminal", terminal.url)
    entry = tmp_path / "data/greeks.meta/files/2024-03-15/SPXW_20240315.csv.json"
    entry.write_text("{")
    out = greeks_here(tmp_path, "underlying", code=1)
    assert "SPXW_20240315.csv.json is not an entry of the manifest" in out
    assert not prices_of(tmp_path)


@pytest.mark.parametrize("order", ["open_interest", "ohlc", "quote"])
def test_an_order_without_the_underlyings_price_is_refused_by_name(
    tmp_path: Path, terminal: TerminalServer, order: str
) -> None:
    interval = "eod" if order == "open_interest" else "30m"
    flags = [*DOWNLOAD, "--greeks", order, "--interval", interval, "--max_dte", "0"]
    flags += ["--terminal", terminal.url]
    out = greeks_here(tmp_path, *flags, WITH, code=2)
    assert f"--underlying_prices does not apply to --greeks {order}" in out
    assert not (tmp_path / "data").exists()
    greeks_here(tmp_path, *flags)
    out = greeks_here(tmp_path, "underlying", code=2)
    assert f"has files of {order}, whose rows lack the underlying's price" in out
    assert not (tmp_path / "data/greeks.underlying").exists()


def test_of_several_orders_those_that_have_prices_give_them(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    flags = [*DOWNLOAD, "--max_dte", "1", "--terminal", terminal.url, WITH]
    greeks_here(tmp_path, *flags, "--output", "data/alone")
    greeks_here(tmp_path, *flags, "--greeks", "first_order,open_interest")
    assert prices_of(tmp_path) == files_in(tmp_path / "data" / "alone.underlying")
    assert "all as it was written" in greeks_here(tmp_path, "verify")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    out = greeks_here(tmp_path, "underlying", "--output", "data/nothing", code=2)
    assert "data/nothing has no files" in out
    assert not list(tmp_path.iterdir())


def test_files_of_others_stay_and_those_of_no_data_file_go(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    greeks_here(tmp_path, *DAYS, "--layout", "daily", WITH, "--terminal", terminal.url)
    own = tmp_path / "data/greeks.underlying/notes.csv"
    own.write_text("mine\n")
    for kind in ("greeks", "greeks.meta/files"):
        shutil.rmtree(tmp_path / "data" / kind / "trade_date=2024-03-14")
    out = greeks_here(tmp_path, "underlying", code=1)
    assert "notes.csv is of no data file, and was not made here" in out
    assert "trade_date=2024-03-14/SPXW.csv was removed" in out
    assert sorted(prices_of(tmp_path)) == ["notes.csv", "trade_date=2024-03-15/SPXW.csv"]


@pytest.mark.parametrize(
    "end", ["interrupted", pytest.param("worker killed", marks=pytest.mark.slow)]
)
def test_a_run_that_does_not_come_to_its_end_makes_the_prices_of_what_is_there(
    tmp_path: Path, end: str
) -> None:
    def answer(request: GreeksRequest) -> Answer | None:
        if request.expiration.day == 18:
            return None
        return priced(request, f"51{request.expiration.day}.5")

    mode = "in_memory" if end == "interrupted" else "multi_processing"
    with silent_terminal(answer) as (url, asked):
        flags = [WITH, "--terminal", url, "--direct_running_mode", mode]
        process = start(tmp_path, *DOWNLOAD, *flags)
        output = tmp_path / "data" / "greeks"
        wait_for("the others", lambda: asked.is_set() and len(files_in(output)) == 2)
        if end == "interrupted":
            os.killpg(process.pid, signal.SIGINT)
        else:
            # Its process is ended by a thread beside it, which has its lock.
            workers = [
                each
                for each in psutil.Process(process.pid).children(recursive=True)
                if any(WORKER in word for word in each.cmdline())
            ]
            workers[0].kill()
        out, err = process.communicate(timeout=60)
    assert process.returncode == (130 if end == "interrupted" else 1), out + err
    assert "underlying prices: data/greeks.underlying: 1 file made, 0 unchanged" in out, err
    (content,) = prices_of(tmp_path).values()
    assert content.count(b",5114.5\n") == content.count(b",5115.5\n") == 10
    assert not list((tmp_path / "data" / "greeks.meta" / "unfinished").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_one_after_a_kill_makes_the_bytes_of_one_that_was_not_killed(
    tmp_path: Path, terminal: TerminalServer, number: int
) -> None:
    flags = ["--start_date", "2024-02-01", "--end_date", "2024-03-15", "--max_dte", "1"]
    greeks_here(tmp_path, *DOWNLOAD, *flags, "--layout", "daily", "--terminal", terminal.url)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "data", killed / "data")
    greeks_here(tmp_path, "underlying")
    whole = prices_of(tmp_path)
    assert len(whole) == 31
    process = start(killed, "underlying")
    wait_for("a file of prices", lambda: prices_of(killed))
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert prices_of(killed).items() <= whole.items()
    out = greeks(killed, "underlying")
    assert prices_of(killed) == whole
    assert not list((killed / "data" / "greeks.meta" / "unfinished").iterdir())
    # One that can end by itself notes what it has made.
    assert (", 0 unchanged" in out) <= (number == signal.SIGKILL)


def test_a_file_that_was_put_in_place_without_its_proof_is_not_believed(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    greeks_here(tmp_path, *DAYS, WITH, "--terminal", terminal.url)
    whole = prices_of(tmp_path)
    path = tmp_path / "data/greeks.underlying/trade_date=2024-03-14/SPXW.csv"
    path.write_bytes(path.read_bytes().replace(b"51", b"52"))
    assert "1 file made, 1 unchanged" in greeks_here(tmp_path, "underlying")
    assert prices_of(tmp_path) == whole
    (tmp_path / "data/greeks.meta/underlying.json").write_text('{"torn')
    assert "2 files made, 0 unchanged" in greeks_here(tmp_path, "underlying")
    assert prices_of(tmp_path) == whole


def test_prices_that_do_not_fit_in_memory_at_once_are_made_in_several_passes(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    greeks_here(tmp_path, *DAYS, WITH, "--terminal", terminal.url)
    whole = prices_of(tmp_path)
    shutil.rmtree(tmp_path / "data/greeks.underlying")
    layout = Layout(str(tmp_path / "data/greeks"), "", "run-1")
    assert update(layout, windows(layout.folder), at_once=10).written == 2
    assert prices_of(tmp_path) == whole


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_bucket_gets_the_files_that_a_folder_gets(
    tmp_path: Path, terminal: TerminalServer, kind: str
) -> None:
    greeks_here(tmp_path, *DAYS, WITH, "--terminal", terminal.url)
    for client in (s3, gcs):
        client._client.cache_clear()  # as in a new process: an address may be another store's
    with object_store("moto", tmp_path) if kind == "s3" else google_store() as store:
        output = ["--output", f"{kind}://{BUCKET}/greeks", *store.flags]
        flags = [*DAYS, *output, WITH, "--terminal", terminal.url]
        greeks_here(tmp_path, *flags, "--max_dte", "1", code=0, **store.environment)
        greeks_here(tmp_path, *flags, code=0, **store.environment)
        assert store.objects("greeks.underlying/") == prices_of(tmp_path)
        out = greeks_here(tmp_path, "underlying", *output, code=0, **store.environment)
        assert "0 files made, 2 unchanged" in out
        store.put("greeks.underlying/trade_date=2024-03-14/SPXW.csv", b"of another hand")
        out = greeks_here(tmp_path, "underlying", *output, code=0, **store.environment)
        assert "1 file made, 1 unchanged" in out
        assert store.objects("greeks.underlying/") == prices_of(tmp_path)


def fill(folder: Path, files: int) -> None:
    """Writes a folder of daily files, of 30 expirations each day."""
    layout = Layout(str(folder / "data/greeks"), ".csv", "run-1", PATTERNS[DAILY])
    writer = ExpirationWriter(make_sink("csv", "none", layout), "live")
    days = trading_days(date(2024, 1, 2), date(2024, 12, 31))
    for place in range(files):
        day, expiration = days[place // 30], days[place // 30 + place % 30]
        request = GreeksRequest("SPXW", expiration, (day,))
        (batch,) = batches_on(request, day, 400)
        writer.write(request, batch)
        assert writer.write(request, Trailer(1, batch.num_rows)) is not None


# A child's own figure begins with that of the process that started it; the kernel's does not.
PEAK = """
import re
from pathlib import Path
from pipeline.__main__ import run
assert run() == 0
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.alone
def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    peaks = []
    for files in (90, 1200):
        folder = tmp_path / str(files)
        fill(folder, files)
        command = [sys.executable, "-c", PEAK, "underlying"]
        out = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        assert f"{files // 30} files made, 0 unchanged" in out
        peaks.append(int(out.split()[-1]) / 1024)
    # The manifest has more than a kilobyte of each file.
    assert peaks[1] < peaks[0] + 8
    assert peaks[1] < 200


def test_no_prices_are_put_on_another_disk_than_the_manifest(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    # As where a volume is mounted on the output folder: what is beside it ends with the container.
    greeks_here(tmp_path, *DOWNLOAD, "--terminal", terminal.url)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is one disk")
        meta = shutil.move(tmp_path / "data/greeks.meta", other)
        (tmp_path / "data/greeks/.meta").symlink_to(meta)
        out = greeks_here(tmp_path, "underlying", code=2)
    assert "data/greeks.underlying would be on another disk than data/greeks/.meta" in out
    assert not (tmp_path / "data/greeks.underlying").exists()

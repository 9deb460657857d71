"""Promises about a run as a whole."""

import os
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil
import pytest

from pipeline.terminal.server import TerminalServer
from tests.support.answers import rows_of
from tests.support.command import greeks, start, summaries
from tests.support.data import files_in
from tests.support.market import terminal as scripted_terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]


def wait_for(what: str, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


@pytest.mark.parametrize("concurrency", ["1", "2"])
def test_the_first_file_is_committed_before_the_last_fetch_ends(
    tmp_path: Path, concurrency: str
) -> None:
    output = tmp_path / "data" / "greeks"
    seen: list[int] = []

    def answer(request: GreeksRequest) -> Answer:
        if request.expiration == date(2024, 3, 18):
            wait_for("the first file", lambda: list(output.rglob("*.csv")))
            seen.append(len(list(output.rglob("*.csv"))))
        return Answer(rows_of(request, request.trade_dates[0], 2000))

    with scripted_server(scripted_terminal(answer)) as server:
        greeks(tmp_path, *DOWNLOAD, "--terminal", server.url, "--concurrency", concurrency)
    assert seen
    assert len(files_in(output)) == 3


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_memory_stays_under_200_mib_and_does_not_grow_with_the_rows(
    terminal: TerminalServer, tmp_path: Path, form: str
) -> None:
    peaks, rows = [], []
    for last in ("2024-03-04", "2024-03-13"):
        folder = tmp_path / last
        folder.mkdir()
        dates = ["--start_date", "2024-03-04", "--end_date", last, "--interval", "1m"]
        near = ["--expirations", "2024-03-14,2024-03-15,2024-03-18,2024-03-19"]
        flags = ["--symbol", "SPXW", "--terminal", terminal.url, "--format", form]
        greeks(folder, "download", *flags, *dates, *near)
        (summary,) = summaries(folder)
        peaks.append(summary["peak_memory_usage"])
        rows.append(summary["total_records"])
    assert rows[1] > 7.5 * rows[0] > 1_000_000
    assert max(peaks) < 200
    assert peaks[1] < peaks[0] + 10


def test_every_reader_reads_the_whole_output_folder(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow.dataset as ds

    flags = ["--terminal", terminal.url, "--interval", "1h", "--max_dte", "4"]
    totals = set()
    for form in ("csv", "parquet"):
        output = str(tmp_path / form)
        out = greeks(tmp_path, *DOWNLOAD, *flags, "--format", form, "--output", output)
        assert "3 written" in out
        totals.add(summaries(tmp_path)[-1]["total_records"])
        totals.add(ds.dataset(output, format=form).count_rows())
        query = f"select count(*) from '{output}/**/*.{form}'"  # noqa: S608 -- our own folder
        totals.add(duckdb.execute(query).fetchall()[0][0])
        scan = pl.scan_csv if form == "csv" else pl.scan_parquet
        totals.add(scan(f"{output}/").select(pl.len()).collect().item())
        if form == "parquet":
            frame = pd.read_parquet(output)
            assert str(frame["timestamp"].dt.tz) == "America/New_York"
        else:
            frame = pd.concat(pd.read_csv(path) for path in Path(output).rglob("*.csv"))
        totals.add(len(frame))
    assert len(totals) == 1
    assert totals.pop() > 1000


def test_a_killed_run_leaves_whole_files_and_the_next_one_marks_and_sweeps_it(
    tmp_path: Path,
) -> None:
    meta = tmp_path / "data" / "greeks.meta" / "unfinished"
    rows = 50_000

    def answer(request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], rows)
        if request.expiration == date(2024, 3, 18):
            # Sent, but for its end: the file stays unfinished.
            return Answer(
                body + b" " * 100, chunked=True, cut=len(body), end=lambda: process.poll()
            )
        return Answer(body)

    with scripted_server(scripted_terminal(answer)) as server:
        flags = [*DOWNLOAD, "--terminal", server.url, "--concurrency", "1"]
        process = start(tmp_path, *flags)
        output = tmp_path / "data" / "greeks"
        wait_for("two files and a third", lambda: len(files_in(output)) == 2 and files_in(meta))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = files_in(output)
    assert all(content.count(b"\n") == rows + 1 for content in before.values())
    assert summaries(tmp_path) == []

    with scripted_server(
        scripted_terminal(lambda r: Answer(rows_of(r, r.trade_dates[0], rows)))
    ) as server:
        out = greeks(tmp_path, *DOWNLOAD, "--terminal", server.url)
    assert "an earlier run was killed" in out
    died, done = summaries(tmp_path)
    assert (died["status"], done["status"]) == ("died", "succeeded")
    assert files_in(meta) == {}
    after = files_in(output)
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_whole_files_and_discards_the_others(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    output = tmp_path / "data" / "greeks"

    def answer(request: GreeksRequest) -> Answer:
        if request.expiration == date(2024, 3, 18):
            process.send_signal(number)
            wait_for("the stop", lambda: list((tmp_path / "data/metrics/running").glob("*.stop")))
        return Answer(rows_of(request, request.trade_dates[0], 20_000))

    with scripted_server(scripted_terminal(answer)) as server:
        process = start(tmp_path, *DOWNLOAD, "--terminal", server.url, "--concurrency", "1")
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert len(files_in(output)) == 2
    assert not list((tmp_path / "data" / "greeks.meta" / "unfinished").iterdir())
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "interrupted"
    assert (summary["successful_expirations"], summary["interrupted_expirations"]) == (2, 1)
    assert "Traceback" not in err


def test_an_embedded_terminal_is_asked_for_by_name_and_ends_with_the_run(tmp_path: Path) -> None:
    flags = ["--terminal", "embedded", "--interval", "1h", "--max_dte", "1"]
    out = greeks(tmp_path, *DOWNLOAD, *flags, HOME=str(tmp_path / "home"))
    assert "from a simulated market" in out
    (summary,) = summaries(tmp_path)
    assert summary["source"]["data"] == "simulated"
    assert summary["embedded_terminal_peak_memory"] > 30
    assert not any("--exit_with_stdin" in " ".join(p.info["cmdline"] or ())
                   and str(os.getpid()) == str(p.info["ppid"])
                   for p in psutil.process_iter(["cmdline", "ppid"]))  # fmt: skip
    # Beam's own choice of a runner would have looked for Prism, and cached it here.
    assert not (tmp_path / "home" / ".apache_beam").exists()


def test_an_embedded_terminal_ends_when_its_download_is_killed(tmp_path: Path) -> None:
    flags = ["--terminal", "embedded", "--interval", "1s", "--max_dte", "30"]
    process = start(tmp_path, *DOWNLOAD, *flags)
    unfinished = tmp_path / "data" / "greeks.meta" / "unfinished"
    wait_for("the first rows", lambda: files_in(unfinished))
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for("its end", lambda: not child.is_running() or child.status() == "zombie")

"""Promises about a run as a whole."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import psutil
import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.answers import rows_of
from tests.support.command import WITHOUT_COVERAGE, greeks, greeks_here, start, summaries
from tests.support.data import files_in, has_rows
from tests.support.market import terminal as scripted_terminal
from tests.support.scripted import Answer, scripted_server
from tests.support.waiting import wait_for
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]


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
        greeks_here(tmp_path, *DOWNLOAD, "--terminal", server.url, "--concurrency", concurrency)
    assert seen
    assert len(files_in(output)) == 3


@pytest.mark.alone
@pytest.mark.parametrize(
    ("form", "more"),
    [("csv", ()), ("parquet", ()), ("csv", ("--derive", "gamma,vanna"))],
    ids=["csv", "parquet", "derived"],
)
def test_memory_stays_under_200_mib_and_does_not_grow_with_the_rows(
    terminal: TerminalServer, tmp_path: Path, form: str, more: tuple[str, ...]
) -> None:
    peaks, rows = [], []
    for last in ("2024-03-06", "2024-03-13"):
        folder = tmp_path / last
        folder.mkdir()
        dates = ["--start_date", "2024-03-04", "--end_date", last, "--interval", "1m"]
        near = ["--expirations", "2024-03-14,2024-03-15,2024-03-18,2024-03-19"]
        flags = ["--symbol", "SPXW", "--terminal", terminal.url, "--format", form, *more]
        process = start(folder, "download", *flags, *dates, *near, **WITHOUT_COVERAGE)
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, out + err
        (summary,) = summaries(folder)
        peaks.append(summary["peak_memory_usage"])
        rows.append(summary["total_records"])
    assert rows[1] > 3 * rows[0] > 2_500_000
    assert max(peaks) < 200
    # What the four workers hold at once, and what the allocators keep of it, is most after some
    # seconds, and stays so: seventeen days take no more than eight, but three take less.
    # On top of that Parquet keeps some 35 KiB for each row group until its file is closed.
    assert peaks[1] < peaks[0] + 20


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
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, "--format", form, "--output", output)
        assert "3 written" in out
        totals.add(summaries(tmp_path)[-1]["total_records"])
        totals.add(ds.dataset(output, format=form).count_rows())
        query = f"select count(*) from '{output}/**/*.{form}'"
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
        wait_for("two files and a third", lambda: len(files_in(output)) == 2 and has_rows(meta))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = files_in(output)
    assert all(content.count(b"\n") == rows + 1 for content in before.values())
    assert summaries(tmp_path) == []

    with scripted_server(
        scripted_terminal(lambda r: Answer(rows_of(r, r.trade_dates[0], rows)))
    ) as server:
        out = greeks_here(tmp_path, *DOWNLOAD, "--terminal", server.url)
    assert "an earlier run was killed" in out
    died, done = summaries(tmp_path)
    assert (died["status"], done["status"]) == ("died", "succeeded")
    assert files_in(meta) == {}
    after = files_in(output)
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


def test_an_embedded_terminal_is_asked_for_by_name_and_ends_with_the_run(tmp_path: Path) -> None:
    flags = ["--terminal", "embedded", "--interval", "1h", "--max_dte", "1"]
    out = greeks(tmp_path, *DOWNLOAD, *flags, HOME=str(tmp_path / "home"))
    assert "from a simulated market" in out
    (summary,) = summaries(tmp_path)
    assert summary["source"]["data"] == "simulated"
    assert summary["embedded_terminal_peak_memory"] > 30
    assert not any(
        "--exit_with_stdin" in " ".join(p.info["cmdline"] or ())
        and str(os.getpid()) == str(p.info["ppid"])
        for p in psutil.process_iter(["cmdline", "ppid"])
    )
    # Beam's own choice of a runner would have looked for Prism, and cached it here.
    assert not (tmp_path / "home" / ".apache_beam").exists()


@pytest.mark.slow
def test_an_embedded_terminal_ends_when_its_download_is_killed(tmp_path: Path) -> None:
    # It never comes to the 34 GB that all of it would take.
    flags = ["--terminal", "embedded", "--interval", "1s", "--max_dte", "30", "--no_disk_check"]
    process = start(tmp_path, *DOWNLOAD, *flags)
    unfinished = tmp_path / "data" / "greeks.meta" / "unfinished"
    wait_for("the first rows", lambda: has_rows(unfinished))
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for("its end", lambda: not child.is_running() or child.status() == "zombie")


def test_a_run_whose_reader_went_away_ends_like_any_other(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["--terminal", terminal.url, "--interval", "1h"]
    process = start(tmp_path, *DOWNLOAD, *flags)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    (summary,) = summaries(tmp_path)
    assert summary["successful_expirations"] == 21


@pytest.mark.parametrize("where", ["closed", "/dev/full"])
def test_a_run_whose_output_goes_nowhere_is_a_run_like_any_other(
    terminal: TerminalServer, tmp_path: Path, where: str
) -> None:
    command = [sys.executable, "-m", "pipeline", *DOWNLOAD, "--terminal", terminal.url]
    command += ["--interval", "1h", "--max_dte", "1"]
    redirection = ">&-" if where == "closed" else "> /dev/full"
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (summary,) = summaries(tmp_path)
    assert (summary["status"], summary["successful_expirations"]) == ("succeeded", 2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_memory", "multi_processing"])
def test_a_killed_run_leaves_nothing_temporary_behind_the_next_one(
    terminal: TerminalServer, tmp_path: Path, mode: str
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    flags = ["--terminal", terminal.url, "--interval", "30s", "--max_dte", "1"]
    flags += ["--direct_running_mode", mode]
    process = start(tmp_path, *DOWNLOAD, *flags, TMPDIR=str(temporary))
    wait_for("a file of Beam's", lambda: any(temporary.rglob("beam-pipeline-temp*")))
    process.kill()
    process.communicate()
    assert any(temporary.iterdir())
    greeks(tmp_path, *DOWNLOAD, *flags, TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "ascii:strict"])
def test_what_an_encoding_lacks_is_printed_escaped_by_every_command(
    terminal: TerminalServer, tmp_path: Path, encoding: str
) -> None:
    flags = ["--output", "März/€\N{SNOWMAN}/greeks", "--metrics", "läufe\N{SNOWMAN}"]
    source = ["--terminal", terminal.url, "--interval", "1h", "--max_dte", "0"]
    (tmp_path / "März" / "€\N{SNOWMAN}" / "greeks").mkdir(parents=True)
    for command, code in (
        ([*DOWNLOAD, *flags, *source], 0),
        (["plan", *DOWNLOAD[1:], *flags, *source], 0),
        (["verify", *flags[:2]], 0),
        (["check", flags[1]], 0),
        (["check", "\N{SNOWMAN}"], 2),
        (["diff", flags[1], flags[1]], 0),
        (["doctor", *flags, "--terminal", terminal.url], 0),
        (["runs", "list", *flags[2:]], 0),
        (["runs", "show", "\N{SNOWMAN}"], 1),
        (["config", "show", *flags], 0),
        (["verify", "--output", "\N{SNOWMAN}"], 2),
    ):
        printed = greeks_here(tmp_path, *command, code=code, PYTHONIOENCODING=encoding)
        assert "Traceback" not in printed
    assert "\\u2603" in printed


def test_a_process_prints_what_its_encoding_lacks_escaped(tmp_path: Path) -> None:
    variables = {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "1"}
    printed = greeks(tmp_path, "verify", "--output", "\N{SNOWMAN}", code=2, **variables)
    assert "\\u2603" in printed


@pytest.mark.parametrize("command", ["download", "plan", "verify", "doctor", "config show"])
def test_a_path_that_is_not_utf_8_is_refused_by_name(tmp_path: Path, command: str) -> None:
    path = os.fsdecode(b"data/\xff")
    out = greeks(tmp_path, *command.split(), "--output", path, code=2)
    assert "--output 'data/\\udcff' is not UTF-8" in out
    assert not list(tmp_path.iterdir())


def test_a_display_that_can_not_be_does_not_stop_a_run(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    flags = ["--terminal", terminal.url, "--interval", "1h", "--max_dte", "1"]
    out = greeks(tmp_path, *DOWNLOAD, *flags, TMPDIR=str(folder))
    assert out.count("written ") == 2


@pytest.mark.parametrize("folder", ["--output", "--metrics"])
@pytest.mark.parametrize("path", ["afile", "afile/x", "/proc/nowhere/x"])
def test_an_impossible_folder_is_refused_before_anything_is_fetched(
    terminal: TerminalServer, tmp_path: Path, folder: str, path: str
) -> None:
    (tmp_path / "afile").write_text("mine")
    out = greeks_here(tmp_path, *DOWNLOAD, "--terminal", terminal.url, folder, path, code=2)
    assert folder in out
    assert "Traceback" not in out
    assert (tmp_path / "afile").read_text() == "mine"
    assert terminal.stats()["rows"] == 0


@pytest.mark.slow
def test_another_market_is_another_origin(tmp_path: Path) -> None:
    flags = ["--terminal", "embedded", "--interval", "1h", "--max_dte", "0"]
    greeks_here(tmp_path, *DOWNLOAD, *flags)
    greeks_here(tmp_path, *DOWNLOAD, *flags)
    out = greeks_here(tmp_path, *DOWNLOAD, *flags, "--seed", "7", code=2)
    assert "it has source simulated, seed 0; this request has source simulated, seed 7" in out

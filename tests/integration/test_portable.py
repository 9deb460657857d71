"""Other runners: the same files, summary, exit codes and interruption as on the local one."""

import hashlib
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support import runners
from tests.support.answers import rows_of
from tests.support.command import WITHOUT_COVERAGE, greeks, greeks_here, start, summaries
from tests.support.data import files_in, hashes
from tests.support.market import terminal as scripted_terminal
from tests.support.scripted import Answer, scripted_server
from tests.support.waiting import wait_for
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
NEAR = ["--max_dte", "6", "--interval", "15m"]
# What is promised is a few seconds; a busy machine may need a moment more to end its processes.
SECONDS = 15.0


@pytest.fixture(scope="module")
def of_the_local_run(
    tmp_path_factory: pytest.TempPathFactory, market: Market
) -> dict[str, tuple[dict[str, str], dict[str, object]]]:
    """The hashes and the summary of the local runner's download, by format."""
    made = {}
    for form in ("csv", "parquet"):
        folder = tmp_path_factory.mktemp(form)
        with TerminalServer(market) as server:
            greeks_here(folder, *DOWNLOAD, *NEAR, "--format", form, "--terminal", server.url)
        made[form] = (hashes(folder), summaries(folder)[0])
    return made


@pytest.mark.parametrize(
    ("runner", "form"),
    [
        ("portable", "parquet"),
        pytest.param("portable", "csv", marks=pytest.mark.slow),
        pytest.param("prism", "csv", marks=pytest.mark.slow),
        pytest.param("prism", "parquet", marks=pytest.mark.slow),
        pytest.param("prism, worker pool", "csv", marks=pytest.mark.slow),
        pytest.param("prism, worker pool", "parquet", marks=pytest.mark.slow),
        pytest.param("flink 1", "parquet", marks=pytest.mark.slow),
        pytest.param("flink 4", "csv", marks=pytest.mark.slow),
    ],
)
def test_the_files_and_the_sums_are_those_of_the_local_run(
    tmp_path: Path,
    terminal: TerminalServer,
    of_the_local_run: dict[str, tuple[dict[str, str], dict[str, object]]],
    runner: str,
    form: str,
) -> None:
    local, its_summary = of_the_local_run[form]
    with runners.flags_of(runner, tmp_path) as flags:
        greeks(
            tmp_path,
            *DOWNLOAD,
            *NEAR,
            "--format",
            form,
            "--terminal",
            terminal.url,
            "--concurrency",
            "3",
            *flags,
        )
    assert hashes(tmp_path) == local
    assert len(local) == 5
    (summary,) = summaries(tmp_path)
    for name in (
        "total_records",
        "total_data_size",
        "total_requests",
        "successful_expirations",
        "findings",
        "status",
        "errors",
    ):
        assert summary[name] == its_summary[name], name
    assert summary["runner"] == flags[1]
    assert len(files_in(tmp_path / "data" / "greeks.meta" / "unfinished")) == 0
    assert "5 files" in greeks_here(tmp_path, "verify")


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["portable", "prism", "flink 4"])
def test_a_failed_expiration_is_reported_and_the_others_are_written(
    tmp_path: Path, runner: str
) -> None:
    def answer(request: GreeksRequest) -> Answer:
        if request.expiration.day == 15:
            return Answer(b"no permission", status=471, content_type="text/plain")
        return Answer(rows_of(request, request.trade_dates[0], 100))

    with (
        runners.flags_of(runner, tmp_path) as flags,
        scripted_server(scripted_terminal(answer)) as server,
    ):
        out = greeks(tmp_path, *DOWNLOAD, "--terminal", server.url, *flags, code=1)
    assert "the Terminal answered 471 PERMISSION" in out
    assert len(hashes(tmp_path)) == 2
    (summary,) = summaries(tmp_path)
    assert (summary["successful_expirations"], summary["failed_expirations"]) == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runner", "number", "code"),
    [
        ("portable", signal.SIGINT, 130),
        ("prism", signal.SIGINT, 130),
        ("prism", signal.SIGTERM, 143),
        ("prism, worker pool", signal.SIGINT, 130),
        ("flink 4", signal.SIGINT, 130),
    ],
)
def test_a_signal_ends_the_run_and_keeps_whole_files(
    tmp_path: Path, terminal: TerminalServer, runner: str, number: int, code: int
) -> None:
    flags = ["--terminal", terminal.url, "--interval", "1m", "--concurrency", "2"]
    with runners.flags_of(runner, tmp_path) as more:
        process = start(tmp_path, *DOWNLOAD, *flags, *more, **WITHOUT_COVERAGE)
        output = tmp_path / "data" / "greeks"
        wait_for("a file", lambda: files_in(output))
        children = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert process.returncode == code, out + err
    assert took < SECONDS
    assert "Traceback" not in err
    wait_for("the end of its processes", lambda: not [c for c in children if _runs(c)])
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "interrupted"
    assert summary["interrupted_expirations"] >= 1
    assert summary["successful_expirations"] >= 1
    entries = tmp_path / "data" / "greeks.meta" / "files"
    for path in sorted(output.rglob("*.csv")):
        entry = json.loads((entries / f"{path.relative_to(output)}.json").read_text())
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_run_and_a_second_run_makes_the_same_files(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    """Prism gives a job up with its worker; what was committed by then stays, and is believed."""
    command = [*DOWNLOAD, "--max_dte", "6", "--interval", "1m", "--terminal", terminal.url]
    (tmp_path / "local").mkdir()
    greeks(tmp_path / "local", *command)
    local = hashes(tmp_path / "local")
    with runners.flags_of("prism, worker pool", tmp_path) as flags:
        process = start(tmp_path, *command, "--concurrency", "1", *flags, **WITHOUT_COVERAGE)
        wait_for("a file", lambda: files_in(tmp_path / "data" / "greeks"))
        # The pool's children, not the pool itself.
        workers = [
            child
            for child in psutil.Process().children(recursive=True)
            if any("SdkHarness" in word for word in child.cmdline())
        ]
        for worker in workers:
            worker.kill()
        out, err = process.communicate(timeout=60)
    assert len(workers) == 1
    assert process.returncode == 1, out + err
    assert "greeks download: the run failed: " in err
    assert "SDK worker disconnected" in err
    assert "Traceback" not in err
    kept = hashes(tmp_path)
    assert 1 <= len(kept) < len(local)
    assert kept.items() <= local.items()
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "failed"
    again = greeks(tmp_path, *command)
    assert " skipped" in again
    assert "5 written" not in again
    assert hashes(tmp_path) == local


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

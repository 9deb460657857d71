"""SIGINT, SIGTERM and SIGHUP in every running mode, and workers that are killed or orphaned."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import psutil
import pytest

from pipeline.process.watchdog import WORKER
from pipeline.simulator.server import TerminalServer
from tests.support.answers import rows_of
from tests.support.command import greeks, greeks_here, start, summaries
from tests.support.data import files_in, has_rows
from tests.support.market import silent_terminal
from tests.support.market import terminal as scripted_terminal
from tests.support.scripted import Answer, scripted_server
from tests.support.waiting import wait_for
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
# Two are promised; a busy machine needs longer to end a process, and the silent Terminal holds one
# that waits for it a minute.
SECONDS = 10.0


def interrupt(process: "subprocess.Popen[str]", number: int) -> tuple[str, str]:
    """Sends a signal to a whole process group, as a terminal does, and waits for its end."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < SECONDS
    assert "Traceback" not in err
    return out, err


def workers_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    workers = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # one that ended meanwhile
            if any(WORKER in word for word in child.cmdline()):
                workers.append(child)
    return workers


def processes_in(folder: Path) -> list[psutil.Process]:
    """Returns every process that was started in a folder."""
    return [
        each
        for each in psutil.process_iter(["cwd", "status"])
        if each.info["cwd"] == str(folder) and each.info["status"] != psutil.STATUS_ZOMBIE
    ]


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("mode", "number", "code"),
    [
        ("in_memory", *SIGNALS[0]),
        ("multi_threading", *SIGNALS[0]),
        pytest.param("multi_processing", *SIGNALS[1], marks=pytest.mark.slow),
        pytest.param("in_memory", *SIGNALS[1], marks=pytest.mark.slow),
        pytest.param("multi_threading", *SIGNALS[1], marks=pytest.mark.slow),
        pytest.param("multi_processing", *SIGNALS[0], marks=pytest.mark.slow),
        pytest.param("multi_processing", *SIGNALS[2], marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_a_run_whose_terminal_is_silent(
    tmp_path: Path, mode: str, number: signal.Signals, code: int
) -> None:
    def answer(request: GreeksRequest) -> Answer | None:
        if request.expiration.day == 18:
            return None
        return Answer(rows_of(request, request.trade_dates[0], 20_000))

    with silent_terminal(answer) as (url, asked):
        flags = ["--terminal", url, "--direct_running_mode", mode]
        process = start(tmp_path, *DOWNLOAD, *flags)
        output = tmp_path / "data" / "greeks"
        wait_for("the others", lambda: asked.is_set() and len(files_in(output)) == 2)
        workers = workers_of(process)
        _, err = interrupt(process, number)
    assert process.returncode == code
    assert "stopping; again to stop at once" in err
    assert all(content.count(b"\n") == 20_001 for content in files_in(output).values())
    assert not list((tmp_path / "data" / "greeks.meta" / "unfinished").iterdir())
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "interrupted"
    assert (summary["successful_expirations"], summary["interrupted_expirations"]) == (2, 1)
    assert summary["total_records"] == 40_000
    assert (len(workers) > 0) == (mode == "multi_processing")
    assert not any(map(is_alive, workers))
    assert "all as it was written" in greeks_here(tmp_path, "verify")
    catalog = (tmp_path / "data" / "greeks.meta" / "catalog.sql").read_text()
    assert rows_by(catalog) == 40_000


def rows_by(catalog: str) -> int:
    """Returns the number of rows that a catalog finds."""
    connection = duckdb.connect()
    connection.execute(catalog)
    ((count,),) = connection.execute("select count(*) from greeks").fetchall()
    return int(count)


def test_what_nohup_began_goes_on_when_the_terminal_hangs_up(tmp_path: Path) -> None:
    silence, asked = threading.Event(), threading.Event()

    def answer(request: GreeksRequest) -> Answer:
        asked.set()
        return Answer(rows_of(request, request.trade_dates[0], 10), hold=silence)

    with scripted_server(scripted_terminal(answer)) as server:
        command = [sys.executable, "-m", "pipeline", *DOWNLOAD, "--terminal", server.url]
        process = subprocess.Popen(
            ["nohup", *command],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert asked.wait(60)
        os.killpg(process.pid, signal.SIGHUP)
        silence.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert summaries(tmp_path)[0]["successful_expirations"] == 3


def test_a_signal_ends_a_run_whose_database_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        metrics = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/runs"
        flags = ["--terminal", "http://127.0.0.1:9", "--metrics", metrics]
        process = start(tmp_path, *DOWNLOAD, *flags)
        with silent.accept()[0]:
            _, err = interrupt(process, signal.SIGINT)
    assert process.returncode == 130
    assert "interrupted before the run began; nothing was fetched" in err


@pytest.mark.slow
def test_a_database_that_is_blocked_at_the_end_does_not_keep_an_interrupted_run(
    tmp_path: Path,
) -> None:
    with silent_terminal() as (url, asked):
        flags = ["--terminal", url, "--metrics", "sqlite:///runs.db"]
        process = start(tmp_path, *DOWNLOAD, *flags)
        assert asked.wait(60)
        with closing(sqlite3.connect(tmp_path / "runs.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            _, err = interrupt(process, signal.SIGINT)
    assert process.returncode == 130
    assert "did not answer in time" in err
    (kept,) = (tmp_path / "data" / "greeks.meta" / "records").iterdir()
    assert json.loads(kept.read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("number", "code"),
    [SIGNALS[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in SIGNALS[1:])],
)
def test_a_signal_in_the_middle_of_a_body_discards_its_file(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    silence = threading.Event()

    def answer(request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], 50_000)
        # All but the end of the body is sent: the Terminal is silent from there.
        return Answer(body, chunked=True, cut=len(body) - 1, end=lambda: silence.wait(60))

    with scripted_server(scripted_terminal(answer)) as server:
        process = start(tmp_path, *DOWNLOAD, "--terminal", server.url)
        unfinished = tmp_path / "data" / "greeks.meta" / "unfinished"
        wait_for("rows in a file", lambda: has_rows(unfinished))
        interrupt(process, number)
        silence.set()
    assert process.returncode == code
    assert files_in(tmp_path / "data" / "greeks") == {}
    assert not list(unfinished.iterdir())
    assert summaries(tmp_path)[0]["interrupted_expirations"] == 3


@pytest.mark.parametrize(
    ("number", "code"),
    [SIGNALS[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in SIGNALS[1:])],
)
def test_a_signal_ends_a_run_that_has_not_even_its_plan(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    silence, asked = threading.Event(), threading.Event()
    script = scripted_terminal()

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/option/list/expirations":
            asked.set()
            return Answer(b"", hold=silence)
        return script(path, query)

    with scripted_server(answer) as server:
        process = start(tmp_path, *DOWNLOAD, "--terminal", server.url)
        assert asked.wait(60)
        interrupt(process, number)
        silence.set()
    assert process.returncode == code
    (summary,) = summaries(tmp_path)
    assert (summary["status"], summary["total_expirations"]) == ("interrupted", 0)


def test_a_signal_while_it_is_still_being_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    process = start(tmp_path, *DOWNLOAD, "--terminal", "http://127.0.0.1:9")
    maps = Path(f"/proc/{process.pid}/maps")
    wait_for("its first libraries", lambda: "libarrow" in maps.read_text())
    interrupt(process, signal.SIGINT)
    assert process.returncode in (130, 3)  # or it was so fast that nobody listens there


def test_a_signal_ends_a_plan(tmp_path: Path) -> None:
    silence, asked = threading.Event(), threading.Event()

    def answer(path: str, query: dict[str, str]) -> Answer:
        asked.set()
        return Answer(b"", hold=silence)

    with scripted_server(answer) as server:
        process = start(tmp_path, "plan", *DOWNLOAD[1:], "--terminal", server.url)
        assert asked.wait(60)
        interrupt(process, signal.SIGINT)
        silence.set()
    assert process.returncode == 130


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with silent_terminal() as (url, asked):
        process = start(tmp_path, *DOWNLOAD, "--terminal", url)
        assert asked.wait(60)
        # Both are there before the process runs again: it has no time to end by itself.
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
    assert process.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    assert summaries(tmp_path) == []


def test_a_signal_that_comes_twice_at_once_is_one(tmp_path: Path) -> None:
    """`timeout` sends it so, and the run ended without its record."""
    with silent_terminal() as (url, asked):
        process = start(tmp_path, *DOWNLOAD, "--terminal", url)
        assert asked.wait(60)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        while "stopping" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "interrupted"


@pytest.mark.slow
def test_a_worker_that_is_killed_fails_the_run_and_does_not_hang_it(tmp_path: Path) -> None:
    def answer(request: GreeksRequest) -> Answer | None:
        if request.expiration.day == 18:
            return None
        return Answer(rows_of(request, request.trade_dates[0], 100))

    with silent_terminal(answer) as (url, asked):
        flags = ["--terminal", url, "--direct_running_mode", "multi_processing"]
        process = start(tmp_path, *DOWNLOAD, *flags)
        output = tmp_path / "data" / "greeks"
        wait_for("the others", lambda: asked.is_set() and len(files_in(output)) == 2)
        workers = workers_of(process)
        workers[0].kill()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    assert "a worker process died" in err
    (summary,) = summaries(tmp_path)
    assert summary["status"] == "failed"
    assert (summary["successful_expirations"], summary["interrupted_expirations"]) == (2, 1)
    assert summary["errors"][0]["error_type"] == "WorkerDied"
    assert not any(map(is_alive, workers))
    assert not list((tmp_path / "data" / "greeks.meta" / "unfinished").iterdir())
    assert rows_by((tmp_path / "data" / "greeks.meta" / "catalog.sql").read_text()) > 0


def test_workers_end_with_a_launcher_that_is_killed_while_they_start(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["--terminal", terminal.url, "--direct_running_mode", "multi_processing"]
    process = start(tmp_path, *DOWNLOAD, *flags, "--interval", "1h", "--concurrency", "4")
    wait_for("a worker", lambda: workers_of(process))
    process.kill()
    process.communicate()
    wait_for("their end", lambda: not processes_in(tmp_path))


@pytest.mark.slow
def test_workers_end_with_a_launcher_that_is_killed(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["--terminal", terminal.url, "--direct_running_mode", "multi_processing"]
    near = ["--interval", "30s", "--max_dte", "4", "--concurrency", "2"]
    process = start(tmp_path, *DOWNLOAD, *flags, *near)
    unfinished = tmp_path / "data" / "greeks.meta" / "unfinished"
    wait_for("rows in a file", lambda: has_rows(unfinished))
    workers = workers_of(process)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    wait_for("their end", lambda: not any(map(is_alive, workers)))
    out = greeks(tmp_path, *DOWNLOAD, "--terminal", terminal.url, *near)
    assert "an earlier run was killed" in out
    assert not list(unfinished.iterdir())
    assert "all as it was written" in greeks_here(tmp_path, "verify")

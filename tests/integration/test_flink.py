"""A Flink cluster: the local run's bytes, a job that ends with its run, a machine that is lost."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support import runners
from tests.support.command import WITHOUT_COVERAGE, greeks, start, summaries
from tests.support.data import files_in, hashes
from tests.support.flink import Cluster, cluster
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--max_dte", "6"]


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two TaskManagers of two slots each."""
    runners.flink_cluster()
    with cluster(tmp_path_factory.mktemp("flink") / "two", task_managers=2, slots=2) as made:
        yield made


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One TaskManager of four slots: a worker pool is one TaskManager's."""
    runners.flink_cluster()
    with cluster(tmp_path_factory.mktemp("flink") / "one", task_managers=1, slots=4) as made:
        yield made


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, market: Market) -> Path:
    """The folder in which the local runner downloaded the same."""
    folder = tmp_path_factory.mktemp("local")
    with TerminalServer(market) as server:
        greeks(folder, *DOWNLOAD, "--interval", "1m", "--terminal", server.url)
    return folder


def on(made: Cluster, parallelism: int) -> list[str]:
    """Returns the flags of a download on a cluster."""
    return [*runners.flink(), "--flink_master", made.url, "--parallelism", str(parallelism)]


def assert_same(folder: Path, local: Path, made: Cluster) -> None:
    """Fails if a download on a cluster is not what the local one is."""
    assert hashes(folder) == hashes(local)
    (summary,), (of_local,) = summaries(folder), summaries(local)
    for name in ("total_records", "total_data_size", "successful_expirations", "status"):
        assert summary[name] == of_local[name], name
    assert made.jobs()[f"greeks-{summary['run_id']}"] == "FINISHED"
    assert not files_in(folder / "data" / "greeks.meta" / "unfinished")


def test_two_task_managers_make_the_local_runs_files(
    tmp_path: Path, terminal: TerminalServer, of_two: Cluster, local: Path
) -> None:
    greeks(
        tmp_path,
        *DOWNLOAD,
        "--interval",
        "1m",
        "--terminal",
        terminal.url,
        *on(of_two, 4),
        "--environment_type",
        "LOOPBACK",
    )
    assert_same(tmp_path, local, of_two)


def test_workers_of_a_pool_make_the_local_runs_files(
    tmp_path: Path, terminal: TerminalServer, of_one: Cluster, local: Path
) -> None:
    with runners.worker_pool(tmp_path / "pool") as environment:
        out = greeks(
            tmp_path,
            *DOWNLOAD,
            "--interval",
            "1m",
            "--terminal",
            terminal.url,
            *on(of_one, 2),
            *environment,
            "--progress",
            "plain",
            "--progress_seconds",
            "0.2",
        )
    assert_same(tmp_path, local, of_one)
    # The launcher reports the work of the workers.
    assert "in flight: SPXW 2024-03-1" in out
    assert "5/5 expirations (100%)" in out


def test_a_task_manager_that_is_killed_costs_time_and_no_data(
    tmp_path: Path, terminal: TerminalServer, of_one: Cluster, local: Path
) -> None:
    with runners.worker_pool(tmp_path / "pool") as environment:
        process = start(
            tmp_path,
            *DOWNLOAD,
            "--interval",
            "1m",
            "--terminal",
            terminal.url,
            "--concurrency",
            "1",
            *on(of_one, 4),
            *environment,
            **WITHOUT_COVERAGE,
        )
        wait_for("a file", lambda: files_in(tmp_path / "data" / "greeks"))
        of_one.task_managers.pop().kill()
        of_one.add_task_manager()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert_same(tmp_path, local, of_one)
    assert of_one.failures(f"greeks-{summaries(tmp_path)[0]['run_id']}") >= 1


def test_ctrl_c_keeps_what_is_whole_and_leaves_no_job(
    tmp_path: Path, terminal: TerminalServer, of_two: Cluster, local: Path
) -> None:
    process = start(
        tmp_path,
        *DOWNLOAD,
        "--interval",
        "1m",
        "--terminal",
        terminal.url,
        "--concurrency",
        "1",
        *on(of_two, 2),
        "--environment_type",
        "LOOPBACK",
        **WITHOUT_COVERAGE,
    )
    wait_for("a file", lambda: files_in(tmp_path / "data" / "greeks"))
    summary, states = interrupted(process, tmp_path, of_two)
    assert summary["successful_expirations"] == len(hashes(tmp_path)) >= 1
    assert hashes(tmp_path).items() <= hashes(local).items()
    assert states <= {"FINISHED", "CANCELED"}


def test_ctrl_c_cancels_a_job_that_waits_for_slots(
    tmp_path: Path, terminal: TerminalServer, of_two: Cluster
) -> None:
    before = of_two.jobs()
    process = start(
        tmp_path,
        *DOWNLOAD,
        "--terminal",
        terminal.url,
        *on(of_two, 5),
        "--environment_type",
        "LOOPBACK",
        **WITHOUT_COVERAGE,
    )
    wait_for("the job", lambda: set(of_two.jobs()) - set(before))
    summary, states = interrupted(process, tmp_path, of_two)
    assert summary["interrupted_expirations"] == 5
    assert states == {"CANCELED"}


def interrupted(
    process: "subprocess.Popen[str]", folder: Path, made: Cluster
) -> tuple[dict[str, object], set[str]]:
    """Sends Ctrl-C; returns the summary that is left, and the states of the job once it ended."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    (summary,) = summaries(folder)
    assert summary["status"] == "interrupted", json.dumps(summary)
    name = f"greeks-{summary['run_id']}"
    wait_for("the job's end", lambda: made.jobs()[name] not in {"RUNNING", "CANCELLING"})
    return summary, {made.jobs()[name]}

"""What is on the disk while downloads are killed at any moment, and after the next ones."""

import random
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.history_scale import flags_for, observe
from bench.processes import terminal as simulated_terminal
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks, start, summaries
from tests.support.data import files_in
from tests.support.reader import Reader
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
SPXW = ["download", "--symbol", "SPXW"]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yields the files of a folder that others change meanwhile."""
    for path in folder.rglob("*"):
        try:
            content = path.read_bytes()
        except (IsADirectoryError, FileNotFoundError):
            continue
        yield str(path.relative_to(folder)), content


def is_writing(process: "subprocess.Popen[str]", folder: Path) -> bool:
    """Whether a download has the lock of its output folder."""
    lock = folder / "data" / "greeks.meta" / "lock"
    return lock.exists() and f'"pid": {process.pid},' in lock.read_text()


def kill_after(process: "subprocess.Popen[str]", folder: Path, seconds: float) -> bool:
    """Kills a download some time after it began to write, and returns whether it was in time."""
    wait_for("its start", lambda: process.poll() is not None or is_writing(process, folder))
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_kills_at_any_moment_cost_time_and_no_data(
    terminal: TerminalServer, tmp_path: Path, form: str, request: pytest.FixtureRequest
) -> None:
    command = [*SPXW, "--start_date", "2024-03-14", "--max_dte", "12", "--interval", "5m"]
    command += ["--terminal", terminal.url, "--format", form, "--concurrency", "2"]
    calm = tmp_path / "calm"
    calm.mkdir()
    greeks(calm, *command)
    whole = files_in(calm / "data" / "greeks")
    assert len(whole) == 9
    seconds = summaries(calm)[0]["total_duration"]

    chance = random.Random(20240314)
    left = request.config.getoption("--kills") // 2
    rounds = seen = 0
    while left > 0:
        rounds += 1
        folder = tmp_path / f"round-{rounds}"
        output = folder / "data" / "greeks"
        output.mkdir(parents=True)
        reader = Reader(partial(contents, output), whole)
        with reader.reading():
            # Each run finds what the killed ones before it have left.
            while left > 0 and kill_after(
                start(folder, *command), folder, chance.uniform(0, seconds)
            ):
                left -= 1
            greeks(folder, *command)
        reader.look()
        assert reader.partial == []
        seen += reader.seen
        assert files_in(output) == whole
        assert "all as it was written" in greeks(folder, "verify")
        assert not list((folder / "data" / "greeks.meta" / "unfinished").iterdir())
    assert seen > len(whole)


def test_ten_kills_of_a_run_of_5000_requests_end_in_the_calm_tree(tmp_path: Path) -> None:
    chance = random.Random(5000)
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    with simulated_terminal() as url:
        command = ["download", "--terminal", url, *flags_for(5000)]
        for folder in (calm, killed):
            folder.mkdir()
        observe(calm, url, command[3:])
        seconds = summaries(calm)[0]["total_duration"]
        kills = 0
        while kills < 10:
            kills += kill_after(start(killed, *command), killed, chance.uniform(0, seconds / 8))
        observe(killed, url, command[3:])
    whole = files_in(calm / "data" / "greeks")
    assert len(whole) > 2500
    assert files_in(killed / "data" / "greeks") == whole
    assert "all as it was written" in greeks(killed, "verify")
    assert not list((killed / "data" / "greeks.meta" / "unfinished").iterdir())
    assert not list((killed / "data" / "metrics" / "running").iterdir())


def test_five_daily_runs_with_one_killed_make_the_tree_of_five_calm_ones(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    days = ["2024-03-11", "2024-03-12", "2024-03-13", "2024-03-14", "2024-03-15"]
    flags = ["--terminal", terminal.url, "--layout", "daily", "--max_dte", "3"]
    flags += ["--interval", "5m", "--format", "parquet", "--start_date", days[0]]
    trees = []
    for name, kill in (("calm", None), ("killed", "2024-03-13")):
        folder = tmp_path / name
        folder.mkdir()
        output = folder / "data" / "greeks"
        for day in days:
            before = files_in(output)
            process = start(folder, *SPXW, *flags, "--end_date", day)
            if day == kill:
                wait_for("a new file", lambda: len(files_in(output)) > len(before))  # noqa: B023 -- called here
                process.send_signal(signal.SIGKILL)
                process.communicate()
                continue
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, out + err
            # Yesterday's files are not touched: today's are added to them.
            after = files_in(output)
            assert {name: after[name] for name in before} == before
            assert len(after) > len(before)
        assert "all as it was written" in greeks(folder, "verify")
        trees.append(files_in(output))
    assert trees[0] == trees[1]
    assert [name.split("/")[0] for name in trees[0]] == sorted(
        f"trade_date={day}" for day in days for _ in range(sum(day in name for name in trees[0]))
    )
    skipped = [each["skipped_expirations"] for each in summaries(tmp_path / "calm")]
    written = [each["successful_expirations"] for each in summaries(tmp_path / "calm")]
    assert skipped == [sum(written[:n]) for n in range(5)]

"""How many requests a Terminal gets at once, and what happens when one of several fails."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support import runners
from tests.support.command import greeks, greeks_here, start, summaries
from tests.support.data import files_in
from tests.support.waiting import wait_for

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--interval", "30m"]
MODES = [
    "in_memory",
    pytest.param("multi_processing", marks=pytest.mark.slow),
    pytest.param("prism", marks=pytest.mark.slow),
    pytest.param("flink", marks=pytest.mark.slow),
]


def flags_of(mode: str) -> list[str]:
    if mode == "flink":
        return [*runners.flink(), "--parallelism", "6"]
    return runners.prism() if mode == "prism" else ["--direct_running_mode", mode]


@contextmanager
def terminal_process(folder: Path, *flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Gives a stand-in Terminal that can be killed, and its address."""
    process = start(folder, "terminal", "--port", "0", *flags)
    assert process.stdout is not None
    url = next(word for word in process.stdout.readline().split() if "://" in word)
    try:
        yield process, url
    finally:
        process.kill()
        process.communicate()


def history(url: str) -> int:
    return int(requests.get(f"{url}/stats", timeout=30).json()["history"]["requests"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_no_more_requests_than_allowed_are_outstanding_at_any_terminal(
    tmp_path: Path, market: Market, mode: str
) -> None:
    flags = flags_of(mode)
    with (
        TerminalServer(market, latency=0.2) as one,
        TerminalServer(market, latency=0.2) as other,
    ):
        urls = f"{one.url},{other.url}"
        greeks(tmp_path, *DOWNLOAD, *flags, "--terminal", urls, "--concurrency", "2")
        printed = [server.stats()["history"] for server in (one, other)]
    assert [each["most_in_flight"] for each in printed] == [2, 2]
    assert sum(each["requests"] for each in printed) == 21
    assert all(each["requests"] > 4 for each in printed)
    (summary,) = summaries(tmp_path)
    assert summary["successful_expirations"] == 21
    assert summary["source"] == {"terminal": urls, "api": "v3", "data": "simulated"}


def test_terminals_of_two_generations_are_refused_for_they_count_time_differently(
    tmp_path: Path, market: Market
) -> None:
    with TerminalServer(market) as one, TerminalServer(market, api="v2") as other:
        urls = f"{one.url},{other.url}"
        out = greeks_here(tmp_path, *DOWNLOAD, "--terminal", urls, code=2)
    assert "do not serve the same" in out
    assert f"{other.url} has simulated, seed 0, v2; name Terminals of one generation: v2" in out


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_what_a_terminal_that_dies_leaves_undone_goes_to_the_others(
    tmp_path: Path, market: Market, mode: str
) -> None:
    flags = flags_of(mode)
    calm = tmp_path / "calm"
    calm.mkdir()
    with (
        # Slow enough for the other to get a few requests, too.
        TerminalServer(market, latency=0.2) as lasts,
        terminal_process(tmp_path, "--latency", "0.3") as (dies, url),
    ):
        greeks_here(calm, *DOWNLOAD, "--terminal", lasts.url)
        process = start(
            tmp_path,
            *DOWNLOAD,
            *flags,
            "--concurrency",
            "2",
            "--attempts",
            "2",
            "--terminal",
            f"{url},{lasts.url}",
        )
        wait_for("a few requests", lambda: history(url) >= 3)
        dies.kill()
        out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    assert "moved to another Terminal: no Theta Terminal answers" in err
    assert files_in(tmp_path / "data" / "greeks") == files_in(calm / "data" / "greeks")
    (summary,) = summaries(tmp_path)
    assert summary["successful_expirations"] == 21
    assert summary["failed_expirations"] == 0


def test_a_terminal_that_lost_thetadata_is_set_aside(tmp_path: Path, market: Market) -> None:
    with TerminalServer(market, chaos="474!:21") as lost, TerminalServer(market) as well:
        urls = f"{lost.url},{well.url}"
        flags = ["--attempts", "1", "--concurrency", "1"]
        greeks_here(tmp_path, *DOWNLOAD, *flags, "--terminal", urls)
        assert lost.stats()["history"]["requests"] == 1
        assert well.stats()["history"]["requests"] == 21


@pytest.mark.parametrize("mode", MODES[:2])
def test_where_every_terminal_fails_each_expiration_fails(
    tmp_path: Path, market: Market, mode: str
) -> None:
    with (
        TerminalServer(market, chaos="474!:21") as one,
        TerminalServer(market, chaos="474!:21") as other,
    ):
        greeks(
            tmp_path,
            *DOWNLOAD,
            *flags_of(mode),
            "--attempts",
            "1",
            "--max_dte",
            "5",
            "--terminal",
            f"{one.url},{other.url}",
            code=1,
        )
    (summary,) = summaries(tmp_path)
    assert summary["failed_expirations"] == summary["total_expirations"] == 4
    assert all("474 DISCONNECTED" in error["message"] for error in summary["errors"])


def test_a_terminal_that_does_not_answer_at_first_is_set_aside_and_reported(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    urls = f"http://127.0.0.1:9,{terminal.url}"
    out = greeks_here(tmp_path, *DOWNLOAD, "--max_dte", "1", "--terminal", urls)
    assert "set aside: no Theta Terminal answers at http://127.0.0.1:9" in out
    (summary,) = summaries(tmp_path)
    assert summary["source"]["terminal"] == terminal.url


def test_terminals_that_serve_different_markets_are_refused(tmp_path: Path) -> None:
    with TerminalServer(Market(seed=1)) as one, TerminalServer(Market(seed=2)) as other:
        urls = f"{one.url},{other.url}"
        out = greeks_here(tmp_path, *DOWNLOAD, "--terminal", urls, code=2)
    assert "do not serve the same" in out
    assert "seed 2; name only Terminals of one market" in out
    assert not (tmp_path / "data" / "greeks").exists()


def test_one_terminal_named_twice_is_refused(tmp_path: Path) -> None:
    urls = "http://127.0.0.1:1,http://127.0.0.1:1/"
    out = greeks_here(tmp_path, *DOWNLOAD, "--terminal", urls, code=2)
    assert "--terminal names one twice" in out

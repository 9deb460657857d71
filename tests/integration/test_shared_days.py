"""A download whose files share answers: the same bytes in fewer requests."""

import json
import signal
from pathlib import Path

import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks, greeks_here, start, summaries
from tests.support.data import files_in
from tests.support.waiting import wait_for

WEEK = ["--symbol", "SPXW", "--start_date", "2024-03-11", "--end_date", "2024-03-15"]
DATES = 5
EXPIRATIONS = [f"2024-03-{day}" for day in (12, 14, 15, 18, 19, 20, 21, 22, 25, 26, 27, 28)]


def asked(terminal: TerminalServer) -> int:
    requests: int = terminal.stats()["history"]["requests"]
    return requests


@pytest.mark.parametrize(
    ("order", "layout", "form"),
    [
        ("eod", "daily", "parquet"),
        pytest.param("eod", "expiration", "csv", marks=pytest.mark.slow),
        pytest.param("open_interest", "daily", "csv", marks=pytest.mark.slow),
        pytest.param("open_interest", "expiration", "parquet", marks=pytest.mark.slow),
    ],
)
def test_files_have_the_bytes_of_downloads_of_one_expiration_and_the_plan_counts_the_requests(
    terminal: TerminalServer, tmp_path: Path, order: str, layout: str, form: str
) -> None:
    flags = [*WEEK, "--greeks", order, "--layout", layout, "--format", form]
    flags += ["--terminal", terminal.url, "--expirations"]
    every = ",".join(EXPIRATIONS)
    plan = json.loads(greeks_here(tmp_path, "plan", *flags, every, "--json", "--probe", "never"))
    apart = ["--direct_running_mode", "multi_processing"]
    processes = json.loads(
        greeks_here(tmp_path, "plan", *flags, every, "--json", "--probe", "never", *apart)
    )
    assert processes["requests"] == plan["requests"] + plan["requests_saved"]
    greeks_here(tmp_path, "download", *flags, every)
    assert asked(terminal) == plan["requests"] == DATES
    (summary,) = summaries(tmp_path)
    assert summary["total_requests"] == DATES
    assert sum(each["requests"] for each in summary["expirations"]) == DATES

    for expiration in EXPIRATIONS:
        own = [expiration, "--output", "alone", "--metrics", "others"]
        greeks_here(tmp_path, "download", *flags, *own)
    assert asked(terminal) == DATES + plan["requests"] + plan["requests_saved"]
    shared = files_in(tmp_path / "data" / "greeks")
    assert shared == files_in(tmp_path / "alone")
    assert len(shared) == summary["successful_expirations"]


def test_a_rerun_shares_what_is_missing_and_remembers_what_was_empty(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["download", *WEEK, "--greeks", "open_interest", "--layout", "daily"]
    flags += ["--terminal", terminal.url]
    greeks_here(tmp_path, *flags, "--expirations", ",".join(EXPIRATIONS[:6]))
    greeks_here(tmp_path, *flags, "--max_dte", "60")
    first, second = summaries(tmp_path)
    assert (first["total_requests"], second["skipped_expirations"]) == (DATES, 26)
    assert second["empty_expirations"]
    assert second["total_requests"] == 2 * DATES, "an answer and a list for each trade date"
    greeks_here(tmp_path, *flags, "--max_dte", "60")
    assert summaries(tmp_path)[2]["total_requests"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_next_run_completes_an_interrupted_one_and_no_temporary_file_is_left(
    tmp_path: Path, how: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    market = Market()
    flags = ["download", *WEEK, "--greeks", "eod", "--max_dte", "20"]
    with TerminalServer(market, latency=0.1) as terminal:
        flags += ["--terminal", terminal.url]
        run = start(tmp_path, *flags, TMPDIR=str(temporary))
        wait_for("a shared answer", lambda: list(temporary.rglob("*.arrow")))
        run.send_signal(how)
        run.communicate(timeout=60)
        assert run.returncode
        greeks(tmp_path, *flags, TMPDIR=str(temporary))
        assert list(temporary.iterdir()) == []
        greeks(tmp_path, *flags, "--output", "whole", TMPDIR=str(temporary))
    assert files_in(tmp_path / "data" / "greeks") == files_in(tmp_path / "whole")


@pytest.mark.parametrize("layout", ["daily", "expiration"])
def test_a_plans_probe_is_one_shared_request_and_knows_the_contracts_of_each_expiration(
    terminal: TerminalServer, tmp_path: Path, layout: str
) -> None:
    flags = [*WEEK, "--greeks", "eod", "--layout", layout, "--terminal", terminal.url]
    flags += ["--max_dte", "20"]
    plan = json.loads(greeks_here(tmp_path, "plan", *flags, "--json", "--probe", "always"))
    assert asked(terminal) == 1
    assert "a probe of SPXW all expirations, on 2024-03-1" in plan["estimate"]["basis"]
    greeks_here(tmp_path, "download", *flags)
    (summary,) = summaries(tmp_path)
    assert plan["estimate"]["rows"] == pytest.approx(summary["total_records"], rel=0.1)

"""One trade date of a file has no rows: reported, fetched again, and then the file is whole."""

from pathlib import Path

import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from tests.support.data import hashes

EXPIRATION = ["download", "--symbol", "SPXW", "--expirations", "2024-03-15"]
WEEK = [*EXPIRATION, "--start_date", "2024-03-11", "--end_date", "2024-03-15", "--interval", "30m"]
EOD = [*EXPIRATION, "--start_date", "2024-02-26", "--end_date", "2024-03-15", "--greeks", "eod"]


@pytest.mark.parametrize(
    ("download", "api", "fault", "lacking", "requests"),
    [
        pytest.param(WEEK, "v3", "472:2024-03-13", "2024-03-13", 5, marks=pytest.mark.slow),
        pytest.param(WEEK, "v3", "norows:2024-03-13", "2024-03-13", 5, marks=pytest.mark.slow),
        (WEEK, "v3", "472:2024-03-13,norows:2024-03-14", "2024-03-13/2024-03-14", 5),
        pytest.param(WEEK, "v2", "472:2024-03-15", "2024-03-15", 5, marks=pytest.mark.slow),
        pytest.param(EOD, "v3", "norows:2024-03-05", "2024-03-05", 2, marks=pytest.mark.slow),
        pytest.param(
            EOD, "v3", "472:2024-03-13", "2024-03-01/2024-03-15", 2, marks=pytest.mark.slow
        ),
        pytest.param(EOD, "v2", "norows:2024-02-27", "2024-02-27", 2, marks=pytest.mark.slow),
    ],
)
def test_a_hole_is_reported_and_the_next_run_closes_it_with_the_bytes_of_a_calm_one(
    market: Market,
    tmp_path: Path,
    download: list[str],
    api: str,
    fault: str,
    lacking: str,
    requests: int,
) -> None:
    calm, holed = tmp_path / "calm", tmp_path / "holed"
    calm.mkdir()
    holed.mkdir()
    with TerminalServer(market, api=api) as server:
        greeks_here(calm, *download, "--terminal", server.url)
    # Each request is hit once: the next run gets what this one did not.
    options = {"api": api, "tick_limit": 2000, "chaos": fault, "chaos_limit": 1}
    with TerminalServer(market, **options) as server:  # type: ignore[arg-type]  # -- mixed
        flags = [*download, "--terminal", server.url]
        out = greeks_here(holed, *flags)
        named = lacking.replace("/", " to ")
        assert f"missing: SPXW expiring 2024-03-15: no rows on {named}\n" in out
        assert hashes(holed) != hashes(calm)
        assert f"no rows on {named}" in greeks_here(holed, "verify")
        greeks_here(holed, *flags)
        assert hashes(holed) == hashes(calm)
        assert "skipped: 1 already there" in greeks_here(holed, *flags)
    first, second, third = summaries(holed)
    (printed,) = first["expirations"]
    assert (printed["status"], printed["missing_dates"]) == ("written", lacking)
    assert first["incomplete_expirations"] == 1
    (printed,) = second["expirations"]
    assert (printed["status"], printed["missing_dates"]) == ("written", "")
    assert printed["requests"] >= requests
    assert third["total_requests"] == 0
    assert {each["incomplete_expirations"] for each in (second, third)} == {0}


def test_a_limit_on_missing_dates_writes_no_file(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market, chaos="norows!:2024-03-13") as server:
        flags = [*WEEK, "--terminal", server.url, "--fail_on", "missing_dates"]
        out = greeks_here(tmp_path, *flags, code=1)
        assert "--fail_on missing_dates>0 is exceeded: 1 with a requested trade date" in out
        assert hashes(tmp_path) == {}


def test_trade_dates_before_the_first_with_rows_are_normal_and_recorded(
    market: Market, tmp_path: Path
) -> None:
    with TerminalServer(market, chaos="472!:2024-03-11,norows!:2024-03-12") as server:
        flags = [*WEEK, "--terminal", server.url, "--fail_on", "missing_dates"]
        assert "missing" not in greeks_here(tmp_path, *flags)
        assert "skipped: 1 already there" in greeks_here(tmp_path, *flags)
    (printed,) = summaries(tmp_path)[0]["expirations"]
    assert (printed["dates_with_rows"], printed["missing_dates"]) == ("2024-03-13/2024-03-15", "")

"""`--derive`: computed columns in whole files, which resume, are verified and queried."""

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from tests.support.data import files_in

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--output", "out"]
SMALL = ["--max_dte", "4", "--interval", "30m"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_derived_columns_are_in_the_file_and_the_manifest_and_pass_every_check(
    market: Market, tmp_path: Path, form: str
) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, *SMALL, "--terminal", terminal.url, "--format", form]
        given += ["--derive", "vanna,gamma"]
        greeks_here(tmp_path, *given)
        made = files_in(tmp_path / "out")
        assert "no finding" in greeks_here(tmp_path, "check", "out")
        assert "all as it was written" in greeks_here(tmp_path, "verify", "--output", "out")
        # Other batches, the same bytes; what is there is not fetched again.
        greeks_here(tmp_path, *given)
        assert [each["status"] for each in summaries(tmp_path)[-1]["expirations"]] == [
            "skipped"
        ] * len(made)
        given[given.index("out")] = "again"
        greeks_here(tmp_path, *given, "--batch_size", "777")
        assert files_in(tmp_path / "again") == made
    assert len(made) == 3
    entry = next((tmp_path / "out.meta/files").rglob("*.json"))
    assert json.loads(entry.read_text())["request"]["derive"] == "gamma,vanna"
    if form == "parquet":
        for path in (tmp_path / "out").rglob("*.parquet"):
            assert pq.read_schema(path).names[-2:] == ["gamma", "vanna"]


def test_files_with_and_without_derived_columns_are_one_view_and_never_replace_each_other(
    market: Market, tmp_path: Path
) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, "--interval", "30m", "--terminal", terminal.url]
        greeks_here(tmp_path, *given, "--expirations", "2024-03-15", "--derive", "gamma")
        greeks_here(tmp_path, *given, "--expirations", "2024-03-18")
        refused = greeks_here(tmp_path, *given, "--expirations", "2024-03-15", code=2)
    assert "it has derive gamma; this request has derive (none)" in refused
    connection = duckdb.connect()
    connection.execute((tmp_path / "out.meta/catalog.sql").read_text())
    asked = (
        "SELECT day(expiration), count(*) = count(delta), count(gamma) > 0 FROM greeks GROUP BY ALL"
    )
    assert sorted(connection.execute(asked).fetchall()) == [(15, True, True), (18, True, False)]


def test_a_greek_that_the_order_has_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    said = greeks_here(tmp_path, *DOWNLOAD, "--derive", "delta,gama", code=2)
    assert "--derive names delta, gama; --greeks first_order gives gamma, vanna" in said
    assert not (tmp_path / "out").exists()

"""Both generations of the API, every order, every fault: one result."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pipeline.simulator.formats import STYLES
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from tests.support.data import files_in
from tests.support.oracle import Market
from transforms.model import GreeksRequest
from transforms.orders import ORDERS
from transforms.thetadata import ThetaClient

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
SMALL = ["--max_dte", "4", "--interval", "30m"]
EVERYTHING = (
    "429:0.1,reset:0.1,cut:0.2,restate:0.1,474:2,571:2,500:0.05,503:0.05,slow:0.05,malformed:0.1,"
    "477:0.05,hang:0.05"
)


@pytest.mark.parametrize("order", [each.name for each in ORDERS.values() if not each.daily])
def test_every_intraday_order_holds_what_was_served_and_is_the_same_from_v2_and_version_1_of_v3(
    market: Market, tmp_path: Path, order: str
) -> None:
    expiration, day = date(2024, 3, 15), date(2024, 3, 14)
    version = (("version", "1"),) if "version" in ORDERS[order].v3.parameters else ()
    interval = ORDERS[order].interval("30m")
    request = GreeksRequest("SPXW", expiration, (day,), interval, order, version)
    expected = market.rows("SPXW", expiration, day, "30m", order, version="1")
    with TerminalServer(market) as v3, ThetaClient(v3.url) as client:
        table = client.table(request)
        assert table.equals(expected.cast(table.schema))
        endpoint = ORDERS[order].v2
        if endpoint is None:
            return
        if order.endswith("all"):  # of an unsolved volatility v3 has a delta
            unsolved = pc.and_(pc.equal(table["implied_vol"], 0), pc.equal(table["d1"], 0))
            assert 1 in table["delta"].filter(unsolved).to_pylist()
            place = table.schema.get_field_index("delta")
            delta = pc.if_else(unsolved, 0.0, table["delta"])
            table = table.set_column(place, table.schema.field("delta"), delta)
        with (
            TerminalServer(market, api="v2", tick_limit=1000) as v2,
            ThetaClient(v2.url, api="v2") as other,
        ):
            served = other.table(replace(request, parameters=()))
            lacking = [*endpoint.lacks]
            for name in lacking:
                assert served[name].null_count == served.num_rows
            assert served.drop_columns(lacking).equals(table.drop_columns(lacking))
            assert other.requests > 3


@pytest.mark.parametrize(
    ("order", "api"),
    [
        ("ohlc", "v3"),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (
                ("trade_all", "v2"),
                ("ohlc", "v2"),
                ("trade_all", "v3"),
                ("quote", "v3"),
                ("quote", "v2"),
            )
        ),
    ],
)
def test_bars_quotes_and_trades_outlast_faults_and_are_resumed_verified_and_checked(
    market: Market, tmp_path: Path, order: str, api: str
) -> None:
    flags = ["--max_dte", "4", "--greeks", order, "--timeout", "2", "--output"]
    trees = []
    with (
        TerminalServer(market, api=api, tick_limit=10_000) as calm,
        TerminalServer(market, api=api, chaos="cut:0.3,malformed:0.2,429:0.2") as wild,
    ):
        for server in (calm, wild):
            output = tmp_path / server.url[-5:]
            again = [*DOWNLOAD, *flags, str(output), "--terminal", server.url]
            assert "3 written" in greeks_here(tmp_path, *again)
            trees.append(files_in(output))
            assert "3 skipped" in greeks_here(tmp_path, *again)
        assert sum(wild.stats()["faults"].values()) > 0
    assert len(trees[0]) == 3
    assert trees[0] == trees[1]
    assert "all as it was written" in greeks_here(tmp_path, "verify", "--output", str(output))
    assert "no finding in" in greeks_here(tmp_path, "check", str(output))


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_the_same_market_gives_the_same_files_from_v2_and_version_1_of_v3(
    market: Market, tmp_path: Path, form: str
) -> None:
    trees = []
    with TerminalServer(market) as v3, TerminalServer(market, api="v2", tick_limit=999) as v2:
        for server, version in ((v3, ["--greeks_version", "1"]), (v2, [])):
            output = str(tmp_path / server.url[-5:])
            flags = ["--terminal", server.url, "--format", form, "--output", output, *version]
            greeks_here(tmp_path, *DOWNLOAD, *SMALL, *flags)
            trees.append(files_in(Path(output)))
    assert len(trees[0]) == 3
    assert trees[0] == trees[1]
    assert [each["source"]["api"] for each in summaries(tmp_path)] == ["v3", "v2"]


def test_end_of_day_is_one_request_a_month_with_the_documented_differences(
    market: Market, tmp_path: Path
) -> None:
    days = [date(2024, 2, 26) + timedelta(n) for n in range(19)]
    days = [day for day in days if day.weekday() < 5]
    request = GreeksRequest("SPXW", date(2024, 3, 15), tuple(days), "eod", "eod")
    tables = []
    for api in ("v3", "v2"):
        with TerminalServer(market, api=api) as server, ThetaClient(server.url, api=api) as client:
            tables.append(client.table(request))
            assert client.requests == 2
    v3, v2 = tables
    keys = ["symbol", "expiration", "strike", "right", "timestamp", "close", "bid", "ask"]
    assert v3.select(keys).equals(v2.select(keys))
    assert v3.num_rows > 1000
    # v2 has no dual Greeks, and computes from the last trade where v3 takes the quote's middle.
    assert v2.column("dual_delta").null_count == v2.num_rows
    assert v3.column("dual_delta").null_count == 0
    assert not v3.select(["implied_vol"]).equals(v2.select(["implied_vol"]))


@pytest.mark.parametrize("order", ["second_order", pytest.param("eod", marks=pytest.mark.slow)])
def test_what_v2_computes_otherwise_is_taken_from_the_manifest_by_the_check(
    market: Market, tmp_path: Path, order: str
) -> None:
    flags = ["--greeks", order, "--max_dte", "4", *([] if order == "eod" else ["--interval", "1h"])]
    with TerminalServer(market, api="v2") as server:
        greeks_here(tmp_path, *DOWNLOAD, *flags, "--terminal", server.url)
    out = greeks_here(tmp_path, "check", "data/greeks")
    assert "no finding in" in out
    assert "computed with 5.310%" in out


def test_both_styles_of_v3_give_the_same_files(market: Market, tmp_path: Path) -> None:
    trees = []
    for style in STYLES.values():
        with TerminalServer(market, style=style) as server:
            output = tmp_path / server.url[-5:]
            flags = ["--terminal", server.url, "--output", str(output)]
            greeks_here(tmp_path, *DOWNLOAD, *SMALL, *flags)
            trees.append(files_in(output))
    assert len(trees[0]) == 3
    assert trees[0] == trees[1]


@pytest.mark.parametrize(
    ("api", "seed"),
    [
        ("v3", 2),
        pytest.param("v3", 1, marks=pytest.mark.slow),
        pytest.param("v2", 1, marks=pytest.mark.slow),
        pytest.param("v2", 2, marks=pytest.mark.slow),
    ],
)
def test_every_fault_at_once_changes_no_byte(tmp_path: Path, api: str, seed: int) -> None:
    trees = []
    flags = ["--max_dte", "7", "--timeout", "2", "--output"]
    with (
        TerminalServer(Market(seed), api=api, tick_limit=10_000) as calm,
        TerminalServer(Market(seed), api=api, chaos=EVERYTHING, tick_limit=10_000) as wild,
    ):
        for server in (calm, wild):
            output = tmp_path / server.url[-5:]
            greeks_here(tmp_path, *DOWNLOAD, *flags, str(output), "--terminal", server.url)
            trees.append(files_in(output))
        faults = wild.stats()["faults"]
    assert len(trees[0]) == 6
    assert trees[0] == trees[1]
    assert sum(faults.values()) >= 6
    assert len(faults) >= 4
    before, after = summaries(tmp_path)
    assert before["total_records"] == after["total_records"]
    assert (before["total_wait"], after["status"]) == (0, "succeeded")
    assert after["total_requests"] > before["total_requests"]
    assert after["total_wait"] > 0


def test_a_fault_that_stays_is_a_named_failure_and_the_others_are_written(
    market: Market, tmp_path: Path
) -> None:
    with TerminalServer(market, chaos="471!:0.4") as server:
        flags = ["--terminal", server.url, "--max_dte", "14", "--interval", "1h"]
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, code=1)
    (summary,) = summaries(tmp_path)
    failed, written = summary["failed_expirations"], summary["successful_expirations"]
    assert failed > 0
    assert written > 0
    assert failed + written == summary["total_expirations"]
    assert len(files_in(tmp_path / "data" / "greeks")) == written
    assert all(error["error_type"] == "StatusError" for error in summary["errors"])
    assert "471 PERMISSION" in out


@pytest.mark.parametrize(
    ("api", "tier", "most"),
    [
        ("v3", "value", 2),
        pytest.param("v3", "pro", 8, marks=pytest.mark.slow),
        pytest.param("v2", "standard", 2, marks=pytest.mark.slow),
    ],
)
def test_no_more_requests_are_under_way_than_the_tier_allows(
    market: Market, tmp_path: Path, api: str, tier: str, most: int
) -> None:
    with TerminalServer(market, api=api, latency=0.3) as server:
        flags = ["--terminal", server.url, "--interval", "1h", "--tier", tier]
        greeks_here(tmp_path, *DOWNLOAD, *flags)
        assert server.stats()["most_in_flight"] == most


def test_a_570_is_split_and_changes_no_byte(market: Market, tmp_path: Path) -> None:
    trees = []
    with TerminalServer(market) as free, TerminalServer(market, row_limit=1000) as strict:
        for server in (free, strict):
            output = tmp_path / server.url[-5:]
            flags = ["--terminal", server.url, "--max_dte", "1", "--output", str(output)]
            greeks_here(tmp_path, *DOWNLOAD, *flags)
            trees.append(files_in(output))
    assert len(trees[0]) == 2
    assert trees[0] == trees[1]


def test_the_generation_is_found_and_a_wrong_one_reported(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market, api="v2") as v2, TerminalServer(market) as v3:
        flags = ["--max_dte", "0", "--interval", "1h", "--terminal"]
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v2.url, "--api", "v3", code=3)
        assert "no v3 Terminal answers" in out
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v3.url, "--api", "v2", code=3)
        assert "no v2 Terminal answers" in out
        assert "use --api v3" in out
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v2.url)
        assert "(v2)" in out
        more = ["--greeks", "implied_volatility"]
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v2.url, *more, code=2)
        assert "a v2 Terminal has no bulk implied_volatility" in out
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v2.url, "--greeks_version", "1", code=2)
        assert "does not have the parameter 'version'" in out


def test_spx_is_not_asked_for_on_its_expiration(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market) as server:
        flags = ["--symbol", "SPX", "--start_date", "2024-03-15", "--max_dte", "0"]
        out = greeks_here(tmp_path, "download", *flags, "--terminal", server.url)
        assert "1 empty" in out
        assert not any("greeks" in path for path in server.stats()["requests"])


def test_parameters_reach_the_terminal(market: Market) -> None:
    parameters = (("end_time", "10:00:00"), ("start_time", "09:45:00"), ("strike_range", "3"))
    days = (date(2024, 3, 14),)
    request = GreeksRequest("SPXW", date(2024, 3, 15), days, "5m", "first_order", parameters)
    with TerminalServer(market) as server, ThetaClient(server.url) as client:
        table = client.table(request)
    assert len(set(table.column("strike").to_pylist())) <= 7
    times = {stamp.strftime("%H:%M") for stamp in table.column("timestamp").to_pylist()}
    assert times == {"09:45", "09:50", "09:55", "10:00"}


def test_an_end_of_day_file_of_the_other_generation_is_left_alone(
    market: Market, tmp_path: Path
) -> None:
    flags = ["--greeks", "eod", "--max_dte", "0", "--terminal"]
    with TerminalServer(market) as v3, TerminalServer(market, api="v2") as v2:
        greeks_here(tmp_path, *DOWNLOAD, *flags, v3.url)
        before = files_in(tmp_path / "data" / "greeks")
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, v2.url, code=2)
    assert "seed 0, v3; this request has source simulated, seed 0, v2" in out
    assert files_in(tmp_path / "data" / "greeks") == before


def test_a_holiday_is_reported_by_either_generation(market: Market, tmp_path: Path) -> None:
    for api in ("v3", "v2"):
        with TerminalServer(market, api=api) as server:
            flags = ["--symbol", "SPXW", "--start_date", "2024-03-29", "--terminal", server.url]
            out = greeks_here(tmp_path, "download", *flags)
        assert "the market was closed on Friday 2024-03-29" in out

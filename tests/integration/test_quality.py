"""A day of simulated SPXW with planted defects, downloaded as a user does."""

import json
import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from tests.support.data import files_in
from tests.support.market import NO_DATA
from tests.support.market import terminal as scripted_terminal
from tests.support.oracle import Market
from tests.support.plant import DAY, EXPIRATION, again, place, plant, swapped, without
from tests.support.scripted import Answer, Scripted, scripted_server
from transforms.model import GreeksRequest
from transforms.orders import schema_of
from transforms.orders.schema import FIRST_ORDER
from transforms.sinks.csv_text import encode_header

MARKET = Market()
CLEAN = date(2024, 3, 18)
DOWNLOAD = "download --symbol SPXW --start_date 2024-03-14 --interval 30m"


def planted() -> tuple[pa.Table, dict[str, str]]:
    """Returns an expiration's rows with a defect of each kind, and the contract of each."""
    table = MARKET.rows("SPXW", EXPIRATION, DAY, "30m")
    greeks_ = FIRST_ORDER
    where = {
        "delta_bounds": (5120.0, "P"),
        "vega_bounds": (5125.0, "P"),
        "zero_greeks": (5130.0, "P"),
        "unsolved_iv": (5135.0, "P"),
        "iv_error": (5140.0, "P"),
        "zero_bids": (4700.0, "C"),
        "crossed_quotes": (5145.0, "P"),
        "iv_bounds": (5150.0, "P"),
        "holes": (5155.0, "P"),
        "out_of_order": (5160.0, "P"),
        "duplicates": (5165.0, "P"),
    }
    rows = {rule: place(table, *contract, "11:00") for rule, contract in where.items()}
    bid, ask = (table[name][rows["crossed_quotes"]].as_py() for name in ("bid", "ask"))
    table = plant(table, rows["delta_bounds"], delta=0.5)
    table = plant(table, rows["vega_bounds"], vega=-1.0)
    table = plant(table, rows["zero_greeks"], **dict.fromkeys(greeks_, 0.0))
    table = plant(table, rows["unsolved_iv"], implied_vol=0.0)
    table = plant(table, rows["iv_error"], iv_error=0.4)
    table = plant(table, rows["zero_bids"], bid=0.0, ask=0.0, iv_error=100.0)
    table = plant(table, rows["crossed_quotes"], bid=ask, ask=bid)
    table = plant(table, rows["iv_bounds"], implied_vol=-0.1, iv_error=0.0)
    # From the back: these move the rows behind them.
    table = again(table, rows["duplicates"])
    table = swapped(table, rows["out_of_order"])
    table = without(table, rows["holes"])
    return table, {rule: f"{strike:g} {right}" for rule, (strike, right) in where.items()}


PLANTED, WHERE = planted()


@pytest.fixture
def terminal_with_defects() -> Iterator[Scripted]:
    def answer(request: GreeksRequest) -> Answer:
        if request.expiration not in (EXPIRATION, CLEAN):
            return NO_DATA
        table = PLANTED
        if request.expiration == CLEAN:
            table = MARKET.rows("SPXW", CLEAN, DAY, "30m")
        table = table.cast(schema_of("first_order"))
        for name in ("timestamp", "underlying_timestamp"):
            # A Terminal's times are New York's, without a zone.
            local = pc.strftime(table[name], "%Y-%m-%dT%H:%M:%S")
            table = table.set_column(table.schema.get_field_index(name), name, local)
        lines = [str(encode_header(schema_of("first_order")), "utf-8").strip()]
        lines += [",".join(str(cell) for cell in row.values()) for row in table.to_pylist()]
        return Answer(("\r\n".join(lines) + "\r\n").encode())

    with scripted_server(scripted_terminal(answer)) as server:
        yield server


def test_each_planted_defect_is_found_at_its_row_and_nothing_else(
    terminal_with_defects: Scripted, tmp_path: Path
) -> None:
    out = greeks_here(tmp_path, *shlex.split(DOWNLOAD), "--terminal", terminal_with_defects.url)
    (summary,) = summaries(tmp_path)
    assert summary["findings"] == dict.fromkeys(WHERE, 1)
    assert "quality: " in out
    assert "duplicates 1" in out
    by_date = {one["expiration"]: one for one in summary["expirations"]}
    found = {
        finding["rule"]: [
            f"{example['key']['strike']:g} {example['key']['right']}"
            for example in finding["examples"]
        ]
        for finding in by_date["2024-03-15"]["quality"]["findings"]
    }
    assert found == {rule: [contract] for rule, contract in WHERE.items()}
    assert by_date["2024-03-18"]["quality"]["findings"] == []
    assert by_date["2024-03-18"]["quality"]["statistics"]["unsolved_iv"]["count"] > 0
    meta = tmp_path / "data" / "greeks.meta" / "files" / "2024-03-15" / "SPXW_20240315.csv.json"
    assert json.loads(meta.read_text())["quality"] == by_date["2024-03-15"]["quality"]
    # A run that skips the file reports its manifest entry.
    greeks_here(tmp_path, *shlex.split(DOWNLOAD), "--terminal", terminal_with_defects.url)
    skipped = summaries(tmp_path)[1]["expirations"][1]
    assert (skipped["status"], skipped["quality"]) == ("skipped", by_date["2024-03-15"]["quality"])
    # The same is found in the file.
    printed = json.loads(
        greeks_here(tmp_path, "check", "--json", "data/greeks", code=1).partition("\n--fail")[0]
    )
    assert {rule: printed["findings"][rule] for rule in WHERE} == summary["findings"]


def test_a_limit_keeps_one_file_back_and_the_run_goes_on(
    terminal_with_defects: Scripted, tmp_path: Path
) -> None:
    flags = ["--terminal", terminal_with_defects.url, "--fail_on", "zero_greeks>5%,holes>0.001%"]
    out = greeks_here(tmp_path, *shlex.split(DOWNLOAD), *flags, code=1)
    assert list(files_in(tmp_path / "data" / "greeks")) == ["2024-03-18/SPXW_20240318.csv"]
    assert ": --fail_on holes>0.001% is exceeded: 1 (0.016% of 6,2" in out
    (summary,) = summaries(tmp_path)
    (error,) = summary["errors"]
    assert error["error_type"] == "QualityTooLow"
    assert summary["expirations"][1]["quality"]["findings"]


@pytest.mark.parametrize("api", ["v3", "v2"])
@pytest.mark.parametrize("order", ["all", "eod"])
def test_a_clean_download_has_no_finding(tmp_path: Path, order: str, api: str) -> None:
    with TerminalServer(MARKET, api=api) as server:
        flags = ["--terminal", server.url, "--greeks", order, "--max_dte", "4"]
        flags += ["--start_date", "2024-07-02", "--end_date", "2024-07-05"]
        flags += [] if order == "eod" else ["--interval", "1h"]
        out = greeks_here(tmp_path, "download", "--symbol", "SPXW", *flags, "--fail_on", "any")
    assert "quality: no finding" in out
    (summary,) = summaries(tmp_path)
    assert summary["findings"] == {}
    assert "no finding in" in greeks_here(tmp_path, "check", "data/greeks")


@pytest.mark.parametrize(
    ("flag", "order", "shown"),
    # Rows show how they count time, be it by their fit alone; dividends they don't show.
    [
        ("--annual_dividend 70", "first_order", False),
        pytest.param("--greeks_version 1", "second_order", True, marks=pytest.mark.slow),
    ],
)
def test_how_the_greeks_were_computed_is_taken_from_the_manifest(
    terminal: TerminalServer, tmp_path: Path, flag: str, order: str, shown: bool
) -> None:
    greeks_here(
        tmp_path,
        *shlex.split(DOWNLOAD),
        *shlex.split(flag),
        "--greeks",
        order,
        "--terminal",
        terminal.url,
        "--max_dte",
        "20",
    )
    assert "no finding in" in greeks_here(tmp_path, "check", "data/greeks")
    (tmp_path / "data" / "greeks.meta").rename(tmp_path / "elsewhere")
    out = greeks_here(tmp_path, "check", "data/greeks", code=0 if shown else 1)
    assert ("Say so with --annual_dividend" in out) != shown
    assert "no finding in" in greeks_here(tmp_path, "check", *shlex.split(flag), "data/greeks")


def test_a_day_that_was_cut_off_is_missed_by_the_manifest(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    greeks_here(tmp_path, *shlex.split(DOWNLOAD), "--terminal", terminal.url, "--max_dte", "1")
    path = tmp_path / "data" / "greeks" / "2024-03-15" / "SPXW_20240315.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if "T16:00" not in line and "T15:30" not in line)
    )
    assert "holes: " in greeks_here(tmp_path, "check", str(path), code=1)

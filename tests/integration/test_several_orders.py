"""`--greeks a,b`: several orders of data in one run, each in a folder of its own."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.dataset as ds
import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import WITHOUT_COVERAGE, greeks_here, start, summaries
from tests.support.data import files_in
from tests.support.exposure import exposure_of
from transforms.orders import order_of

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--output", "out"]
SMALL = ["--expirations", "2024-03-15,2024-03-18", "--interval", "1h", "--derive", "vanna"]
ORDERS = ["first_order", "second_order", "eod", "trade_implied_volatility"]


def apart(folder: Path, *given: str, orders: list[str]) -> dict[str, bytes]:
    """The files of each order, downloaded by itself into the folder that a joint run makes."""
    files: dict[str, bytes] = {}
    for order in orders:
        own, declared = [*given], order_of(order)
        taken = {"--derive": "vanna" in declared.derivable, "--interval": declared.has_interval}
        for flag in (flag for flag, applies in taken.items() if not applies):
            del own[own.index(flag) : own.index(flag) + 2]
        own[own.index("out")] = f"alone/{order}"
        greeks_here(folder, *own, "--greeks", order)
        made = files_in(folder / "alone" / order)
        files |= {f"{order}/{name}": content for name, content in made.items()}
    return files


@pytest.mark.parametrize(
    ("api", "form", "layout"),
    [
        ("v3", "csv", "expiration"),
        pytest.param("v3", "parquet", "daily", marks=pytest.mark.slow),
        pytest.param("v2", "parquet", "expiration", marks=pytest.mark.slow),
        pytest.param("v2", "csv", "daily", marks=pytest.mark.slow),
    ],
)
def test_each_order_has_the_files_that_a_run_of_its_own_makes(
    market: Market, tmp_path: Path, api: str, form: str, layout: str
) -> None:
    orders = ORDERS[: 3 if api == "v2" else 4]
    with TerminalServer(market, api=api) as terminal:
        given = [*DOWNLOAD, *SMALL, "--end_date", "2024-03-15", "--terminal", terminal.url]
        given += ["--format", form, "--layout", layout, "--concurrency", "4"]
        printed = greeks_here(tmp_path, *given, "--greeks", ",".join(orders))
        each = 4 if layout == "daily" else 2
        assert f"2 expirations in {each * len(orders)} files of SPXW" in printed
        assert f"{each * len(orders)} files: {each * len(orders)} written" in printed
        made = files_in(tmp_path / "out")
        assert made == apart(tmp_path, *given, orders=orders)
        (summary, *_) = summaries(tmp_path)
        assert summary["total_expirations"] == len(summary["files_created"]) == len(made)
        assert {each["greeks"] for each in summary["expirations"]} == {*orders}
        # The rows of one order are a data set that any reader takes as it is.
        assert ds.dataset(tmp_path / f"out/{orders[0]}", format=form).count_rows() > 1000
        again = greeks_here(tmp_path, *given, "--greeks", ",".join(reversed(orders)))
        assert f"skipped: {len(made)} already there" in again
        more = greeks_here(tmp_path, *given, "--greeks", ",".join([*orders, "open_interest"]))
        assert f"{each} written, {len(made)} skipped" in more
    assert "all as it was written" in greeks_here(tmp_path, "verify", "--output", "out")
    checked = greeks_here(tmp_path, "check", "out")
    assert "no finding" in checked
    assert "duplicates" not in checked
    assert "open_interest  SPXW" in checked


def test_orders_of_one_run_that_have_the_files_of_before_know_them(
    market: Market, tmp_path: Path
) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, "--expirations", "2024-03-15", "--terminal", terminal.url]
        one = [*given, "--greeks", "eod"]
        refused = greeks_here(tmp_path, *one)
        refused = greeks_here(tmp_path, *given, "--greeks", "eod,quote", code=2)
        assert "out has files of one order of data, and this would put a folder for" in refused
        assert "--greeks eod,quote --terminal" in refused
        assert "--output out-eod-quote" in refused
        both = [*given, "--output", "both"]
        greeks_here(tmp_path, *both, "--greeks", "eod,quote", "--interval", "1h")
        refused = greeks_here(tmp_path, *both, "--greeks", "eod", code=2)
        assert "both has a folder for each order of data, and this would put files" in refused
        # What it suggests finds the file that is there, from the same source.
        named = "{greeks}/{expiration:%Y-%m-%d}/{symbol}_{expiration:%Y%m%d}"
        assert f"--file_name_pattern '{named}'" in refused
        again = greeks_here(tmp_path, *both, "--greeks", "eod", "--file_name_pattern", named)
        assert "skipped: 1 already there" in again


def test_a_part_of_a_folder_is_no_folder_of_its_own(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, "--expirations", "2024-03-15", "--terminal", terminal.url]
        greeks_here(tmp_path, *given, "--greeks", "eod,quote", "--interval", "1h")
        before = files_in(tmp_path)
        part = ["--output", "out/eod"]
        named = f"out/eod is a part of the output folder {tmp_path / 'out'}: name that one"
        for words in (["verify"], ["verify", "--fix"], ["query", "SELECT 1"], ["underlying"]):
            assert named in greeks_here(tmp_path, *words, *part, code=2), words
        for words in (given, ["plan", *given[1:]]):
            assert named in greeks_here(tmp_path, *words, *part, "--greeks", "eod", code=2)
        assert "no finding" in greeks_here(tmp_path, "check", "out/eod")
        greeks_here(tmp_path, "report", *part)
    made = {name for name in files_in(tmp_path) if "metrics" not in name} - {*before}
    assert made == {"out.meta/report.html"}


def test_a_failed_order_is_named_and_fetched_again_alone(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, "--expirations", "2024-03-15", "--terminal", terminal.url]
        given += ["--interval", "1h", "--greeks", "first_order,open_interest"]
        fails = ["--fail_on", "any>0"]
        printed = greeks_here(tmp_path, *given, *fails, "--end_time", "09:45:00")
        assert "2 files: 2 written" in printed
        entry = tmp_path / "out.meta/files/open_interest/2024-03-15/SPXW_20240315.csv.json"
        entry.write_text("{}")
        broken = greeks_here(tmp_path, *given, "--end_time", "09:45:00", code=2)
        assert "open_interest/2024-03-15" in broken
        entry.unlink()
        (tmp_path / "out/open_interest/2024-03-15/SPXW_20240315.csv").unlink()
        again = greeks_here(tmp_path, *given, "--end_time", "09:45:00")
        assert "2 files: 1 written, 1 skipped" in again


def test_views_of_several_orders_count_each_row_once(market: Market, tmp_path: Path) -> None:
    with TerminalServer(market) as terminal:
        given = [*DOWNLOAD, "--expirations", "2024-03-15", "--terminal", terminal.url]
        given += ["--interval", "1h", "--greeks"]
        found = []
        for folder, orders in (("one", "all"), ("several", "first_order,all,eod,open_interest")):
            greeks_here(tmp_path, *given, orders, "--output", folder)
            for view in ("greeks", "smiles", "straddles", "term_structure"):
                some = 'strike, "right", ny_time, bid, gamma' if view == "greeks" else "*"
                asked = f"SELECT {some} FROM {view} WHERE greeks = 'all' ORDER BY ALL"
                found.append(greeks_here(tmp_path, "query", asked, "--output", folder, "--json"))
        needs = greeks_here(
            tmp_path, "plan", *given[1:], "open_interest,second_order", "--output", "new"
        )
        assert "needs        Professional; with Standard, --greeks first_order --derive" in needs
        plan = greeks_here(tmp_path, "plan", *given[1:], "first_order,eod", "--output", "new")
        assert "first_order    SPXW" in plan
        assert "files        2: 2 new" in plan
        asked = "SELECT count(*) AS rows FROM greeks"
        rows = json.loads(greeks_here(tmp_path, "query", asked, "--output", "several", "--json"))
    assert found[:4] == found[4:]
    counted = sum(
        pl.scan_csv(f"{tmp_path}/several/{order}/").select(pl.len()).collect().item()
        for order in ("first_order", "all", "eod")
    )
    assert rows == [{"rows": counted}]
    report = greeks_here(tmp_path, "report", "--output", "several")
    assert "figures" in report
    page = (tmp_path / "several.meta/report.html").read_text()
    assert "eod, first_order, which the files have, too" in page


@pytest.mark.parametrize("gamma", ["second_order", "first_order --derive gamma"])
def test_gamma_exposure_is_one_download_and_one_query(
    market: Market, tmp_path: Path, gamma: str
) -> None:
    order, *derive = gamma.split()
    given = [*DOWNLOAD, "--expirations", "2024-03-15", "--interval", "30m", *derive]
    with TerminalServer(market) as terminal:
        orders = f"{order},open_interest"
        greeks_here(tmp_path, *given, "--greeks", orders, "--terminal", terminal.url)
    asked = (
        "SELECT strike, sum(per_percent) AS dollars FROM gamma_exposure "
        "WHERE ny_time = '2024-03-14 10:00' GROUP BY ALL"
    )
    found = json.loads(greeks_here(tmp_path, "query", asked, "--output", "out", "--json"))
    expected = exposure_of(date(2024, 3, 15), date(2024, 3, 14))
    assert {each["strike"]: each["dollars"] for each in found} == pytest.approx(expected)
    assert max(map(abs, expected.values())) > 1e6


@pytest.mark.alone
def test_three_orders_in_one_run_stay_under_200_mib(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    dates = ["--start_date", "2024-03-04", "--end_date", "2024-03-08", "--interval", "1m"]
    near = ["--expirations", "2024-03-14,2024-03-15,2024-03-18,2024-03-19"]
    flags = ["--terminal", terminal.url, "--format", "parquet", "--derive", "gamma"]
    several = ["--greeks", "first_order,open_interest,eod"]
    named = ["download", "--symbol", "SPXW", *dates, *near, *flags, *several]
    process = start(tmp_path, *named, **WITHOUT_COVERAGE)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    (summary,) = summaries(tmp_path)
    assert summary["total_records"] > 1_500_000
    assert summary["peak_memory_usage"] < 200

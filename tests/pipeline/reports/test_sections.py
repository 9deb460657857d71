import json
import shutil
import struct
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from pipeline.reports.axes import label
from pipeline.reports.build import build
from pipeline.reports.changes import changes_section
from pipeline.reports.check_section import check_section
from pipeline.reports.completeness_figures import missing_rows
from pipeline.reports.figure import Section
from pipeline.reports.interest_figures import interest_figures
from pipeline.reports.market_day import gather
from pipeline.reports.page import Report, html, write_pngs
from pipeline.reports.quality_section import FoundQuality, quality_section
from pipeline.reports.rows import NoRows
from pipeline.reports.run_section import run_section
from pipeline.reports.source import Source
from pipeline.simulator.server import TerminalServer
from tests.support.data import data_files
from tests.support.exposure import exposure_of, interest_of, pain_of
from tests.support.folder import DAY, NEXT_DAY, fill
from tests.support.oracle import Market
from tests.support.plant import again, place, plant, quality_of, without
from transforms.orders import schema_of

TEN = 36_000_000
WEEK = date(2024, 3, 22)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sections") / "greeks"
    with TerminalServer(Market()) as server:
        fill(made, server, (NEXT_DAY, WEEK), date(2024, 3, 13))
    return made


@pytest.fixture
def table(folder: Path) -> pa.Table:
    return parquet.ParquetFile(data_files(folder)[0]).read()


def result(expiration: str, **values: Any) -> dict[str, Any]:
    usual = {
        "symbol": "SPXW",
        "expiration": expiration,
        "status": "written",
        "rows": 100,
        "bytes": 1000,
        "started": "2024-03-14T21:00:01.500+00:00",
        "seconds": 2.0,
        "requests": 1,
        "waited": 0.0,
        "provisional": False,
        "path": None,
    }
    return usual | values


def run(**values: Any) -> dict[str, Any]:
    usual = {"run_id": "run-1", "status": "succeeded", "start_time": "2024-03-14T21:00:00+00:00"}
    return usual | values


def figure(section: Section, name: str) -> Any:
    (found,) = (each for each in section.figures if each.name == name)
    return found


@pytest.mark.parametrize("odd", [float("inf"), float("-inf"), float("nan")])
def test_no_number_is_too_odd_to_be_drawn(table: pa.Table, tmp_path: Path, odd: float) -> None:
    # Each column in a row of its own at the time of the figures, then all of two columns.
    numbers = [name for name in table.schema.names[5:] if pa.types.is_floating(table[name].type)]
    for n, name in enumerate(numbers):
        table = plant(table, place(table, 5100.0 + 5 * n, "C", "10:00", DAY), **{name: odd})
    (tmp_path / "odd").mkdir()
    parquet.write_table(table, path := tmp_path / "odd" / "a.parquet")
    assert "Independent check" in html(
        build(Source(None, str(path.parent), (str(path),)), "", DAY, TEN)
    )
    for name in ("implied_vol", "delta"):
        column = pa.array([odd] * len(table))
        table = table.set_column(table.schema.get_field_index(name), table.field(name), column)
    parquet.write_table(table, path)
    page = html(build(Source(None, str(path.parent), (str(path),)), "", DAY, TEN))
    assert "Independent check" in page


def test_throughput_is_the_rows_of_each_second_and_the_best_second_is_one_of_them() -> None:
    samples = {
        "seconds": [0.0, 0.5, 1.5, 1.5],
        "rows": [0, 1000, 5000, 5000],
        "bytes": [0, 1, 2, 2],
        "done": [0, 0, 1, 1],
        "in_flight": [4, 4, 3, 0],
        "memory": [100.0, 120.0, 130.0, 130.0],
    }
    section = run_section(run(samples=samples, expirations=[result("2024-03-15")]))
    # Of the first second 1,000 rows and half of 4,000; then half a second; a step ends the last.
    assert figure(section, "throughput").rows == [
        {"s": 0.0, "v": 3000},
        {"s": 1.0, "v": 4000},
        {"s": 1.5, "v": 4000},
    ]
    assert [row["v"] for row in figure(section, "memory").rows] == samples["memory"]
    assert [row["v"] for row in figure(section, "in-flight").rows] == samples["in_flight"]
    best: dict[str, Any] = {"peak_throughput": 3900, "peak_time": "2024-03-14T21:00:00.500+00:00"}
    drawn = figure(run_section(run(samples=samples, **best)), "throughput")
    assert drawn.rows == [{"s": 0.0, "v": 2000}, {"s": 0.5, "v": 3900}, {"s": 1.5, "v": 3900}]
    assert drawn.caption == "The best second, 3,900 rows, began 0.5 s after the run."
    # The results have every row, samples those of the moments at which they were taken.
    best["peak_throughput"] = 4500
    drawn = figure(run_section(run(samples=samples, **best)), "throughput")
    assert drawn.rows == [{"s": 0.0, "v": 2000}, {"s": 0.5, "v": 4500}, {"s": 1.5, "v": 4500}]
    without_samples = run_section(run(expirations=[result("2024-03-15")]))
    assert "no samples over time" in figure(without_samples, "throughput").absent


def test_what_a_run_has_no_rows_of_is_named_beside_none_missing(folder: Path) -> None:
    expirations = [result("2024-03-15"), result("2024-03-20", status="failed", rows=0)]
    record = run(expirations=expirations, failed_expirations=1, total_expirations=2)
    files = tuple(data_files(folder))
    report = build(Source(record, str(folder), files), "", DAY, TEN)
    assert "none missing in 2 expirations of the files" in report.lead
    assert any("(failed): SPXW 2024-03-20." in note for note in report.notes)


def test_a_trade_date_without_rows_is_refused_with_those_that_have_some(folder: Path) -> None:
    source = Source(None, str(folder), tuple(data_files(folder)))
    for day in (date(2024, 3, 12), date(2024, 3, 16), date(2025, 1, 2)):
        with pytest.raises(NoRows, match=f"on {day}; they have rows of 2024-03-13, 2024-03-14$"):
            build(source, "", day, None)


def test_the_last_trade_date_that_has_rows_is_drawn(folder: Path, tmp_path: Path) -> None:
    # The manifest has the dates that were asked for, of which the last may have no row.
    entry = next((folder.with_name("greeks.meta") / "files").rglob("*.json"))
    document = json.loads(entry.read_text())
    document["request"]["last_trade_date"] = "2024-03-15"
    shutil.copytree(folder.parent, tmp_path / "copy")
    (tmp_path / "copy" / entry.relative_to(folder.parent)).write_text(json.dumps(document))
    copied = tmp_path / "copy" / folder.name
    report = build(Source(None, str(copied), tuple(data_files(copied))), "", None, None)
    assert report.title.endswith("14 March 2024")


def test_a_bar_of_the_chart_is_when_an_expiration_was_under_way() -> None:
    expirations = [
        result("2024-03-15"),
        result("2024-03-18", started="2024-03-14T17:00:00.250-04:00", waited=1.25, requests=3),
        result("2024-03-19", status="failed", rows=0, waited=0.5),
        result("2024-03-20", status="skipped", started=None, seconds=0.0),
    ]
    section = run_section(run(expirations=expirations))
    bars = {row["e"]: (row["a"], row["b"]) for row in figure(section, "gantt").rows}
    assert bars == {
        "SPXW 2024-03-15": (1.5, 3.5),
        "SPXW 2024-03-18": (0.25, 2.25),
        "SPXW 2024-03-19": (1.5, 3.5),
    }
    waits = [(row["e"], row["v"]) for row in figure(section, "retries").rows]
    assert waits == [("SPXW 2024-03-18", 1.25), ("SPXW 2024-03-19", 0.5)]
    assert "2 of 4 expirations, 1.8 s in all" in figure(section, "retries").caption
    assert len(figure(section, "rows").rows) == 4


def test_findings_come_with_counts_shares_and_examples(table: pa.Table, tmp_path: Path) -> None:
    row = place_on(table, 5150, "C", "11:00")
    bad = plant(table, row, delta=1.7)
    bad = without(again(bad, place_on(bad, 5150, "P", "12:00")), place_on(bad, 5100, "P", "13:00"))
    quality = quality_of(bad).describe()
    source = Source(run(expirations=[result("2024-03-15", quality=quality)]), str(tmp_path), ())
    found = FoundQuality.of(source)
    section = quality_section(found)
    findings, examples = section.tables
    assert {name: count for name, count, *_ in findings.rows} == {
        "delta_bounds": "1",
        "duplicates": "1",
        "holes": "1",
    }
    assert found.total == 3
    (shown,) = (each for each in examples.rows if each[0] == "delta_bounds")
    assert shown[1] == "SPXW 2024-03-15 5150 C"
    assert shown[2] == "2024-03-14 11:00:00"
    assert "delta 1.7" in shown[3]
    counts = {row["name"]: row["n"] for row in figure(section, "quality-counts").rows}
    assert counts["row twice"] == counts["row missing"] == 1
    assert counts["implied volatility 0: not solved"] > 100


def test_files_without_a_manifest_are_checked_by_the_report(
    table: pa.Table, tmp_path: Path
) -> None:
    row = place_on(table, 5150, "C", "11:00")
    (tmp_path / "theirs").mkdir()
    parquet.write_table(plant(table, row, delta=1.7), path := tmp_path / "theirs" / "a.parquet")
    source = Source(None, str(path.parent), (str(path),))
    report = build(source, "", DAY, TEN)
    assert "The checks found 1 row." in report.lead
    (section,) = (each for each in report.sections if each.name == "quality")
    assert dict(section.facts)["checked by this report"] == "1 file of no download"
    assert [row[:2] for row in section.tables[0].rows] == [("delta_bounds", "1")]
    assert section.tables[1].rows[0][1] == "SPXW 2024-03-15 5150 C"


def place_on(table: pa.Table, strike: float, right: str, clock: str) -> int:
    """Returns a row of the second trade date: the first has as many rows before it."""
    half = next(n for n, stamp in enumerate(table["timestamp"].to_pylist()) if stamp.date() == DAY)
    return half + place(table.slice(half), strike, right, clock)


def test_a_recomputation_agrees_with_good_rows_and_names_the_greek_that_is_off(
    table: pa.Table, tmp_path: Path
) -> None:
    def facts(rows: pa.Table) -> dict[str, str]:
        parquet.write_table(rows, path := tmp_path / "rows.parquet")
        section = check_section(gather([str(path)], "SPXW", DAY, TEN), 0.0, "latest")
        assert {row["g"] for row in figure(section, "errors").rows} >= {"implied_vol", "vega"}
        return dict(section.facts)

    good = facts(table)
    assert good["beyond what the digits allow"] == "no row"
    assert good["rate that the rows imply"] == "5.31% a year"
    wrong = facts(plant(table, place_on(table, 5150, "C", "10:00"), vega=1.0))
    assert wrong["beyond what the digits allow"] == "vega (1 row)"


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, pattern = tmp_path_factory.mktemp("held") / "greeks", "{greeks}/{symbol}_{expiration}"
    with TerminalServer(Market()) as server:
        for order in ("second_order", "open_interest"):
            fill(made, server, (NEXT_DAY, WEEK), greeks=order, pattern=pattern)
        fill(made / "later", server, (WEEK,), NEXT_DAY, NEXT_DAY, greeks="open_interest")
    return made


def test_open_interest_gamma_exposure_and_max_pain_are_those_of_an_independent_computation(
    held: Path,
) -> None:
    day = gather(list(map(str, data_files(held))), "SPXW", DAY, TEN)
    interest, exposure, pain = interest_figures(day)
    contracts = [interest_of(expiration, DAY) for expiration in (NEXT_DAY, WEEK)]
    drawn = {(row["k"], row["right"][0].upper()): row["v"] for row in interest.rows}
    for strike, right in ((5150.0, "C"), (5150.0, "P"), (5200.0, "C")):
        sign = 1 if right == "C" else -1
        assert drawn[strike, right] == sign * sum(each[strike, right] for each in contracts)
    assert f"{sum(sum(each.values()) for each in contracts):,} in" in interest.caption
    ours = [exposure_of(expiration, DAY) for expiration in (NEXT_DAY, WEEK)]
    for strike in (5100.0, 5150.0, 5200.0):
        found = sum(row["v"] for row in exposure.rows if row["k"] == strike)
        assert found == pytest.approx(sum(each[strike] for each in ours) / 1e6, rel=1e-4)
    assert f"{sum(sum(each.values()) for each in ours) / 1e6:,.0f} million USD" in exposure.caption
    for expiration in (NEXT_DAY, WEEK):
        strike, paid = pain_of(expiration, DAY)
        assert f": {strike:,g}" in pain.caption
        assert min(
            row["v"] for row in pain.rows if row["e"] == label(expiration, DAY)
        ) == pytest.approx(paid / 1e6)


def test_open_interest_is_no_row_of_the_completeness(held: Path) -> None:
    day = gather(list(map(str, data_files(held))), "SPXW", DAY, TEN)
    there, expected = missing_rows(day)
    assert there == expected > 0


def test_a_trade_date_with_open_interest_alone_has_its_figures(held: Path) -> None:
    for paths in (data_files(held), data_files(held / "later")):
        day = gather(list(map(str, paths)), "SPXW", NEXT_DAY, None)
        interest, exposure, pain = interest_figures(day)
        assert interest.rows
        assert pain.rows
        assert exposure.absent
    report = build(Source(None, str(held), tuple(map(str, data_files(held)))), "", NEXT_DAY, None)
    assert "Open interest by strike on 2024-03-15" in html(report)


def test_what_was_listed_and_where_volatility_went_since_the_day_before(
    folder: Path, table: pa.Table, tmp_path: Path
) -> None:
    day = gather(data_files(folder), "SPXW", DAY, TEN)
    section = changes_section(day)
    assert dict(section.facts)["compared"] == "2024-03-14 with 2024-03-13, both at 10:00 New York"
    (each,) = section.tables
    assert [row[0] for row in each.rows] == ["2024-03-15", "2024-03-22"]
    change, then, now = each.rows[0][1:4]
    gained = float(now.rstrip("%")) - float(then.rstrip("%"))
    assert float(change.split()[0]) == pytest.approx(gained, abs=0.011)
    days = {row["day"] for row in figure(section, "changes-figure").rows}
    assert days == {"2024-03-13", "2024-03-14"}

    # A contract without a row on the first date was listed since.
    first = place(table.slice(0, len(table) // 2), 5150, "C", "10:00")
    parquet.write_table(without(table, first, first - 1), path := tmp_path / "listed.parquet")
    listed = changes_section(gather([str(path)], "SPXW", DAY, TEN)).tables[0].rows
    assert [row[4:] for row in listed] == [("1", "0")]


def test_what_a_summary_says_can_not_become_markup() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    record = run(
        status="failed",
        errors=[{"expiration": evil, "error_type": "E", "message": evil}],
        expirations=[result("2024-03-15", symbol=evil)],
    )
    text = html(Report(evil, evil, [evil], [run_section(record)], ""))
    assert evil not in text
    assert "&lt;/script&gt;&lt;img" in text
    assert "\\u003c/script>" in text


def test_a_picture_has_its_caption_and_what_a_reader_must_know_in_lines_that_fit(
    tmp_path: Path,
) -> None:
    def size(folder: str, caption: str, *notes: str) -> tuple[int, int]:
        shown = replace(plain, caption=caption)
        report = Report("Greeks", "", notes, [Section("run", "The run", figures=[shown])], "")
        (path,) = write_pngs(report, tmp_path / folder)
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        return width, height

    plain = figure(run_section(run(expirations=[result("2024-03-15")])), "rows")
    width, height = size("plain", "")
    line = size("captioned", "How to read it.")[1] - height
    assert line > 20
    assert size("noted", "", *["Simulated data."] * 10) == (width, height + line)
    assert size("long", "How to read it, at length. " * 10) == (width, height + 3 * line)


def test_rows_of_the_older_formulas_are_no_finding_and_every_greek_is_compared(
    tmp_path: Path,
) -> None:
    table = Market().rows("SPXW", date(2024, 3, 22), DAY, "30m", "all").cast(schema_of("all"))

    def section_of(rows: pa.Table) -> Section:
        parquet.write_table(rows, path := tmp_path / "rows.parquet")
        return check_section(gather([str(path)], "SPXW", DAY, TEN), 0.0, "latest")

    good = section_of(table)
    drawn = {row["g"] for row in figure(good, "errors").rows}
    assert drawn >= {"vera", "d1", "d2", "dual_gamma", "dual_delta"}
    assert "by formulas from before late 2025" not in dict(good.facts)
    zero = pa.array([0.0] * table.num_rows)
    older = table
    for name in ("vera", "speed", "zomma", "dual_gamma"):
        older = older.set_column(older.column_names.index(name), name, zero)
    facts = dict(section_of(older).facts)
    assert "vera" in facts["by formulas from before late 2025"]
    assert facts["beyond what the digits allow"] == "no row"
    one = section_of(plant(table, place(table, 5150, "C", "10:00"), d1=9.0))
    assert dict(one.facts)["beyond what the digits allow"] == "d1 (1 row)"


def test_a_run_that_fetched_nothing_is_not_called_an_older_versions() -> None:
    skipped = result("2024-03-15", status="skipped", started=None, seconds=0.0)
    section = run_section(run(expirations=[skipped]))
    absent = {each.name: each.absent for each in section.figures}
    assert absent["gantt"] == "No expiration was under way: none was fetched."
    assert absent["seconds"] == "No expiration took any time: none was fetched."
    older = run_section(run(expirations=[result("2024-03-15", started=None)]))
    assert "older version" in next(e.absent for e in older.figures if e.name == "gantt")

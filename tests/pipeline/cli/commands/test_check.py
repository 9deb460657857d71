"""`greeks check` as a user runs it: on files of any format, and of any tool."""

import json
import re
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli.main import main
from tests.support.command import greeks
from tests.support.oracle import Market
from tests.support.plant import DAY, EXPIRATION, place, plant, without
from tests.support.published import PUBLISHED, RATES
from transforms.orders import schema_of
from transforms.pricing import midpoint
from transforms.sinks.csv_rows import RowEncoder
from transforms.sinks.csv_text import encode_header

MARKET = Market()
TABLE = MARKET.rows("SPXW", EXPIRATION, DAY, "30m").cast(schema_of("first_order"))
ROW = place(TABLE, 5150.0, "C", "11:00")
BAD = without(plant(TABLE, ROW, delta=1.5), ROW + 40)


def csv_of(table: pa.Table) -> bytes:
    return bytes(encode_header(table.schema)) + bytes(RowEncoder().encode(table))


def save(folder: Path, name: str, table: pa.Table) -> str:
    path = folder / name
    if name.endswith(".parquet"):
        pq.write_table(table, path)
    else:
        compression = {"gz": "gzip", "zst": "zstd"}.get(name.rpartition(".")[2])
        with pa.output_stream(path, compression=compression) as stream:
            stream.write(csv_of(table))
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, object]:
    assert main(["check", "--json", *arguments]) == code
    printed: dict[str, object] = json.loads(capsys.readouterr().out)
    return printed


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.parquet"])
def test_every_format_is_read_and_judged_alike(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    printed = answer(capsys, save(tmp_path, name, BAD), code=1)
    assert printed["findings"] == {"delta_bounds": 1, "holes": 1, "recomputed_greeks": 1}
    assert printed["rows"] == BAD.num_rows


def test_a_clean_file_exits_0_and_shows_its_statistics(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", save(tmp_path, "a.csv", TABLE)]) == 0
    printed = capsys.readouterr().out
    assert f"no finding in {TABLE.num_rows:,} rows" in printed
    assert "computed with 5.310% ± 0.002%" in printed
    assert "calls and puts imply a rate of" in printed
    assert "no cell of moneyness and days stands out of 35; --json has them all" in printed


def test_findings_are_shown_with_their_rows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", save(tmp_path, "a.csv", BAD)]) == 1
    out, err = capsys.readouterr()
    assert "delta_bounds: 1 of 6,271 rows: a call's delta outside 0 to 1" in out
    assert "    SPXW 2024-03-15 5150 C 2024-03-14T11:00:00.000-04:00  delta 1.5, implied_vol" in out
    assert "any>0 is exceeded: 3" in err


def test_without_a_file_the_folder_of_a_download_is_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "greeks").mkdir(parents=True)
    save(tmp_path / "data" / "greeks", "a.parquet", TABLE)
    monkeypatch.chdir(tmp_path)
    printed = answer(capsys)
    assert printed["expirations"][0]["files"] == ["data/greeks/a.parquet"]  # type: ignore[index]  # -- JSON of an unknown shape


def test_progress_is_shown_as_a_downloads_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("a.parquet", "b.csv"):
        save(tmp_path, name, TABLE)
    shown = ("--progress", "plain", "--progress_seconds", "0.000001")
    assert main(["check", str(tmp_path), *shown]) == 1  # each row is there twice
    lines = [line for line in capsys.readouterr().err.splitlines() if " files (" in line]
    assert re.match(r"0:00 0/2 files \(0%\), [\d,]+ rows, [\d,]+ rows/s", lines[0])
    assert re.search(r" 2/2 files \(100%\), 12,\d+ rows, .* MiB, ETA 0:00$", lines[-1])
    assert main(["check", str(tmp_path), "--progress", "none"]) == 1
    assert " files (" not in capsys.readouterr().err


def test_the_worst_rows_of_all_expirations_are_shown_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    near, later = TABLE, MARKET.rows("SPXW", date(2024, 3, 18), DAY, "30m").cast(TABLE.schema)
    for n in range(6):
        near = plant(near, ROW + n, delta=1.1)
    later = plant(later, place(later, 5150.0, "C", "11:00"), delta=9.0)
    save(tmp_path, "a.csv", near)
    save(tmp_path, "b.csv", later)
    assert main(["check", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("delta_bounds: 7 of "))
    assert lines[at + 1].startswith("    SPXW 2024-03-18 5150 C")
    assert "delta 9" in lines[at + 1]
    assert [line.split()[1] for line in lines[at + 2 : at + 6]] == ["2024-03-15"] * 4
    assert not lines[at + 6].startswith("    ")


def test_errors_are_reported_by_moneyness_and_days_to_expiration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    later = MARKET.rows("SPXW", date(2024, 3, 22), DAY, "30m").cast(schema_of("first_order"))
    paths = [save(tmp_path, "a.csv", BAD), save(tmp_path, "b.csv", later)]
    assert main(["check", *paths]) == 1
    lines = capsys.readouterr().out.splitlines()
    # The first of the cells that stand out is the wrong one; the others are in the JSON.
    at = next(n for n, line in enumerate(lines) if line.startswith("where they are wrong"))
    shown, of = (int(word) for word in lines[at].split() if word.isdigit())
    assert shown < of / 2
    assert lines[at + 2].split()[:6] == ["delta", "within", "2%", "1", "to", "6"]
    assert lines[at + 2].split()[-1] == "1"
    cells = answer(capsys, *paths, code=1)["recomputation"]["cells"]  # type: ignore[index]  # -- JSON of an unknown shape
    (near,) = (
        cell
        for cell in cells
        if (cell["name"], cell["moneyness"], cell["days"]) == ("delta", "within 2%", "7 to 30")
    )
    assert near["rows"] > near["wrong"] == 0
    assert not any(line.split()[:4] == ["delta", "within", "2%", "7"] for line in lines)


def test_one_time_of_day_makes_no_parity_look_sure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = MARKET.rows("SPXW", date(2024, 4, 19), DAY, "5m", "eod").cast(schema_of("eod"))
    assert main(["check", save(tmp_path, "a.parquet", table)]) == 0
    (line,) = (each for each in capsys.readouterr().out.splitlines() if each.startswith("parity"))
    assert line.endswith("at 1 time of day only")
    assert "±" not in line


def test_tolerated_findings_exit_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", BAD)
    assert main(["check", "--fail_on", "holes>0.1%,delta_bounds>1,recomputed_iv", path]) == 0
    assert main(["check", "--fail_on", "holes>0.01%", path]) == 1


def test_a_folder_is_read_whole_and_what_is_no_data_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    save(tmp_path, "b/1.parquet", TABLE)
    save(tmp_path, "2.csv", MARKET.rows("SPXW", date(2024, 3, 18), DAY, "30m"))
    (tmp_path / "notes.txt").write_text("no data")
    printed = answer(capsys, str(tmp_path))
    assert [one["expiration"] for one in printed["expirations"]] == ["2024-03-15", "2024-03-18"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("tool", ["pandas", "polars", "naive", "duckdb", "float32"])
def test_files_of_other_tools_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tool: str
) -> None:
    path = tmp_path / "theirs.parquet"
    if tool == "pandas":
        frame = TABLE.to_pandas()
        frame["right"] = frame["right"].map({"C": "call", "P": "put"}).astype("category")
        frame["strike"] = frame["strike"].astype(int)
        frame.sample(frac=1, random_state=1).sort_values(["timestamp", "strike"]).to_parquet(path)
    elif tool == "polars":
        path = tmp_path / "theirs.csv"
        frame_ = pl.DataFrame(pl.from_arrow(TABLE))
        frame_.with_columns(pl.col("expiration").dt.strftime("%Y%m%d")).write_csv(path)
    elif tool == "duckdb":
        path = tmp_path / "theirs.csv"
        text = csv_of(TABLE).decode().replace("T", " ").replace(".000-04:00", "-04")
        path.write_text(text)
    elif tool == "float32":
        names = [field.name for field in TABLE.schema if field.type == pa.float64()]
        frame = TABLE.to_pandas()
        frame[names] = frame[names].astype("float32")
        frame.to_parquet(path)
    else:
        frame = TABLE.to_pandas().drop(columns="symbol")
        for name in ("timestamp", "underlying_timestamp"):
            frame[name] = frame[name].dt.tz_localize(None)
        frame["expiration"] = pd.to_datetime(frame["expiration"])
        frame.to_parquet(path)
    printed = answer(capsys, str(path))
    assert printed["findings"] == {}
    (rate,) = printed["recomputation"]["rates"]  # type: ignore[index]  # -- JSON of an unknown shape
    assert rate["rate"] == 0.0531


def test_times_with_and_without_an_offset_are_refused_together(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_of(TABLE).replace(b"T10:00:00.000-04:00", b"T10:00:00.000"))
    assert main(["check", str(path)]) == 2
    assert "some times have an offset from UTC" in capsys.readouterr().err


@pytest.mark.parametrize("order", ["first_order", "all", "implied_volatility", "eod"])
def test_the_terminals_own_words_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, order: str
) -> None:
    path = tmp_path / "raw.csv"
    path.write_text(PUBLISHED["v3", order].replace("\n", "\r\n"))
    printed = answer(capsys, "--greeks_version", "1", "--rate", "0.0482", str(path))
    assert printed["findings"] == {}
    errors = {line["name"]: line["max"] for line in printed["recomputation"]["errors"]}  # type: ignore[index]  # -- JSON of an unknown shape
    assert errors["implied_vol"] <= 1e-4


@pytest.mark.parametrize("example", PUBLISHED, ids=" ".join)
def test_thetadatas_own_rows_have_no_finding_whatever_is_not_known_of_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, example: tuple[str, str]
) -> None:
    # Of less than a week, they count whole days, as v3 did then.
    path = tmp_path / "raw.csv"
    path.write_text(PUBLISHED[example])
    printed = answer(capsys, str(path))
    assert printed["findings"] == {}
    for line in printed["recomputation"]["rates"]:  # type: ignore[index]  # -- JSON of an unknown shape
        assert abs(line["rate"] - RATES[example[0]]) <= max(2 * line["doubt"], 1e-4)
    if example[0] == "v3":
        # A wrong guess implies a rate that nobody ever paid.
        assert answer(capsys, "--greeks_version", "latest", str(path))["findings"] == {}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"a,b\n1,2\n", "has no column expiration, strike, right, timestamp"),
        ("a.csv", csv_of(TABLE).replace(b",C,", b",X,", 1), "neither a call nor a put"),
        ("a.csv", csv_of(TABLE).replace(b"-04:00,0,0,", b"-04:00,x0,0,", 1), "x0"),
        ("a.parquet", b"PAR1 is not enough", "a.parquet"),
        ("a.csv.gz", b"not compressed", "a.csv.gz"),
        ("a.csv", csv_of(TABLE.slice(0, 0)), "no rows"),
        ("a.xlsx", b"", "does not end in .csv"),
    ],
)
def test_what_can_not_be_read_exits_2_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["check", str(tmp_path / name)]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_one_file_that_can_not_be_read_is_named_and_the_others_are_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not enough")
    save(tmp_path, "b.csv", TABLE)
    assert main(["check", "--fail_on", "holes>1", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert f"no finding in {TABLE.num_rows:,} rows" in out
    assert f"error: can't be read: {tmp_path / 'a.parquet'}: " in out
    assert f"can't be read: {tmp_path / 'a.parquet'}: " in err
    printed = answer(capsys, str(tmp_path), code=2)
    assert printed["rows"] == TABLE.num_rows
    unreadable = printed["unreadable"]
    assert isinstance(unreadable, list)
    bad = str(tmp_path / "a.parquet")
    assert [(one["file"], one["severity"]) for one in unreadable] == [(bad, "error")]


def test_a_file_that_is_not_there_and_an_empty_folder_exit_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", str(tmp_path / "nothing.csv")]) == 2
    assert "nothing.csv is not there" in capsys.readouterr().err
    assert main(["check", str(tmp_path)]) == 2
    assert "has no file that ends in" in capsys.readouterr().err


def test_an_unknown_rule_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--fail_on", "zero>1", "a.csv"])
    assert stopped.value.code == 2
    assert "--fail_on: 'zero' is not a rule: they are" in capsys.readouterr().err


def test_the_machines_time_zone_changes_nothing(tmp_path: Path) -> None:
    save(tmp_path, "a.csv", BAD)
    answers = {
        greeks(tmp_path, "check", "--json", "a.csv", code=1, TZ=zone)
        for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles")
    }
    assert len(answers) == 1


def trades() -> pa.Table:
    """Returns rows as `trade_greeks` has them: a price and no quote, two in a millisecond."""
    cents = pa.array(midpoint(TABLE["bid"].to_numpy(), TABLE["ask"].to_numpy()))
    table = TABLE.drop_columns(["bid", "ask"]).append_column("price", cents)
    return pa.concat_tables([table, table])


def test_trades_are_recomputed_from_their_price(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = trades()
    assert main(["check", save(tmp_path, "a.csv", table)]) == 0
    out = capsys.readouterr().out
    assert "implied_vol" in out
    assert "nothing was recomputed" not in out
    row = place(TABLE, 5150.0, "C", "11:00")
    wrong = plant(table, row, price=table["price"][row].as_py() + 1)
    assert main(["check", save(tmp_path, "b.csv", wrong)]) == 1
    assert "recomputed_iv: 1 of" in capsys.readouterr().out


@pytest.mark.parametrize("lacking", ["underlying_price", "implied_vol"])
def test_a_file_of_which_nothing_can_be_recomputed_says_so_and_why(
    lacking: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", save(tmp_path, "a.csv", TABLE.drop_columns([lacking]))]) == 0
    out = capsys.readouterr().out
    assert f"nothing was recomputed: the rows have no {lacking}" in out


def test_rows_that_imply_no_rate_are_not_recomputed_and_that_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place_of = TABLE.schema.get_field_index("implied_vol")
    unsolved = pa.array([0.0] * TABLE.num_rows)
    main(["check", save(tmp_path, "a.csv", TABLE.set_column(place_of, "implied_vol", unsolved))])
    assert "nothing was recomputed: no row has both" in capsys.readouterr().out


def test_the_exercise_that_is_assumed_of_a_root_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for root, said in (("SPXW", None), ("OEX", "American"), ("AAPL", "taken to be American")):
        table = TABLE.set_column(0, "symbol", pa.array([root] * TABLE.num_rows))
        main(["check", save(tmp_path, f"{root}.csv", table)])
        out = capsys.readouterr().out
        assert (f"{root}: exercise is {said}. " in out) if said else ("exercise" not in out)

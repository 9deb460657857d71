"""`greeks diff`: what differs between two downloads, and nothing else."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cli.main import main
from pipeline.inspection import compare
from pipeline.inspection.difference import MOST_KEPT, Moved
from tests.pipeline.cli.commands.test_check import save
from tests.support.oracle import Market
from tests.support.plant import DAY, EXPIRATION, again, place, plant, swapped, without
from transforms.orders import schema_of

MARKET = Market()
TABLE = pa.concat_tables(
    [MARKET.rows("SPXW", EXPIRATION, day, "1h") for day in (date(2024, 3, 13), DAY)]
).cast(schema_of("first_order"))
ROW = TABLE.num_rows - 1000
KEY = {
    "symbol": "SPXW",
    "expiration": "2024-03-15",
    "strike": TABLE["strike"][ROW].as_py(),
    "right": TABLE["right"][ROW].as_py(),
    "timestamp": TABLE["timestamp"][ROW].as_py().isoformat(timespec="milliseconds"),
}


def difference(folder: Path, a: pa.Table, b: pa.Table, tolerance: float = 0.0) -> dict[str, Any]:
    one, two = save(folder, "a.parquet", a), save(folder, "b.csv", b)
    return compare(one, two, tolerance).describe()


def test_the_same_rows_are_the_same_in_any_format_and_order(tmp_path: Path) -> None:
    described = difference(tmp_path, TABLE, TABLE)
    assert described["same"]
    assert described["same_rows"] == TABLE.num_rows
    by_time = TABLE.take(np.lexsort((TABLE["strike"].to_numpy(), TABLE["timestamp"].to_numpy())))
    mixed = TABLE.take(np.random.default_rng(0).permutation(TABLE.num_rows))
    for other in (swapped(TABLE, ROW), by_time, mixed):
        described = difference(tmp_path, TABLE, other)
        assert described["same"]
        assert described["same_rows"] == TABLE.num_rows


def test_a_row_that_moved_is_told_by_column_and_by_how_much(tmp_path: Path) -> None:
    delta = TABLE["delta"][ROW].as_py()
    moved = plant(TABLE, ROW, delta=delta + 0.25, vega=None)
    described = difference(
        tmp_path, TABLE, plant(moved, ROW + 5, delta=TABLE["delta"][ROW + 5].as_py() - 0.1)
    )
    assert (described["moved_rows"], described["same_rows"]) == (2, TABLE.num_rows - 2)
    assert set(described["columns"]) == {"delta", "vega"}
    column = described["columns"]["delta"]
    assert column["rows"] == 2
    assert column["max"] == pytest.approx(0.25)
    assert column["median"] == pytest.approx(0.175)
    assert column["worst"] == {"key": KEY, "a": delta, "b": pytest.approx(delta + 0.25)}


def test_rows_of_one_side_are_told_with_their_keys(tmp_path: Path) -> None:
    described = difference(tmp_path, TABLE, without(TABLE, ROW))
    assert described["only_in_a"]["rows"] == 1
    assert described["only_in_a"]["examples"] == [KEY]
    assert described["only_in_b"]["rows"] == described["moved_rows"] == 0
    described = difference(tmp_path, without(TABLE, ROW), TABLE)
    assert described["only_in_b"]["examples"] == [KEY]
    # A row twice is one row more.
    described = difference(tmp_path, TABLE, again(TABLE, ROW))
    assert (described["only_in_a"]["rows"], described["only_in_b"]["rows"]) == (0, 1)


def test_a_trade_date_of_one_side_is_told(tmp_path: Path) -> None:
    rows = MARKET.rows("SPXW", EXPIRATION, DAY, "1h").num_rows
    described = difference(tmp_path, TABLE, TABLE.slice(0, TABLE.num_rows - rows))
    assert described["only_in_a"]["rows"] == rows
    assert described["same_rows"] == TABLE.num_rows - rows


def test_an_infinite_number_is_an_infinite_change(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    odd = plant(TABLE, ROW, delta=float("inf"))
    described = difference(tmp_path, TABLE, odd)
    assert described["columns"]["delta"]["max"] is None
    json.dumps(described, allow_nan=False)
    assert difference(tmp_path, odd, odd)["same"]
    one, two = save(tmp_path, "a.parquet", TABLE), save(tmp_path, "b.parquet", odd)
    assert main(["diff", one, two]) == 1
    assert "         inf         inf  SPXW" in capsys.readouterr().out


def test_a_tolerance_is_borne(tmp_path: Path) -> None:
    moved = plant(TABLE, ROW, delta=TABLE["delta"][ROW].as_py() + 0.00009)
    assert difference(tmp_path, TABLE, moved, 0.0001)["same"]
    assert not difference(tmp_path, TABLE, moved)["same"]


def test_a_column_of_one_side_is_told(tmp_path: Path) -> None:
    described = difference(tmp_path, TABLE, TABLE.drop_columns(["epsilon"]))
    assert not described["same"]
    assert described["only_in_a"]["columns"] == ["epsilon"]
    assert described["moved_rows"] == 0


def test_a_price_of_another_time_is_told_without_a_size(tmp_path: Path) -> None:
    other = TABLE["timestamp"][ROW + 1].as_py()
    described = difference(tmp_path, TABLE, plant(TABLE, ROW, underlying_timestamp=other))
    assert set(described["columns"]["underlying_timestamp"]) == {"rows", "worst"}


def test_folders_are_compared_file_by_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for side, suffix in (("a", ".csv"), ("b", ".parquet")):
        (tmp_path / side / "x").mkdir(parents=True)
        save(tmp_path / side, f"x/1{suffix}", TABLE)
    one, two = str(tmp_path / "a"), str(tmp_path / "b")
    assert main(["diff", one, two]) == 0
    assert f"the same {TABLE.num_rows:,} rows" in capsys.readouterr().out
    save(tmp_path / "b", "2.csv", TABLE)
    assert main(["diff", one, two]) == 1
    out = capsys.readouterr().out
    assert "files only in B: 2" in out
    assert f"{TABLE.num_rows:,} only in B" in out
    assert main(["diff", "--json", one, two]) == 1
    assert json.loads(capsys.readouterr().out)["only_in_b"]["files"] == ["2"]


def test_the_files_of_trade_dates_are_compared_with_those_of_expirations(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    half = TABLE.num_rows // 2
    days = {"2024-03-13": TABLE.slice(0, half), "2024-03-14": TABLE.slice(half)}
    for folder in ("a/2024-03-15", *(f"b/trade_date={day}" for day in days)):
        (tmp_path / folder).mkdir(parents=True)
    save(tmp_path, "a/2024-03-15/SPXW_20240315.csv", TABLE)
    for day, rows in days.items():
        save(tmp_path, f"b/trade_date={day}/SPXW_20240315.parquet", rows)
    one, two = str(tmp_path / "a"), str(tmp_path / "b")
    assert main(["diff", one, two]) == 0
    assert f"the same {TABLE.num_rows:,} rows" in capsys.readouterr().out
    rows = without(days["2024-03-14"], 7)
    save(tmp_path, "b/trade_date=2024-03-14/SPXW_20240315.parquet", rows)
    assert main(["diff", "--json", one, two]) == 1
    described = json.loads(capsys.readouterr().out)
    assert (described["only_in_a"]["rows"], described["only_in_b"]["rows"]) == (1, 0)
    assert described["same_rows"] == TABLE.num_rows - 1


def test_one_file_that_can_not_be_read_is_named_and_the_others_are_compared(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        save(tmp_path, f"{side}/good.csv", TABLE)
        save(tmp_path, f"{side}/bad.parquet", TABLE)
    bad = tmp_path / "b" / "bad.parquet"
    bad.write_bytes(b"PAR1 is not enough")
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert main(["diff", a, b]) == 2
    out, err = capsys.readouterr()
    assert f"error: can't be read: {bad}: " in out
    assert f"can't be read: {bad}: " in err
    described = compare(a, b).describe()
    assert (described["same"], described["same_rows"]) == (False, TABLE.num_rows)
    assert described["only_in_a"]["rows"] == 0


def test_the_text_says_what_moved_where(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = place(MARKET.rows("SPXW", EXPIRATION, DAY, "1h"), 5150.0, "C", "12:30")
    row += TABLE.num_rows - MARKET.rows("SPXW", EXPIRATION, DAY, "1h").num_rows
    one = save(tmp_path, "a.csv", TABLE)
    two = save(tmp_path, "b.csv", plant(TABLE, row, delta=0.75))
    assert main(["diff", one, two]) == 1
    out = capsys.readouterr().out
    assert "  1 moved" in out
    assert "SPXW 2024-03-15 5150 C 2024-03-14T12:30:00.000-04:00: " in out
    assert "0.75 in B" in out


def test_what_can_not_be_compared_exits_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = save(tmp_path, "a.csv", TABLE)
    assert main(["diff", one, str(tmp_path)]) == 2
    assert "a file and a folder" in capsys.readouterr().err
    assert main(["diff", one, str(tmp_path / "none.csv")]) == 2
    assert "none.csv is not there" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["diff", "--tolerance", "-1", one, one])
    assert stopped.value.code == 2


SMALL = TABLE.slice(0, 60)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 59), max_size=70),
    st.lists(st.integers(0, 59), max_size=70),
)
def test_every_row_is_counted_once_on_each_side(
    tmp_path: Path, left: list[int], right: list[int]
) -> None:
    described = difference(
        tmp_path, SMALL.take(pa.array(left, pa.int64())), SMALL.take(pa.array(right, pa.int64()))
    )
    both = described["same_rows"] + described["moved_rows"]
    assert both + described["only_in_a"]["rows"] == len(left)
    assert both + described["only_in_b"]["rows"] == len(right)
    common = sum(min(left.count(n), right.count(n)) for n in range(60))
    assert both == common
    assert described["moved_rows"] == 0
    assert described["same"] == (sorted(left) == sorted(right))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3 * MOST_KEPT), min_size=1, max_size=4))
def test_the_median_of_many_changes_is_kept_in_bounds(sizes: list[int]) -> None:
    moved = Moved()
    everything = [np.random.default_rng(n).random(size) for n, size in enumerate(sizes)]
    for changes in everything:
        moved.keep(changes)
    whole = np.concatenate(everything)
    assert len(moved.kept) <= MOST_KEPT
    assert len(moved.kept) >= min(len(whole), MOST_KEPT // 4)
    if len(whole) < MOST_KEPT:
        assert np.array_equal(moved.kept, whole)
    elif len(whole):
        assert np.median(moved.kept) == pytest.approx(np.median(whole), abs=0.02)

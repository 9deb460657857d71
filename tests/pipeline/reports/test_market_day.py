from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet
import pytest

from pipeline.reports.axes import spread_out
from pipeline.reports.completeness_figures import completeness_figures, missing_rows
from pipeline.reports.course_figures import course_figures
from pipeline.reports.market_day import MarketDay, gather, volatility_at_the_money
from pipeline.reports.rows import NoRows
from pipeline.reports.smile_figures import out_of_the_money, smile_figures
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.data import data_files
from tests.support.folder import DAY, NEXT_DAY, fill

TEN = 36_000_000
WEEK, MONTH = date(2024, 3, 22), date(2024, 4, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("day")
    with TerminalServer(Market()) as server:
        fill(made / "greeks", server, (NEXT_DAY, WEEK, MONTH), date(2024, 3, 13), interval="15m")
        fill(made / "eod", server, (NEXT_DAY, WEEK), date(2024, 3, 13), greeks="eod")
    return made / "greeks"


def tables(folder: Path) -> list[pa.Table]:
    return [parquet.ParquetFile(path).read() for path in data_files(folder)]


def day_of(table: pa.Table, tmp_path: Path, until: int = TEN) -> MarketDay:
    parquet.write_table(table, path := tmp_path / "rows.parquet")
    return gather([path], "SPXW", DAY, until)


def test_a_whole_day_lacks_nothing_and_a_hole_is_counted_to_the_row(
    folder: Path, tmp_path: Path
) -> None:
    table = pa.concat_tables(tables(folder))
    day = day_of(table, tmp_path)
    rows = pc.sum(pc.equal(pc.local_timestamp(table["timestamp"]).cast(pa.date32()), DAY)).as_py()
    assert day.rows == rows
    assert missing_rows(day) == (rows, rows)

    # A contract's morning, an hour of everything, and one row somewhere.
    clock = pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M")
    contract = pc.and_(pc.equal(table["strike"], 5150), pc.equal(table["right"], "C"))
    morning = pc.and_(contract, pc.less(clock, "2024-03-14 12:00"))
    lost = pc.or_(
        pc.and_(morning, pc.greater(clock, "2024-03-14")),
        pc.and_(pc.greater_equal(clock, "2024-03-14 13:00"), pc.less(clock, "2024-03-14 14:00")),
    )
    left = table.filter(pc.invert(lost))
    holed = day_of(pa.concat_tables([left, left.slice(0, 500)]), tmp_path)
    gone = pc.sum(lost).as_py()
    assert gone > 3 * 10
    assert missing_rows(holed) == (rows - gone, rows)
    (figure, _) = completeness_figures(holed)
    assert {"none", "all"} < {row["c"] for row in figure.rows}
    assert sum(row["of"] - row["n"] for row in figure.rows) == gone


def test_the_snapshot_is_each_contracts_last_row_until_then(folder: Path, tmp_path: Path) -> None:
    table = pa.concat_tables(tables(folder))
    day = day_of(table, tmp_path, TEN + 60_000)
    assert set(day.now) == {NEXT_DAY, WEEK, MONTH}
    for piece in day.now.values():
        assert set(piece.time.tolist()) == {TEN}
    wanted = pc.equal(pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M"), "2024-03-14 10:00")
    assert sum(map(len, day.now.values())) == pc.sum(wanted).as_py()
    before = day.before
    assert before is not None
    assert before[0] == date(2024, 3, 13)


def test_a_volatility_that_was_not_solved_is_drawn_nowhere(folder: Path, tmp_path: Path) -> None:
    table = tables(folder)[0]
    strike = table["strike"].to_numpy()
    unsolved = (strike >= 5100) & (strike <= 5160)
    for name, mark in (("implied_vol", 0.0), ("iv_error", 100.0)):
        values = np.where(unsolved, mark, table[name].to_numpy())
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.field(name), pa.array(values))
    day = day_of(table, tmp_path)
    moneyness, volatility = out_of_the_money(day.now[NEXT_DAY])
    assert volatility.min() > 0
    spot = float(day.now[NEXT_DAY].values["underlying_price"][0])
    drawn = spot * np.exp(moneyness)
    assert not ((drawn > 5099) & (drawn < 5161)).any()
    for figure in (*smile_figures(day), *course_figures(day)):
        assert all(row["v"] > 0 for row in figure.rows)


def test_at_the_money_is_the_strike_nearest_the_underlying(folder: Path, tmp_path: Path) -> None:
    piece = day_of(tables(folder)[0], tmp_path).now[NEXT_DAY]
    spot = float(piece.values["underlying_price"][0])
    nearest = min(piece.strike.tolist(), key=lambda strike: abs(strike - spot))
    mean = piece.values["implied_vol"][piece.strike == nearest].mean()
    assert volatility_at_the_money(piece) == pytest.approx(mean)


def test_the_first_rows_of_a_day_give_figures_that_say_why_they_are_not_drawn(
    folder: Path, tmp_path: Path
) -> None:
    day = day_of(tables(folder)[0], tmp_path, 34_200_000)
    smiles, term_structure, surface = smile_figures(day)
    for figure in (smiles, term_structure, surface):
        assert figure.chart is None
        assert "No solved volatility at 09:30 New York" in figure.absent


def test_end_of_day_has_smiles_and_no_times(folder: Path) -> None:
    day = gather(data_files(folder.with_name("eod")), "SPXW", DAY, TEN)
    smiles, term_structure, _ = smile_figures(day)
    course, _ = course_figures(day)
    assert smiles.rows
    assert len(term_structure.rows) == 2
    assert course.absent
    assert all(figure.absent for figure in completeness_figures(day))
    assert day.before is not None


def test_a_day_without_rows_is_refused(folder: Path) -> None:
    with pytest.raises(NoRows, match="no row of SPXW on 2024-03-18"):
        gather(data_files(folder), "SPXW", date(2024, 3, 18), TEN)


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 21, 100])
def test_expirations_are_spread_from_the_nearest_to_the_farthest(count: int) -> None:
    days = [date.fromordinal(738_000 + n) for n in range(count)]
    picked = spread_out(days, 6)
    assert len(picked) == min(count, 6)
    assert (picked[0], picked[-1]) == (days[0], days[-1])
    assert picked == sorted(set(picked))

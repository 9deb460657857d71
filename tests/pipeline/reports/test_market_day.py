import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
import vl_convert
from numpy.typing import ArrayLike

from pipeline.folder.catalog import write_catalog
from pipeline.reports.axes import label, spread_out
from pipeline.reports.changes import changes_section
from pipeline.reports.check_section import check_section
from pipeline.reports.completeness_figures import _level, completeness_figures, missing_rows
from pipeline.reports.course_figures import course_figures
from pipeline.reports.figure import Figure
from pipeline.reports.greek_figures import greek_figures
from pipeline.reports.market_day import MarketDay, gather, volatility_at_the_money
from pipeline.reports.moneyness import deviations, forward, identified, years_left
from pipeline.reports.rows import NoRows
from pipeline.reports.smile_figures import out_of_the_money, smile_figures
from pipeline.reports.theme import LIGHT
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from pipeline.text import clock_text
from tests.support.data import data_files
from tests.support.folder import DAY, NEXT_DAY, fill

TEN = 36_000_000
WEEK, MONTH = date(2024, 3, 22), date(2024, 4, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("day")
    with TerminalServer(Market()) as server:
        fill(made / "greeks", server, (NEXT_DAY, WEEK, MONTH), date(2024, 3, 13), interval="15m")
        fill(made / "last", server, (DAY, WEEK, MONTH), interval="15m")
        fill(made / "eod", server, (NEXT_DAY, WEEK), date(2024, 3, 13), greeks="eod")
    return made / "greeks"


def tables(folder: Path) -> list[pa.Table]:
    return [parquet.ParquetFile(path).read() for path in data_files(folder)]


def day_of(table: pa.Table, tmp_path: Path, until: int = TEN) -> MarketDay:
    parquet.write_table(table, path := tmp_path / "rows.parquet")
    return gather([str(path)], "SPXW", DAY, until)


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
    # A row that is there twice makes up for none.
    holed = day_of(pa.concat_tables([left, left.slice(left.num_rows - 500)]), tmp_path)
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
    piece = day.now[NEXT_DAY]
    above, volatility = out_of_the_money(day, piece)
    assert volatility.min() > 0
    scale = volatility_at_the_money(piece) * years_left(day, NEXT_DAY) ** 0.5
    drawn = forward(piece) * np.exp(above * scale)
    assert not ((drawn > 5099) & (drawn < 5161)).any()
    for figure in (*smile_figures(day), *course_figures(day)):
        assert all(row["v"] > 0 for row in figure.rows)


def test_at_the_money_is_the_strike_nearest_the_underlying(folder: Path, tmp_path: Path) -> None:
    piece = day_of(tables(folder)[0], tmp_path).now[NEXT_DAY]
    spot = float(piece.values["underlying_price"][0])
    nearest = min(piece.strike.tolist(), key=lambda strike: abs(strike - spot))
    mean = piece.values["implied_vol"][piece.strike == nearest].mean()
    assert volatility_at_the_money(piece) == pytest.approx(mean)


def with_spot(table: pa.Table, spot: ArrayLike) -> pa.Table:
    place = table.schema.get_field_index("underlying_price")
    return table.set_column(place, table.field(place), pa.array(np.broadcast_to(spot, len(table))))


def test_of_two_strikes_as_near_the_lower_one_is_at_the_money(folder: Path, tmp_path: Path) -> None:
    piece = day_of(with_spot(tables(folder)[0], 5152.5), tmp_path).now[NEXT_DAY]
    mean = piece.values["implied_vol"][piece.strike == 5150].mean()
    assert volatility_at_the_money(piece) == pytest.approx(mean)


def test_rows_of_one_time_may_have_prices_a_little_apart(folder: Path, tmp_path: Path) -> None:
    table = tables(folder)[0]
    spot = table["underlying_price"].to_numpy()
    day = day_of(
        with_spot(table, np.where(pc.equal(table["right"], "C"), spot, spot + 4)), tmp_path
    )
    now = volatility_at_the_money(day.now[NEXT_DAY])
    assert day.course(NEXT_DAY)[TEN] == pytest.approx(now)


@pytest.mark.parametrize(("expiration", "days"), [(DAY, 0.25), (MONTH, 29.25)])
def test_a_strike_is_so_many_deviations_from_the_forward(
    folder: Path, expiration: date, days: float
) -> None:
    day = gather(data_files(folder.with_name("last")), "SPXW", DAY, TEN)
    piece = day.now[expiration]
    deviation = volatility_at_the_money(piece) * (days / 365) ** 0.5
    at = forward(piece) * np.exp(deviation * deviations(day, piece))
    assert at == pytest.approx(piece.strike)


def figures_of(day: MarketDay) -> list[Figure]:
    sections = check_section(day, 0, "latest").figures, changes_section(day).figures
    drawn = smile_figures(day), course_figures(day), completeness_figures(day), greek_figures(day)
    return [figure for figures in (*drawn, *sections) for figure in figures]


def test_figures_are_the_same_from_either_format_and_any_cut_of_the_rows(
    folder: Path, tmp_path: Path
) -> None:
    whole = gather(data_files(folder), "SPXW", DAY, TEN)
    wanted = [(figure.name, figure.caption, figure.rows) for figure in figures_of(whole)]
    table = pa.concat_tables(tables(folder))
    # Contract by contract, as the Terminal serves them, in pieces that end within a contract.
    pieces = [table.slice(start, 1_711) for start in range(0, len(table), 1_711)]
    paths = [tmp_path / f"{number:03}.parquet" for number in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        parquet.write_table(piece, path)
    csv.write_csv(table, tmp_path / "rows.csv")
    for cut in (paths, paths[::-1], [tmp_path / "rows.csv"]):
        day = gather([*map(str, cut)], "SPXW", DAY, TEN)
        assert [(figure.name, figure.caption, figure.rows) for figure in figures_of(day)] == wanted


@pytest.mark.parametrize("until", [TEN, 46_800_000, 57_600_000])
def test_the_course_the_term_structure_and_the_catalog_agree_at_any_time(
    folder: Path, until: int
) -> None:
    day = gather(data_files(folder), "SPXW", DAY, until)
    rows = smile_figures(day)[1].rows
    shown = {row["e"]: row["v"] for row in rows}
    course = {
        row["e"]: row["v"]
        for row in course_figures(day)[0].rows
        if row["clock"] == clock_text(until)
    }
    catalog = write_catalog(str(folder))
    assert catalog is not None
    with duckdb.connect() as connection:
        connection.execute(Path(catalog).read_text())
        answer = connection.execute(
            "select expiration, implied_vol from term_structure "
            f"where ny_time = '2024-03-14 {clock_text(until)}' order by expiration"
        ).fetchall()
    asked = {label(expiration, DAY): round(volatility, 5) for expiration, volatility in answer}
    assert len(asked) == 3
    assert shown == course == asked


def test_volatility_at_the_money_is_that_of_one_strike_where_only_its_put_is_solved(
    folder: Path, tmp_path: Path
) -> None:
    table = tables(folder)[0]
    piece = day_of(table, tmp_path).now[NEXT_DAY]
    spot = float(piece.values["underlying_price"][0])
    nearest = min(piece.strike.tolist(), key=lambda strike: abs(strike - spot))
    here = pc.and_(pc.equal(table["strike"], nearest), pc.equal(table["right"], "C"))
    place = table.schema.get_field_index("implied_vol")
    values = pc.if_else(here, 0.0, table["implied_vol"])
    piece = day_of(table.set_column(place, table.field(place), values), tmp_path).now[NEXT_DAY]
    (volatility,) = piece.values["implied_vol"][(piece.strike == nearest) & ~piece.is_call]
    assert volatility_at_the_money(piece) == volatility


def test_a_row_from_before_is_no_part_of_the_market_at_a_later_time(
    folder: Path, tmp_path: Path
) -> None:
    table = tables(folder)[0]
    spot = day_of(table, tmp_path).spot[TEN]
    clock = pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M")
    near = pc.less(pc.abs(pc.subtract(table["strike"], spot)), 10)
    lost = pc.and_(near, pc.equal(clock, "2024-03-14 10:00"))
    day = day_of(table.filter(pc.invert(lost)), tmp_path)
    assert set(day.now[NEXT_DAY].time.tolist()) == {TEN}
    ((when, volatility), *_) = [each for each in day.course(NEXT_DAY).items() if each[0] == TEN]
    assert when == TEN
    assert volatility_at_the_money(day.now[NEXT_DAY]) == pytest.approx(volatility)


def test_the_smiles_of_hours_and_of_weeks_take_as_much_room(folder: Path) -> None:
    day = gather(data_files(folder.with_name("last")), "SPXW", DAY, TEN)
    smiles, *_ = smile_figures(day)
    ends: dict[str, tuple[float, float]] = {}
    for row in smiles.rows:
        low, high = ends.get(row["e"], (0.0, 0.0))
        ends[row["e"]] = (min(low, row["k"]), max(high, row["k"]))
    assert len(ends) == 3
    widths = [high - low for low, high in ends.values()]
    assert min(widths) > max(widths) / 3
    assert "14 Mar, 0 days" in ends


def test_the_forward_is_where_a_call_costs_as_much_as_its_put(folder: Path, tmp_path: Path) -> None:
    table = tables(folder)[0]
    piece = day_of(table, tmp_path).now[NEXT_DAY]
    spot = float(piece.values["underlying_price"][0])
    # One day's interest of 5 %.
    assert forward(piece) == pytest.approx(spot * np.exp(0.05 / 365), rel=1e-4)
    without_bids = replace(piece, values=piece.values | {"bid": np.zeros(len(piece))})
    assert forward(without_bids) == spot


def test_a_greek_of_an_option_whose_price_leaves_its_volatility_open_is_not_drawn(
    folder: Path,
) -> None:
    day = gather(data_files(folder.with_name("last")), "SPXW", DAY, TEN)
    piece = day.now[DAY]
    kept = identified(day, piece)
    spot = float(piece.values["underlying_price"][0])
    assert kept[np.abs(piece.strike - spot) < 10].all()
    inside = np.where(piece.is_call, 1, -1) * (spot / piece.strike - 1) > 0.03
    deep = piece.solved & inside
    assert deep.any()
    assert not kept[deep].any()
    # Of this one the bid is just the intrinsic value, or a little more.
    later = gather(data_files(folder.with_name("last")), "SPXW", DAY, 40_500_000)
    piece = later.now[DAY]
    penny = (piece.strike == 5125) & piece.is_call
    assert piece.solved[penny].all()
    assert not identified(later, piece)[penny].any()
    theta = next(figure for figure in greek_figures(day) if figure.name == "theta")
    drawn = [row["v"] for row in theta.rows if row["e"] == "14 Mar, 0 days"]
    assert drawn
    assert max(drawn) <= 0


def labels(figure: Figure, width: int) -> list[list[tuple[float, float, float, float]]]:
    """Returns where the labels of each axis and legend are: left, top, right and bottom."""
    svg = ElementTree.fromstring(vl_convert.vegalite_to_svg(figure.spec(width), config=LIGHT))  # noqa: S314 -- our own
    found = []
    for group in svg.iter("{http://www.w3.org/2000/svg}g"):
        if "label" not in group.get("class", ""):
            continue
        boxes = []
        for text in group:
            place = re.match(r"translate\(([-.\d]+),([-.\d]+)\)", text.get("transform", ""))
            if place is None or text.get("opacity") == "0":
                continue
            x, y = map(float, place.groups())
            long = 5.5 * len(text.text or "")
            left = x - long * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0)
            boxes.append((left, y - 9, left + long, y))
        found.append(boxes)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", [340, 720])
def test_labels_of_an_axis_do_not_collide_however_many_expirations_there_are(
    folder: Path, tmp_path: Path, width: int
) -> None:
    table = tables(folder)[0]
    ten = table.filter(
        pc.equal(pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M"), "2024-03-14 10:00")
    )
    place = table.schema.get_field_index("expiration")
    many = [
        ten.set_column(place, "expiration", pa.array([NEXT_DAY + timedelta(n)] * len(ten)))
        for n in range(40)
    ]
    days = gather(data_files(folder), "SPXW", DAY, TEN), day_of(pa.concat_tables(many), tmp_path)
    for figure in [each for day in days for each in figures_of(day) if each.chart]:
        axes = labels(figure, width)
        assert any(axes), figure.name
        for one, other in (pair for boxes in axes for pair in combinations(boxes, 2)):
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1], figure.name
        if figure.name == "surface":
            assert figure.height / len({row["e"] for row in figure.rows}) > 10
            steps = np.diff(sorted((left + right) / 2 for left, _, right, _ in axes[0]))
            assert len(steps) > 1
            assert steps == pytest.approx(steps[0])


def test_one_missing_row_is_a_cell_of_its_own_colour(folder: Path, tmp_path: Path) -> None:
    table = pa.concat_tables(tables(folder))
    clock = pc.strftime(table["timestamp"], "%Y-%m-%d %H:%M")
    one = pc.and_(pc.equal(table["strike"], 5150), pc.equal(table["right"], "C"))
    one = pc.and_(one, pc.equal(clock, "2024-03-14 11:00"))
    one = pc.and_(one, pc.equal(table["expiration"], pa.scalar(NEXT_DAY)))
    assert pc.sum(one).as_py() == 1
    figure, _ = completeness_figures(day_of(table.filter(pc.invert(one)), tmp_path))
    (cell,) = [row for row in figure.rows if row["c"] != "all"]
    assert cell["of"] - cell["n"] == 1
    assert [_level(n / 1000) for n in (0, 500, 950, 999, 1000)] == [
        *("none", "up to half", "up to 95 %", "over 95 %", "all")
    ]
    # Each bin of strikes has a band of its own, however close its strikes are.
    assert figure.spec()["encoding"]["y"]["type"] == "ordinal"
    assert 320 / len({row["a"] for row in figure.rows}) > 5


def test_a_legend_is_there_where_there_is_something_to_tell_apart(folder: Path) -> None:
    day = gather(data_files(folder), "SPXW", DAY, TEN)
    for expirations, legend in ((3, True), (1, False)):
        day.near = dict([*day.near.items()][:expirations])
        for figure in (course_figures(day)[0], completeness_figures(day)[0]):
            colour = figure.spec()["encoding"]["color"]
            assert (colour.get("legend", {}) is not None) == (legend and figure.name == "course")
    surface = smile_figures(day)[2]
    shown = surface.spec()["encoding"]["color"]["legend"]["values"]
    drawn = [row["v"] for row in surface.rows]
    assert len(shown) > 3
    assert (shown[0], shown[-1]) == pytest.approx((min(drawn), max(drawn)), abs=0.006)


def test_a_time_without_rows_is_refused_with_the_times_that_there_are(folder: Path) -> None:
    for until in (27_000_000, 60_000_000):
        with pytest.raises(
            NoRows, match=r"--time: .* at (07:30|16:40) .* 27 minutes: 09:30, 09:45"
        ):
            gather(data_files(folder), "SPXW", DAY, until)


def test_without_a_time_the_rows_nearest_to_10_are_drawn(folder: Path, tmp_path: Path) -> None:
    table = pa.concat_tables(tables(folder))
    clock = pc.strftime(table["timestamp"], "%H:%M")
    late = table.filter(pc.greater_equal(clock, "13:00"))
    parquet.write_table(late, path := tmp_path / "late.parquet")
    day = gather([str(path)], "SPXW", DAY, None)
    assert {time for piece in day.now.values() for time in piece.time.tolist()} == {46_800_000}
    assert gather(data_files(folder), "SPXW", DAY, None).until == TEN


def test_the_first_rows_of_a_day_give_figures_that_say_why_they_are_not_drawn(
    folder: Path, tmp_path: Path
) -> None:
    day = day_of(tables(folder)[0], tmp_path, 34_200_000)
    smiles, term_structure, surface = smile_figures(day)
    for figure in (smiles, term_structure, surface):
        assert figure.chart is None
        assert "No solved volatility at 09:30 New York" in figure.absent


def test_a_surface_that_no_smile_reaches_is_not_drawn(folder: Path, tmp_path: Path) -> None:
    table = tables(folder)[0]
    table = table.filter(pc.equal(table["right"], "C"))  # without puts, there is no forward
    for name in ("underlying_price", "implied_vol", "bid", "ask"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(np.full(len(table), 0.5)))
    smiles, _, surface = smile_figures(day_of(table, tmp_path))
    assert smiles.chart is None
    assert "Choose another --time" in surface.absent


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

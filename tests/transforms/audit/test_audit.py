"""What takes many rows at once: riskless profit, the recomputation's findings, and memory."""

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.simulator.market.greeks import Query
from tests.support.oracle import Market
from tests.support.oracle import table as table_of
from tests.support.plant import DAY, EXPIRATION, place, plant
from transforms.audit.assumptions import Assumptions
from transforms.audit.audit import Audit, Checked
from transforms.audit.error_bins import DAYS, MONEYNESS
from transforms.orders import ORDERS
from transforms.orders.schema import ALL_GREEKS

MARKET = Market()
LATER = date(2024, 3, 18)
FAR = date(2024, 4, 19)
TABLE = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "all")
NEXT = MARKET.rows("SPXW", LATER, DAY, "30m", "all")
ROW = place(TABLE, 5150.0, "C", "11:00")


def check(*tables: pa.Table, rate: float | None = None) -> tuple[list[Checked], Audit]:
    full = Audit(Assumptions(rate))
    for table in tables:
        for batch in table.to_batches(max_chunksize=5000):
            full.add(pa.Table.from_batches([batch]), "a file")
    return list(full.finish()), full


@pytest.mark.slow
def test_rows_of_files_that_are_through_are_not_held() -> None:
    full = Audit()
    schema = TABLE.schema
    rows = TABLE.slice(0, 2000)
    for number in range(40):
        expiration = pa.array([date(2024, 3, 15 + number % 10)] * len(rows), pa.date32())
        place_of = schema.get_field_index("expiration")
        symbol = pa.array([f"S{number // 10}"] * len(rows), schema.field("symbol").type)
        table = rows.set_column(place_of, schema.field(place_of), expiration)
        full.add(table.set_column(0, schema.field(0), symbol), f"file {number}")
        full.end_of_file()
        assert not full._expirations  # put away: of thousands, what is known is hundreds of MB
        if number == 19:
            half = pa.total_allocated_bytes()
        del table, symbol, expiration
    # A file's rows are some 400 kB.
    assert pa.total_allocated_bytes() - half < 1_000_000
    assert sum(one.quality.rows for one in full.finish()) == 80_000


def test_what_is_known_of_an_expiration_goes_on_in_its_next_file() -> None:
    full, apart = Audit(), Audit()
    for day in (date(2024, 3, 13), DAY):
        table = MARKET.rows("SPXW", EXPIRATION, day, "30m", "all")
        for each in (full, apart):
            each.add(table, f"{day}")
        apart.end_of_file()
    (one,), (other,) = full.finish(), apart.finish()
    assert one.describe() == other.describe()
    assert one.files == ("2024-03-13", "2024-03-14")
    assert one.quality.trade_dates == 2


def keys(checked: list[Checked]) -> dict[str, list[tuple[float, str, str]]]:
    return {
        finding.rule: [
            (e.key["strike"], e.key["right"], e.key["timestamp"][11:16]) for e in finding.examples
        ]
        for one in checked
        for finding in one.findings
    }


def quoted(table: pa.Table, row: int, bid: float, ask: float) -> pa.Table:
    return plant(table, row, bid=bid, ask=ask)


@pytest.mark.parametrize(
    "order",
    [
        each
        if each in ("first_order", "all", "eod")
        else pytest.param(each, marks=pytest.mark.slow)
        for each in ORDERS
    ],
)
def test_a_clean_market_of_several_expirations_has_no_finding(order: str) -> None:
    interval = "5m" if ORDERS[order].daily else "30m"
    tables = [
        MARKET.rows("SPXW", expiration, day, interval, order)
        for expiration in (DAY, EXPIRATION, LATER, FAR)
        for day in (date(2024, 3, 13), DAY)
    ]
    checked, full = check(*tables)
    assert [one.expiration for one in checked] == [DAY, EXPIRATION, LATER, FAR]
    assert keys(checked) == {}
    assert full.notes == []
    computed = {0} if ORDERS[order].v3.priced_by else set()
    assert {line["wrong"] for line in full.errors.total()} == computed


@pytest.mark.parametrize("several_files", [False, True])
@pytest.mark.parametrize("provisional", [False, True])
def test_a_requested_trade_date_without_rows_is_found_once_for_all_files_of_an_expiration(
    several_files: bool, provisional: bool
) -> None:
    week = tuple(date(2024, 3, day) for day in (11, 12, 13, 14, 15))
    days = (week[1], week[3])
    full = Audit()
    for day in days:
        requested = {day, *week[2:3], *week[4:]} if several_files else set(week)
        full.assume(
            Assumptions(
                interval="30m", trade_dates=tuple(sorted(requested)), provisional=provisional
            )
        )
        full.add(MARKET.rows("SPXW", EXPIRATION, day, "30m"), str(day))
        full.end_of_file()
    (one,) = full.finish()
    (finding,) = [each for each in one.findings if each.rule == "missing_dates"]
    lacking = ["2024-03-13"] if provisional else ["2024-03-13", "2024-03-15"]
    assert finding.count == len(lacking)
    assert [each.key["trade_date"] for each in finding.examples] == lacking


def test_a_rate_and_dividends_are_implied_by_calls_and_puts() -> None:
    _, full = check(MARKET.rows("SPXW", FAR, DAY, "5m"))
    (parity,) = full.parity
    # What the market's quotes are made with.
    assert parity["rate"] == pytest.approx(0.0531, abs=0.0005)
    assert parity["dividend_yield"] == pytest.approx(0.014, abs=0.0005)
    assert parity["trade_date"] == "2024-03-14"


def test_a_call_that_breaks_parity_is_found() -> None:
    row = place(TABLE, 5150.0, "C", "11:00")
    bid, ask = (TABLE[name][row].as_py() + 4.0 for name in ("bid", "ask"))
    found = keys(check(quoted(TABLE, row, bid, ask))[0])
    assert found["put_call_parity"] == [(5150.0, "C", "11:00")]
    # It is dearer than its neighbours allow, too, and its volatility is that of another price.
    assert (5150.0, "C", "11:00") in found["convexity"]
    assert found["recomputed_iv"] == [(5150.0, "C", "11:00")]


@pytest.mark.parametrize(("symbol", "found"), [("SPXW", 1), ("OEX", 0), ("AAPL", 0)])
def test_options_that_may_be_exercised_early_need_not_keep_parity_to_the_cent(
    symbol: str, found: int
) -> None:
    table = MARKET.rows("SPXW", FAR, DAY, "1h")
    row = place(table, 5200.0, "C", "10:30")
    bid, ask = (table[name][row].as_py() + 4.0 for name in ("bid", "ask"))
    renamed = table.set_column(0, table.field(0), pa.array([symbol] * len(table)))
    checked, _ = check(quoted(renamed, row, bid, ask))
    assert len(keys(checked).get("put_call_parity", [])) == found


def test_a_strike_that_sells_for_more_than_the_next_better_one_is_found() -> None:
    ask = TABLE["ask"][place(TABLE, 5145.0, "C", "11:00")].as_py()
    found = keys(check(quoted(TABLE, ROW, ask + 0.1, ask + 0.2))[0])
    assert set(found["monotonicity"]) == {(5150.0, "C", "11:00"), (5155.0, "C", "11:00")}


def test_a_butterfly_for_less_than_nothing_is_found() -> None:
    put = place(TABLE, 5125.0, "P", "14:00")
    bid, ask = (TABLE[name][put].as_py() + 1.5 for name in ("bid", "ask"))
    assert keys(check(quoted(TABLE, put, bid, ask))[0])["convexity"] == [(5125.0, "P", "14:00")]


def test_a_later_expiration_that_is_cheaper_is_found() -> None:
    row = place(NEXT, 5200.0, "C", "12:00")
    near = TABLE["bid"][place(TABLE, 5200.0, "C", "12:00")].as_py()
    assert near > 0.1
    cheap = quoted(NEXT, row, 0.0, 0.05)
    spot = cheap["underlying_price"][row].as_py()
    assert spot < 5200
    near_table = quoted(TABLE, place(TABLE, 5200.0, "C", "12:00"), 6.0, 6.2)
    checked, _ = check(near_table, cheap)
    (finding,) = [f for f in checked[1].findings if f.rule == "calendar_arbitrage"]
    (example,) = finding.examples
    assert example.key["strike"] == 5200.0
    assert example.key["timestamp"] == "2024-03-14T12:00:00.000-04:00"
    assert example.values == {"ask": 0.05, "earlier_expiration": "2024-03-15", "earlier_bid": 6.0}


def test_a_wrong_greek_is_shown_with_what_it_should_be() -> None:
    wrong = plant(TABLE, ROW, vega=TABLE["vega"][ROW].as_py() * 1.1)
    checked, _ = check(wrong)
    assert keys(checked) == {"recomputed_greeks": [(5150.0, "C", "11:00")]}
    ((finding,),) = [one.findings for one in checked]
    (example,) = finding.examples
    assert example.values["vega_recomputed"] == pytest.approx(TABLE["vega"][ROW].as_py(), abs=1e-3)
    assert set(example.values) == {"implied_vol", "vega", "vega_recomputed"}


@pytest.mark.parametrize(
    ("day", "around"),
    [
        (date(2024, 3, 14), 3),
        pytest.param(date(2024, 3, 11), 4, marks=pytest.mark.slow),
        pytest.param(date(2024, 7, 8), 8, marks=pytest.mark.slow),
    ],
)
def test_a_last_day_by_the_second_is_clean(day: date, around: int) -> None:
    query = Query("SPXW", day, day, day, "first_order", 1000, strike_range=around)
    full = Audit(Assumptions())
    full.add(table_of(MARKET.blocks(query), "first_order"))
    assert keys(list(full.finish())) == {}
    (rate,) = full.rates
    assert abs(rate["rate"] - 0.0531) <= rate["doubt"]


def few(expiration: date, day: date, around: int, order: str = "eod") -> pa.Table:
    query = Query("SPXW", expiration, day, day, order, 3_600_000, strike_range=around)
    return table_of(MARKET.blocks(query), order)


def test_the_price_that_is_known_is_taken_whichever_the_rows_fit() -> None:
    found = {}
    for priced_by in ("midpoint", "close"):
        full = Audit(Assumptions(priced_by=priced_by))
        full.add(few(FAR, DAY, 5))
        found[priced_by] = sum(f.count for one in full.finish() for f in one.findings)
    assert found["midpoint"] == 0 < found["close"]


def test_a_rate_that_few_contracts_hardly_determine_is_that_of_its_date() -> None:
    lone, other = few(DAY, DAY, 1), few(FAR, DAY, 5)
    _, alone = check(lone)
    (vague,) = alone.rates
    assert abs(vague["rate"] - 0.0531) <= vague["doubt"]
    assert vague["doubt"] > 1e-3
    for tables in ((lone, other), (other, lone)):
        _, full = check(*tables)
        assert [(line["expiration"], line["rate"]) for line in full.rates] == [
            (DAY.isoformat(), 0.0531),
            (FAR.isoformat(), 0.0531),
        ]
        assert max(line["doubt"] for line in full.rates) < 1e-4


def test_a_rate_that_few_contracts_hardly_determine_is_near_that_of_the_next_dates() -> None:
    today = MARKET.rows("SPXW", DAY, DAY, "30m").drop_columns(["iv_error"])
    penny = today.slice(place(today, 5165.0, "C", "15:00"), 1)
    _, alone = check(penny)
    _, full = check(penny, *(few(FAR, day, 5) for day in (date(2024, 3, 13), EXPIRATION)))
    assert alone.rates[0]["doubt"] > 0.04
    assert full.rates[0]["doubt"] == pytest.approx(0.03, abs=1e-4)
    assert full.rates[0]["rate"] == pytest.approx(0.0531, abs=1e-4)


def test_the_formulas_are_recognised_file_by_file() -> None:
    full = Audit()
    few_rows = near_the_money(NEXT)
    older = few_rows.set_column(
        few_rows.schema.get_field_index("vera"), "vera", pa.array(np.zeros(few_rows.num_rows))
    )
    for name, table in (("new", TABLE), ("old", older)):
        full.assume(Assumptions())
        full.add(table, name)
        full.end_of_file()
    assert keys(list(full.finish())) == {}
    assert any("vera" in note for note in full.notes)


def near_the_money(table: pa.Table) -> pa.Table:
    strike = table["strike"].to_numpy()
    return table.filter(pa.array((strike >= 5130) & (strike <= 5180)))


def test_a_row_of_zeros_excuses_no_greek_of_another_row() -> None:
    solved = np.flatnonzero(TABLE["implied_vol"].to_numpy() > 0)
    vera = TABLE["vera"].to_numpy().copy()
    vera[solved[::3]] *= 10
    place_of = TABLE.schema.get_field_index("vera")
    table = TABLE.set_column(place_of, "vera", pa.array(vera))
    before, full = check(table)
    assert "late 2025" not in "".join(full.notes)
    table = plant(table, ROW, **dict.fromkeys(ALL_GREEKS, 0.0))
    after, full = check(table)
    assert "late 2025" not in "".join(full.notes)
    counts = [
        one[0].quality.found | {f.rule: f.count for f in one[0].together} for one in (before, after)
    ]
    assert counts[1]["zero_greeks"] == 1
    assert 0 <= counts[1]["recomputed_greeks"] - counts[0]["recomputed_greeks"] <= 1
    assert counts[0]["recomputed_greeks"] > 100


def test_rows_may_come_mixed_and_in_pieces() -> None:
    both = pa.concat_tables([TABLE, NEXT])
    order = np.lexsort((np.arange(both.num_rows), both["timestamp"].to_numpy()))
    mixed, whole = check(both.take(order)), check(TABLE, NEXT)
    assert [one.describe() for one in mixed[0]] == [one.describe() for one in whole[0]]
    assert mixed[1].errors.total() == whole[1].errors.total()
    assert mixed[1].rates == whole[1].rates


def test_errors_are_given_by_moneyness_and_days() -> None:
    _, full = check(TABLE, MARKET.rows("SPXW", FAR, DAY, "30m", "all"))
    cells = full.errors.describe()
    assert {cell["days"] for cell in cells} == {DAYS[1], DAYS[3]}
    assert {cell["moneyness"] for cell in cells} <= {*MONEYNESS}
    for total in full.errors.total():
        mine = [cell for cell in cells if cell["name"] == total["name"]]
        assert sum(cell["rows"] for cell in mine) == total["rows"]
        assert max(cell["max"] for cell in mine) == total["max"] >= total["p99"] >= total["median"]


SMALL = MARKET.rows("SPXW", FAR, DAY, "1h", "all")
NUMBERS = [name for name in SMALL.column_names if pa.types.is_floating(SMALL[name].type)]
ODD = st.sampled_from([None, float("nan"), float("inf"), float("-inf"), 0.0, -1.0, 1e308, -1e308])


@settings(max_examples=40)
@example([(729, "underlying_price", float("inf"))])
@example([(729, "bid", float("inf")), (729, "ask", float("inf")), (730, "implied_vol", 1e308)])
@given(
    st.lists(
        st.tuples(st.integers(0, SMALL.num_rows - 1), st.sampled_from(NUMBERS[1:]), ODD),
        min_size=1,
        max_size=8,
    )
)
def test_no_number_is_too_odd_to_be_described(cells: list[tuple[int, str, float | None]]) -> None:
    table = SMALL
    for row, name, value in cells:
        table = plant(table, row, **{name: value})
    checked, full = check(table)
    described = [*(one.describe() for one in checked), full.errors.total(), full.parity, full.rates]
    json.dumps(described, allow_nan=False)
    missing = {
        row
        for row in {row for row, _, _ in cells}
        for name in NUMBERS[1:]
        if (value := table[name][row].as_py()) is None or not np.isfinite(value)
    }
    assert checked[0].quality.found.get("missing_values", 0) == len(missing)

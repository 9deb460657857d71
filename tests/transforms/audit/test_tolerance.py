"""What the digits of a row allow its numbers to be: no more and no less."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from pipeline.simulator.market.greeks import Query
from tests.support.oracle import Market
from tests.support.oracle import table as table_of
from tests.support.plant import DAY, EXPIRATION, block_of, place, plant, quality_of
from transforms.audit.assumptions import Assumptions
from transforms.audit.audit import Audit
from transforms.audit.deviations import _DENSE, _FEW, _span, beyond
from transforms.audit.printed import range_of
from transforms.audit.recognition import years_of
from transforms.audit.recomputation import recompute_block
from transforms.audit.solutions import Inputs, solution_of
from transforms.audit.vendor_rate import (
    ImpliedRate,
    _sharpest,
    agreed,
    narrowed,
    vendor_rate,
    worth_of,
)
from transforms.audit.vendor_rate import Priced as Rows
from transforms.orders.schema import ALL_GREEKS
from transforms.pricing import black_scholes as bs

MARKET = Market()
TABLE = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "all")
ROW = place(TABLE, 5200.0, "C", "11:00")
FAR = date(2024, 4, 19)


def rules_of(*tables: pa.Table, interval: str | None = "30m") -> set[str]:
    audit = Audit(Assumptions(interval=interval))
    for table in tables:
        audit.add(table)
    return {finding.rule for one in audit.finish() for finding in one.findings}


def vendor(x: float, digits: int) -> float:
    """Returns a number cut to so many digits, of its nearest float32."""
    return float(np.trunc(np.float64(np.float32(x)) * 10**digits) / 10**digits)


@given(st.floats(-1e4, 1e4), st.sampled_from([4, 5]), st.booleans())
def test_a_number_is_in_the_range_of_what_is_printed_of_it(
    x: float, digits: int, rounded: bool
) -> None:
    single = np.float64(np.float32(x))
    shown = round(single, digits) if rounded else vendor(x, digits)
    low, high = range_of(np.array([shown]))
    assert low[0] <= x <= high[0]
    assert high[0] - low[0] <= 2.1e-4 + 2.5e-7 * abs(x)


def written(volatility: float, strike: float, call: bool, digits: int = 4) -> dict[str, float]:
    """Returns what the vendor prints for a volatility in the row at 11:00."""
    spot = TABLE["underlying_price"][ROW].as_py()
    years = (1 + 5 / 24) / 365
    values = bs.greeks(spot, strike, years, 0.0531, volatility, call)
    return {name: vendor(float(value), digits) for name, value in values.items()}


def test_greeks_of_a_volatility_at_the_solvers_resolution_are_right() -> None:
    # 0.0001 stands for anything up to twice that; what the Greeks are differs by powers of ten.
    row = place(TABLE, 5165.0, "P", "11:00")
    for volatility in (0.00011, 0.00015, 0.00019):
        table = plant(TABLE, row, implied_vol=0.0001, **written(volatility, 5165.0, False))
        block = block_of(table)
        ours = recompute_block(block, 0.0531)
        assert not any(len(beyond(block, ours, name)) for name in block.greeks)


def test_the_fifth_decimal_of_a_contracts_first_row_counts() -> None:
    five = written(0.09271, 5200.0, True, 5)
    block = block_of(plant(TABLE, ROW, implied_vol=0.09271, **five))
    ours = recompute_block(block, 0.0531)
    assert not any(ROW in beyond(block, ours, name) for name in block.greeks)
    off = five | {"delta": five["delta"] + 0.00008}
    block = block_of(plant(TABLE, ROW, implied_vol=0.09271, **off))
    assert beyond(block, recompute_block(block, 0.0531), "delta").tolist() == [ROW]


def test_lambda_far_from_the_money_may_be_as_inexact_as_the_normal_distribution() -> None:
    strike, volatility = 5900.0, 0.28
    row = place(TABLE, strike, "C", "11:00")
    spot, years = TABLE["underlying_price"][row].as_py(), (1 + 5 / 24) / 365
    d1 = float(bs.greeks(spot, strike, years, 0.0531, volatility, True)["d1"])
    assert -9 < d1 < -7
    deviation = volatility * years**0.5
    cash = strike * np.exp(-0.0531 * years)
    exact = spot * ndtr(d1) / (spot * ndtr(d1) - cash * ndtr(d1 - deviation))
    for value in (vendor(exact, 4), 0.0):
        table = plant(
            TABLE,
            row,
            implied_vol=volatility,
            **written(volatility, strike, True) | {"lambda": value},
        )
        block = block_of(table)
        assert row not in beyond(block, recompute_block(block, 0.0531), "lambda")


def priced(rows: pa.Table) -> Rows:
    block = block_of(rows)
    years = years_of(block, "latest")
    return Rows(
        block.price,
        block["iv_error"],
        block["underlying_price"],
        block["strike"],
        years,
        block["implied_vol"],
        block.is_call,
        np.zeros(len(block)),
    )


def test_rows_that_repeat_each_other_make_the_rate_no_surer() -> None:
    # As after hours, when quotes and the index stand still.
    table = MARKET.rows("SPXW", FAR, DAY, "1h")
    strike = table["strike"].to_numpy()
    some = np.flatnonzero((strike >= 5000) & (strike <= 5300))[6::7].tolist()
    assert len(some) >= 2
    once = priced(table.take(some))
    again = priced(table.take(some * 500))
    rate = vendor_rate(once)
    assert rate == vendor_rate(again)
    assert rate is not None
    assert abs(rate.rate - 0.0531) <= rate.doubt


def test_rows_after_hours_are_found_by_their_time_and_their_greeks_are_right() -> None:
    """v2 serves them, with the quotes and the index of the last print; its days are whole."""
    table = MARKET.rows("SPXW", FAR, DAY, "30m", version="1")
    column = table.schema.get_field_index("timestamp")
    last = table.filter(pc.equal(pc.hour(pc.local_timestamp(table["timestamp"])), 16))
    assert len(last) > 100
    later = [
        last.set_column(
            column,
            table.schema.field(column),
            pc.add(last["timestamp"].cast(pa.int64()), minutes * 60_000).cast(
                table.schema.field(column).type
            ),
        )
        for minutes in (30, 60)
    ]
    contract = [("strike", "ascending"), ("right", "ascending"), ("timestamp", "ascending")]
    both = pa.concat_tables([table, *later]).sort_by(contract)
    assert rules_of(table) == set()
    assert rules_of(both) == {"outside_hours", "off_grid"}


def test_rows_that_hardly_determine_the_rate_have_no_say_beside_those_that_do() -> None:
    table = MARKET.rows("SPXW", FAR, DAY, "1h")
    strike = table["strike"].to_numpy()
    sharp = priced(table.take(np.flatnonzero((strike >= 5100) & (strike <= 5200))[1:].tolist()))
    assert len(sharp.price) > 16
    vague = replace(sharp, years=sharp.years / 1000)
    picked = _sharpest(Rows.of([vague, sharp]))
    assert len(picked) > 16
    assert picked.min() >= len(vague.price)


def test_a_rate_that_could_be_any_is_one_that_was_ever_paid() -> None:
    penny = MARKET.rows("SPXW", DAY, DAY, "30m")
    one = priced(penny.slice(place(penny, 5165.0, "C", "15:00"), 1))
    rate = vendor_rate(replace(one, error=np.full(1, np.nan)))
    assert rate is not None
    assert (rate.rate - rate.doubt, rate.rate + rate.doubt) == pytest.approx((-0.02, 0.25))


def test_the_error_narrows_the_solvers_tolerance_unless_they_contradict() -> None:
    paid, error = np.full(3, 0.5), np.array([0.001, 0.0, 0.3])
    least, most = worth_of(paid, error)
    assert least == pytest.approx([0.500475, 0.49995, 0.499])
    assert most == pytest.approx([0.50055, 0.50005, 0.501])


def test_the_mean_of_three_errors_makes_no_rate_surer() -> None:
    table = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "implied_volatility")
    bid, volatility = (table[name].to_numpy() for name in ("bid", "implied_vol"))
    cheap = table.filter(pa.array((bid >= 0.05) & (bid < 1) & (volatility > 0)))
    (rate,) = recompute_block(block_of(cheap)).rates.values()
    assert rate is not None
    assert abs(rate.rate - 0.0531) <= rate.doubt


@pytest.mark.parametrize("around", [1, 2, 5])
@pytest.mark.parametrize("ahead", [date(2024, 3, 14), EXPIRATION, FAR])
def test_the_rate_is_within_its_doubt(around: int, ahead: date) -> None:
    table = MARKET.rows("SPXW", ahead, DAY, "5m", "first_order")
    strikes = np.unique(table["strike"].to_numpy())
    nearest = int(np.abs(strikes - 5150).argmin())
    for first in range(0, 79, 13):
        near = pa.array(strikes[nearest - around : nearest + around + 1])
        part = table.filter(pa.compute.is_in(table["strike"], near))
        stamps = pa.compute.rank(part["timestamp"], tiebreaker="dense").to_numpy()
        part = part.filter(pa.array(stamps == first + 1))
        block = block_of(part)
        (rate,) = recompute_block(block).rates.values()
        if rate is not None:
            assert abs(rate.rate - 0.0531) <= rate.doubt


def test_what_ranges_have_in_common_may_leave_one_out() -> None:
    low, high = np.array([0.0, 0.2, 0.1, 5.0]), np.array([1.0, 1.2, 0.9, 6.0])
    assert agreed(low[:1], high[:1]) == (0.0, 1.0)
    # Two of the three, next to where all agree.
    assert agreed(low, high) == (0.1, 1.0)
    assert agreed(low[:0], high[:0]) is None
    # Two in a thousand.
    low, high = np.zeros(1000), np.ones(1000)
    low[:2], high[:2] = 0.4, 0.6
    assert agreed(low, high) == (0.0, 1.0)
    low[:4], high[:4] = 0.4, 0.6
    assert agreed(low, high) == (0.4, 0.6)


def test_a_rate_that_contradicts_the_others_stays_what_it_is() -> None:
    rate = ImpliedRate(0.05, 0.01)
    assert narrowed(rate, ImpliedRate(0.055, 0.001)) == pytest.approx((0.055, 0.001))
    assert narrowed(rate, ImpliedRate(0.055, 0.001), 0.002) == pytest.approx((0.055, 0.003))
    assert narrowed(rate, ImpliedRate(0.09, 0.001)) == rate


def test_zeros_of_the_older_formulas_are_known_however_small_the_largest_is() -> None:
    table = MARKET.rows("SPXW", FAR, DAY, "30m", "third_order")
    for share in (1, 40):
        part = table.slice(0, table.num_rows // share)
        for name in ("speed", "zomma"):
            old = pa.array(np.zeros(part.num_rows))
            part = part.set_column(part.schema.get_field_index(name), part.field(name), old)
        assert rules_of(part) <= {"holes"}


def test_one_zero_among_textbook_values_is_no_older_formula() -> None:
    zomma = np.abs(TABLE["zomma"].to_numpy())
    row = int(zomma.argmax())
    assert rules_of(plant(TABLE, row, zomma=0.0)) == {"recomputed_greeks"}


def test_a_snapshot_may_pair_an_old_quote_with_the_latest_price() -> None:
    stamp = TABLE["timestamp"][ROW].as_py()
    old = plant(
        TABLE,
        ROW,
        timestamp=stamp.replace(minute=3, second=7, microsecond=259_000),
        underlying_timestamp=stamp.replace(hour=15),
    ).slice(ROW, 1)
    assert quality_of(old, None).found == {}
    assert "future_underlying" in quality_of(old, "30m").found
    whole = plant(TABLE, ROW, underlying_timestamp=stamp.replace(hour=15)).slice(ROW, 1)
    assert quality_of(whole, None).found == {"future_underlying": 1}


def test_pairs_far_from_the_money_may_differ_by_what_the_line_is_off_there() -> None:
    table = MARKET.rows("SPX", date(2023, 8, 18), date(2023, 4, 20), "5m", "eod")
    assert "put_call_parity" not in rules_of(table, interval=None)


@pytest.mark.parametrize("points", [_FEW, _DENSE])
def test_between_the_points_at_which_it_is_computed_a_greek_goes_no_further(
    points: tuple[int, int],
) -> None:
    block = block_of(TABLE)
    ours = recompute_block(block, 0.0531)
    rows = np.flatnonzero(ours.solved & (block["implied_vol"] > 0.01))[::7]
    low, high = (end[rows] for end in range_of(block["implied_vol"]))
    volatility = low + (high - low) * np.linspace(0, 1, 201)[:, None]
    columns = (block["underlying_price"], block["strike"], ours.years, ours.rate)
    s, k, t, r = (column[rows] for column in columns)
    for name in set(ALL_GREEKS) - {"lambda"}:
        values = bs.greeks(s, k, t, r, volatility, block.is_call[rows], names=(name,))[name]
        least, most = _span(block, ours, name, rows, points)
        slack = 1e-12 * np.abs(values).max(0)
        assert (values.max(0) <= most + slack).all(), name
        assert (values.min(0) >= least - slack).all(), name


def one(*values: float, call: bool) -> Inputs:
    """Returns spot, strike, years, rate and its doubt of one option."""
    spot, strike, years, rate, doubt = (np.array([value]) for value in values)
    return Inputs(spot, strike, years, rate, doubt, np.array([call]), np.zeros(1))


def test_a_volatility_may_be_off_what_the_solver_and_a_float32_leave() -> None:
    call, theirs = one(5150.0, 5600.0, 0.1, 0.0531, 0.0, call=True), np.array([0.1])
    (worth,) = bs.price(5150.0, 5600.0, 0.1, 0.0531, range_of(theirs)[1], True)
    right = [
        bool(solution_of(call, np.array([worth + off]), theirs)[1][0])
        for off in (0.0009, 0.0012, 0.0014)
    ]
    assert right == [True, True, False]


def test_no_volatility_is_right_for_a_price_that_none_reaches_at_a_rate_that_may_be() -> None:
    put = one(60.0, 100.0, 1.0, 0.05, 0.01, call=False)
    # A put is worth no more than its strike, discounted: 94.18 at a rate of 6 %.
    for paid, none in ((94.5, True), (94.0, False)):
        solution, right = solution_of(put, np.array([paid]), np.zeros(1))
        assert solution.volatility[0] > 0
        assert right[0] == none


def test_every_greek_has_a_tolerance() -> None:
    block = block_of(TABLE)
    ours = recompute_block(block)
    assert set(block.greeks) == {*ALL_GREEKS}
    assert not any(len(beyond(block, ours, name)) for name in ALL_GREEKS)


def test_of_two_prices_that_a_few_contracts_fit_the_greeks_choose() -> None:
    day, expiration = date(2023, 8, 23), date(2023, 8, 29)
    query = Query("SPXW", expiration, day, day, "eod_v2", strike_range=1)
    table = table_of(MARKET.blocks(query), "eod_v2")
    ours = recompute_block(block_of(table))
    assert ours.price.tolist() == table["close"].to_pylist() != table["bid"].to_pylist()
    assert rules_of(table, interval=None) == set()


def test_prices_that_no_rate_moves_imply_none_and_warn_of_nothing() -> None:
    one = {"price": 0.5, "error": np.nan, "spot": 100.0, "strike": 1e6, "years": 0.01}
    numbers = {name: np.full(3, value) for name, value in one.items()}
    rows = Rows(
        **numbers,
        volatility=np.full(3, 0.1),
        is_call=np.full(3, fill_value=True),
        dividend_yield=np.zeros(3),
    )
    assert vendor_rate(rows) is None

"""Every rule finds its defects, at the rows where they were planted, and nothing else."""

import itertools
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.oracle import Market
from tests.support.plant import (
    DAY,
    EXPIRATION,
    again,
    cut,
    place,
    plant,
    quality_of,
    swapped,
    without,
)
from transforms.market import calendar
from transforms.model import GreeksRequest, row_groups
from transforms.model.row_groups import RowGroups
from transforms.orders import ORDERS
from transforms.orders.schema import ALL_GREEKS, KEY_COLUMNS
from transforms.quality.check import QualityCheck
from transforms.quality.findings import Quality
from transforms.quality.gate import QualityGate
from transforms.quality.limits import RULES, parse_limits

MARKET = Market()
TABLE = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "all")
# Just out of the money, where everything has a value.
CALL = place(TABLE, 5200.0, "C", "11:00")
PUT = place(TABLE, 5100.0, "P", "12:30")
DEEP = place(TABLE, 4800.0, "C", "13:00")
STAMP = TABLE["timestamp"][CALL].as_py()


def key(row: int, table: pa.Table = TABLE) -> dict[str, Any]:
    cells: dict[str, Any]
    (cells,) = table.slice(row, 1).select(list(KEY_COLUMNS)).to_pylist()
    return cells | {
        "expiration": cells["expiration"].isoformat(),
        "timestamp": cells["timestamp"].isoformat(timespec="milliseconds"),
    }


def crossing(table: pa.Table, row: int = CALL) -> pa.Table:
    return plant(table, row, bid=table["ask"][row].as_py(), ask=table["bid"][row].as_py())


DEFECTS: dict[str, tuple[Callable[[pa.Table], pa.Table], list[int]]] = {
    "missing_values": (
        lambda t: plant(plant(t, CALL, vega=None), PUT, implied_vol=float("nan")),
        [CALL, PUT],
    ),
    "delta_bounds": (lambda t: plant(plant(t, CALL, delta=1.2), PUT, delta=0.1), [CALL, PUT]),
    "gamma_bounds": (lambda t: plant(t, CALL, gamma=-0.001), [CALL]),
    "vega_bounds": (lambda t: plant(t, PUT, vega=-5.0), [PUT]),
    "iv_bounds": (lambda t: plant(t, PUT, implied_vol=-0.2, iv_error=0.0), [PUT]),
    "price_bounds": (
        lambda t: plant(plant(t, CALL, bid=-0.05), PUT, underlying_price=0.0),
        [CALL, PUT],
    ),
    "zero_greeks": (lambda t: plant(t, CALL, **dict.fromkeys(ALL_GREEKS, 0.0)), [CALL]),
    "unsolved_iv": (lambda t: plant(t, CALL, implied_vol=0.0), [CALL]),
    "iv_error": (lambda t: plant(t, CALL, iv_error=0.3), [CALL]),
    "zero_bids": (lambda t: plant(t, DEEP, bid=0.0, ask=0.0, iv_error=100.0), [DEEP]),
    "crossed_quotes": (crossing, [CALL]),
    "stale_underlying": (
        lambda t: plant(t, CALL, underlying_timestamp=STAMP - timedelta(minutes=7)),
        [CALL],
    ),
    "future_underlying": (
        lambda t: plant(t, CALL, underlying_timestamp=STAMP + timedelta(hours=4)),
        [CALL],
    ),
    "duplicates": (lambda t: again(t, CALL), [CALL]),
    "out_of_order": (lambda t: swapped(t, CALL), [CALL]),
    "holes": (lambda t: without(t, CALL, PUT), [min(CALL, PUT), max(CALL, PUT)]),
}


@pytest.mark.parametrize("rule", DEFECTS)
def test_a_planted_defect_is_found_where_it_is_and_nothing_else(rule: str) -> None:
    do, rows = DEFECTS[rule]
    quality = quality_of(do(TABLE))
    assert {finding.rule: finding.count for finding in quality.findings} == {rule: len(rows)}
    (finding,) = quality.findings
    found = [example.key for example in finding.examples]
    assert sorted(found, key=str) == sorted((key(row) for row in rows), key=str)
    assert finding.share == pytest.approx(len(rows) / TABLE.num_rows, rel=0.001)


@pytest.mark.parametrize(
    "values",
    [
        {"bid": -0.05},
        {"bid": -1.0, "ask": -0.5},
        {"underlying_price": -5.0},
        {"underlying_price": 0.0},
    ],
)
def test_a_price_that_can_not_be_is_found(values: dict[str, float]) -> None:
    unsolved = dict.fromkeys([*ALL_GREEKS, "implied_vol"], 0.0)
    quality = quality_of(plant(TABLE, CALL, **unsolved, iv_error=100.0, **values))
    assert quality.found["price_bounds"] == 1


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("later", "rules"),
    [
        (EXPIRATION - DAY + timedelta(3), {"after_expiration"}),
        (timedelta(2), {"after_expiration", "outside_hours"}),
        (-2 * HOUR, {"outside_hours"}),
        (8 * HOUR, {"outside_hours"}),
    ],
    ids=["after the expiration", "on a Saturday", "before the opening", "after the close"],
)
def test_a_row_at_a_time_that_can_not_be_is_found(later: timedelta, rules: set[str]) -> None:
    stamp = TABLE["timestamp"][CALL].as_py() + later
    table = plant(TABLE, CALL, timestamp=stamp, underlying_timestamp=stamp)
    assert rules <= quality_of(table).found.keys()


@pytest.mark.parametrize("right", ["C", "P"])
def test_no_quote_at_the_money_is_found_and_far_from_it_is_not(right: str) -> None:
    spot = TABLE["underlying_price"][CALL].as_py()
    unsolved = dict.fromkeys([*ALL_GREEKS, "implied_vol", "bid", "ask"], 0.0)
    near, far = (
        place(TABLE, step * round(spot * share / step), right, "11:00")
        for step, share in ((5, 1.0), (100, 1.03 if right == "C" else 0.97))
    )
    empty = plant(plant(TABLE, near, **unsolved, iv_error=100.0), far, **unsolved, iv_error=100.0)
    quality = quality_of(empty)
    assert quality.found == {"zero_bids": 1}
    assert quality.findings[0].examples[0].key == key(near)


def test_all_defects_of_a_day_are_found_each_at_its_rows() -> None:
    rows = {
        rule: place(TABLE, 5005.0 + 10 * n, "P", "14:00")
        for n, rule in enumerate(("gamma_bounds", "vega_bounds", "crossed_quotes", "iv_error"))
    }
    rows |= {
        rule: place(TABLE, 5190.0 + 5 * n, "C", "15:00")
        for n, rule in enumerate(("duplicates", "holes", "delta_bounds", "zero_greeks"))
    }
    table = plant(TABLE, rows["gamma_bounds"], gamma=-1.0)
    table = plant(table, rows["vega_bounds"], vega=-1.0)
    table = crossing(table, rows["crossed_quotes"])
    table = plant(table, rows["iv_error"], iv_error=-0.5)
    table = plant(table, rows["delta_bounds"], delta=-0.01)
    table = plant(table, rows["zero_greeks"], **dict.fromkeys(ALL_GREEKS, 0.0))
    # From the back: what moves rows comes last.
    for rule in sorted(("duplicates", "holes"), key=lambda rule: -rows[rule]):
        change = again if rule == "duplicates" else without
        table = change(table, rows[rule])
    quality = quality_of(table)
    assert {f.rule: [e.key for e in f.examples] for f in quality.findings} == {
        rule: [key(rows[rule])] for rule in RULES if rule in rows
    }


@pytest.mark.parametrize("greeks", ORDERS)
def test_a_value_that_is_missing_in_any_column_is_found(greeks: str) -> None:
    interval = ORDERS[greeks].interval("30m")
    table = MARKET.rows("SPXW", EXPIRATION, DAY, interval if interval != "eod" else "5m", greeks)
    row = table.num_rows // 2
    for name in ORDERS[greeks].columns:
        quality = quality_of(plant(table, row, **{name: None}), interval)
        assert quality.found["missing_values"] == 1, name
        finding = quality.findings[0]
        assert finding.examples[0].key == key(row, table)
        assert finding.examples[0].values == {name: None}


def test_a_column_without_any_number_is_found() -> None:
    empty = pa.nulls(TABLE.num_rows, pa.float64())
    place = TABLE.schema.get_field_index("vega")
    found = quality_of(TABLE.set_column(place, TABLE.field("vega"), empty)).found
    assert found["missing_values"] == TABLE.num_rows


def test_quotes_may_be_missing_at_the_end_of_a_day_before_december_2023_only() -> None:
    for day, rows in ((date(2023, 11, 30), 0), (date(2023, 12, 1), 1)):
        table = MARKET.rows("SPXW", date(2023, 12, 15), day, "5m", "eod")
        quotes = dict.fromkeys(
            [name for name in ORDERS["eod"].columns if name[:3] in ("bid", "ask")]
        )
        found = quality_of(plant(table, 7, **quotes), "eod").found
        assert found.get("missing_values", 0) == rows


def test_rows_at_a_finer_interval_than_was_asked_for_are_found() -> None:
    finer = MARKET.rows("SPXW", EXPIRATION, DAY, "15m", "first_order")
    contracts = finer.num_rows // 27
    quality = quality_of(finer, "30m")
    assert quality.found == {"off_grid": 13 * contracts}
    assert quality.findings[0].examples[0].key["timestamp"] == "2024-03-14T09:45:00.000-04:00"
    assert quality_of(finer, "15m").findings == ()
    gate = QualityGate(limits=parse_limits("off_grid>5%"))
    failure = gate.failure(quality)
    assert failure is not None
    assert "off_grid>5% is exceeded" in failure.message


def test_rows_at_a_coarser_interval_than_was_asked_for_are_found() -> None:
    assert quality_of(TABLE, "5m").found == {"holes": 65 * TABLE.num_rows // 14}


@pytest.mark.parametrize("interval", ["30m", "tick"])
def test_rows_before_or_after_the_times_that_were_asked_for_are_found(interval: str) -> None:
    request = GreeksRequest(
        "SPXW",
        EXPIRATION,
        (DAY,),
        interval,
        "all",
        (("end_time", "15:00:00"), ("start_time", "10:00:00")),
    )
    check = QualityCheck.of(request)
    for group in RowGroups.of(TABLE.to_batches()):
        check.add(group)
    assert check.finish().found["off_grid"] == 3 * TABLE.num_rows // 14


def _of_strikes(
    order: str, asked: int, *served: int | None, days: tuple[date, ...] = (DAY,), shift: int = 0
) -> tuple[Quality, list[int]]:
    """What a check finds where each trade date has the strikes of another range, and their rows."""
    tables = []
    for day, around in zip(days, served, strict=True):
        whole = MARKET.rows("SPXW", EXPIRATION, day, "30m", order)
        listed = sorted(set(whole["strike"].to_pylist()))
        spot = whole["underlying_price"][0].as_py()
        money = min(range(len(listed)), key=lambda n: abs(listed[n] - spot)) + shift
        strikes = listed if around is None else listed[money - around : money + around + 1]
        tables.append(whole.filter(pa.compute.is_in(whole["strike"], pa.array(strikes))))
    interval = ORDERS[order].interval("30m")
    given = (("strike_range", str(asked)),)
    check = QualityCheck.of(GreeksRequest("SPXW", EXPIRATION, days, interval, order, given))
    for group in RowGroups.of(pa.concat_tables(tables).to_batches()):
        check.add(group)
    return check.finish(), [table.num_rows for table in tables]


# Trades are not of every strike.
WITH_PRICE = [
    name for name, order in ORDERS.items() if {"underlying_price", "bid"} <= {*order.columns}
]


@pytest.mark.parametrize("order", WITH_PRICE)
@pytest.mark.parametrize("asked", [1, 2, 40])
def test_as_many_strikes_as_strike_range_asks_for_are_no_finding(order: str, asked: int) -> None:
    quality, _ = _of_strikes(order, asked, asked, asked, days=(date(2024, 3, 13), DAY))
    assert "strike_range" not in quality.found


@pytest.mark.parametrize("order", WITH_PRICE)
@pytest.mark.parametrize("served", [3, 10, None])
def test_more_strikes_than_strike_range_asks_for_are_found_with_their_rows(
    order: str, served: int | None
) -> None:
    quality, (first, second) = _of_strikes(order, 2, 2, served, days=(date(2024, 3, 13), DAY))
    assert quality.found["strike_range"] == second - 5 * (first // 5)
    (finding,) = (one for one in quality.findings if one.rule == "strike_range")
    (example,) = finding.examples
    assert example.key["timestamp"] == "2024-03-14T00:00:00.000-04:00"
    if served:
        assert example.values == {"strikes": 2 * served + 1}


@pytest.mark.parametrize("shift", [-40, 40])
def test_strikes_around_another_price_than_the_underlyings_are_found(shift: int) -> None:
    quality, (rows,) = _of_strikes("first_order", 3, 3, shift=shift)
    # The nearest four of the seven may be one at the money and three beyond it.
    assert quality.found["strike_range"] == rows * 3 // 7


@pytest.mark.parametrize("right", ["C", "P"])
def test_a_trade_date_with_one_right_only_is_found(right: str) -> None:
    days = [date(2024, 3, 13), DAY]
    both, one = (MARKET.rows("SPXW", EXPIRATION, day, "30m", "first_order") for day in days)
    one = one.filter(pa.compute.equal(one["right"], right))
    check = QualityCheck.of(GreeksRequest("SPXW", EXPIRATION, tuple(days), "30m"))
    for group in RowGroups.of(pa.concat_tables([both, one]).to_batches()):
        check.add(group)
    quality = check.finish()
    assert quality.found == {"one_right": one.num_rows}
    (example,) = quality.findings[0].examples
    assert example.key["timestamp"] == "2024-03-14T00:00:00.000-04:00"
    assert example.values == {
        "calls": one.num_rows * (right == "C"),
        "puts": one.num_rows * (right == "P"),
    }
    # Of a file of which nobody knows what was asked for, it is no finding.
    assert quality_of(one).findings == ()


def test_rows_outside_hours_are_found() -> None:
    # As of a file whose New York times were taken for UTC.
    shifted = TABLE["timestamp"].cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy() - 4 * 3600_000
    stamps = pa.array(shifted).cast(pa.timestamp("ms", "America/New_York"))
    table = TABLE.set_column(4, TABLE.field("timestamp"), stamps)
    found = quality_of(table).found
    contracts = TABLE.num_rows // 14
    assert found["outside_hours"] == 8 * contracts  # 05:30 to 09:00
    assert found["future_underlying"] == TABLE.num_rows


def test_rows_after_the_expiration_and_on_a_weekend_are_found() -> None:
    sunday = EXPIRATION + timedelta(2)
    stamp = TABLE["timestamp"][CALL].as_py().replace(day=sunday.day)
    quality = quality_of(plant(TABLE, CALL, timestamp=stamp, underlying_timestamp=stamp))
    assert {f.rule for f in quality.findings} >= {"after_expiration", "outside_hours", "holes"}
    assert quality.found["after_expiration"] == quality.found["outside_hours"] == 1


@pytest.mark.parametrize("greeks", ORDERS)
@pytest.mark.parametrize(
    ("expiration", "day"),
    [
        (EXPIRATION, DAY),
        (DAY, DAY),
        (date(2024, 4, 19), DAY),
        (date(2024, 11, 29), date(2024, 11, 29)),
        (date(2024, 7, 5), date(2024, 7, 3)),
    ],
    ids=["a day to go", "expiring", "a month to go", "half day, expiring", "half day"],
)
def test_a_clean_day_has_statistics_and_no_finding(
    greeks: str, expiration: date, day: date
) -> None:
    table = MARKET.rows("SPXW", expiration, day, "30m", greeks)
    quality = quality_of(table, ORDERS[greeks].interval("30m"))
    assert quality.findings == ()
    assert quality.rows == table.num_rows > 50
    assert quality.trade_dates == 1
    contracts = {*zip(table["strike"].to_pylist(), table["right"].to_pylist(), strict=True)}
    assert quality.contracts == len(contracts)
    if "implied_vol" in ORDERS[greeks].columns:
        assert quality.counts["unsolved_iv"] > 0
    assert json.loads(json.dumps(quality.describe())) == quality.describe()


INTEREST = MARKET.rows("SPXW", EXPIRATION, date(2024, 3, 11), "5m", "open_interest", DAY)


def test_bad_open_interest_is_found_and_a_contract_without_a_report_is_no_finding() -> None:
    assert quality_of(INTEREST, "eod").findings == ()
    negative = quality_of(plant(INTEREST, 7, open_interest=-3), "eod")
    assert negative.found == {"open_interest_bounds": 1}
    assert negative.findings[0].examples[0].values == {"open_interest": -3.0}
    assert quality_of(plant(INTEREST, 7, open_interest=None), "eod").found == {"missing_values": 1}
    assert quality_of(pa.concat_tables([INTEREST[:6], INTEREST[7:]]), "eod").findings == ()
    twice = pa.concat_tables([INTEREST[:7], INTEREST[6:]])
    assert quality_of(twice, "eod").found == {"duplicates": 1}


def test_more_strikes_than_strike_range_asks_for_are_found_without_a_price_too() -> None:
    given = (("strike_range", "2"),)
    for served, found in ((5, 0), (7, 4)):
        check = QualityCheck.of(
            GreeksRequest("SPXW", EXPIRATION, (DAY,), "eod", "open_interest", given)
        )
        table = MARKET.rows("SPXW", EXPIRATION, DAY, "5m", "open_interest")
        for group in RowGroups.of(table[: 2 * served].to_batches()):
            check.add(group)
        assert check.finish().found.get("strike_range", 0) == found


BARS = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "ohlc")
TRADED = BARS["count"].to_pylist().index(max(BARS["count"].to_pylist()))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"open": 9e9}, "bar_bounds"),
        ({"close": 0.0}, "bar_bounds"),
        ({"low": 9e9}, "bar_bounds"),
        ({"low": -0.05}, "price_bounds"),
        ({"volume": -1}, "size_bounds"),
        ({"count": -1}, "size_bounds"),
        ({"vwap": None}, "missing_values"),
    ],
    ids=str,
)
def test_a_bad_bar_is_found(values: dict[str, float | None], rule: str) -> None:
    quality = quality_of(plant(BARS, TRADED, **values), "30m")
    assert quality.found == {rule: 1}
    assert quality.findings[0].examples[0].values.items() >= values.items()


def test_a_bar_that_begins_at_the_end_may_be_missing_and_any_other_may_not() -> None:
    times = [stamp.strftime("%H:%M") for stamp in BARS["timestamp"].to_pylist()]
    last = [n for n, time in enumerate(times) if time == "16:00"]
    assert quality_of(without(BARS, *last), "30m").findings == ()
    assert quality_of(without(BARS, *last, last[0] - 1), "30m").found == {"holes": 1}


def test_bars_of_v2_lack_an_average_price() -> None:
    assert quality_of(MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "ohlc_v2"), "30m").findings == ()


def test_a_trade_of_no_contract_or_of_less_than_nothing_is_found() -> None:
    trades = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "trade_implied_volatility")
    for values, rule in (({"size": -2}, "size_bounds"), ({"price": -0.05}, "price_bounds")):
        assert quality_of(plant(trades, 7, **values), "tick").found[rule] == 1


def test_a_trade_that_is_there_twice_is_found_wherever_a_row_group_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_groups, "GROUP_ROWS", 8192)
    trades = MARKET.rows("SPXW", EXPIRATION, DAY, "30m", "trade_implied_volatility")
    for row in (7, 8191, 8192):
        quality = quality_of(again(trades, row), "tick")
        assert quality.found == {"duplicates": 1}
        (example,) = quality.findings[0].examples
        assert example.values == {"sequence": trades["sequence"][row].as_py()}


def test_v2_days_that_end_have_no_finding() -> None:
    assert quality_of(MARKET.rows("SPXW", EXPIRATION, DAY, "5m", "eod_v2"), "eod").findings == ()


def test_end_of_day_rows_have_duplicates_and_holes_by_trade_date() -> None:
    days = calendar.trading_days(date(2024, 3, 8), DAY)
    table = MARKET.rows("SPXW", date(2024, 3, 28), days[0], "5m", "eod", last_date=days[-1])
    assert quality_of(table, "eod").findings == ()
    assert quality_of(table, "eod").trade_dates == len(days) == 5
    # Two reports of one day, as v2 was seen to serve, and a day that is missing in the middle.
    later = table["timestamp"][1].as_py() + timedelta(minutes=10)
    double = plant(again(table, 1), 2, timestamp=later)
    quality = quality_of(without(double, 8), "eod")
    assert quality.found == {"duplicates": 1, "holes": 1}


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5))
def test_how_rows_are_cut_into_batches_changes_nothing(sizes: list[int]) -> None:
    check = QualityCheck("30m")
    for group in RowGroups.of(cut(DAMAGED, itertools.cycle(sizes))):
        check.add(group)
    assert check.finish() == EXPECTED


DAMAGED = swapped(again(without(plant(TABLE, CALL, delta=2.0), PUT), DEEP), PUT + 40)
EXPECTED = quality_of(DAMAGED)


def test_rows_that_come_time_by_time_are_judged_alike() -> None:
    order = np.lexsort((np.arange(DAMAGED.num_rows), DAMAGED["timestamp"].to_numpy()))
    by_time = quality_of(DAMAGED.take(order), None)
    expected = {rule: n for rule, n in EXPECTED.found.items() if rule != "out_of_order"}
    assert len(expected) == 3
    assert by_time.found == expected


def test_a_time_that_every_contract_lacks_is_a_hole_if_the_interval_is_known() -> None:
    clock = pa.compute.strftime(TABLE["timestamp"], "%H:%M")
    table = TABLE.filter(pa.compute.not_equal(clock, "13:00"))
    contracts = TABLE.num_rows // 14
    assert quality_of(table).found == {"holes": contracts}
    assert quality_of(table, None).found == {"holes": contracts}
    (finding,) = quality_of(table).findings
    assert finding.share == pytest.approx(1 / 14)
    assert finding.examples[0].key["timestamp"] == "2024-03-14T13:00:00.000-04:00"


def test_a_contract_that_is_served_twice_is_double_and_not_out_of_order() -> None:
    block = TABLE.slice(140, 14)
    quality = quality_of(pa.concat_tables([TABLE, block]))
    assert quality.found == {"duplicates": 14}


def test_a_grid_that_ends_with_an_early_close_has_no_hole() -> None:
    day = date(2024, 7, 3)
    table = MARKET.rows("SPXW", date(2024, 7, 5), day, "30m")
    clock = pa.compute.strftime(table["timestamp"], "%H:%M")
    assert quality_of(table.filter(pa.compute.less_equal(clock, "13:00"))).findings == ()
    short = quality_of(table.filter(pa.compute.less_equal(clock, "12:30")))
    assert set(short.found) == {"holes"}


def test_start_and_end_times_of_a_request_are_no_holes() -> None:
    parameters = (("end_time", "12:00:00"), ("start_time", "10:00:00.000"))
    request = GreeksRequest("SPXW", EXPIRATION, (DAY,), "30m", "all", parameters)
    clock = pa.compute.strftime(TABLE["timestamp"], "%H:%M")
    inside = pa.compute.and_(
        pa.compute.greater_equal(clock, "10:00"), pa.compute.less_equal(clock, "12:00")
    )
    check = QualityCheck.of(request)
    for group in RowGroups.of(TABLE.filter(inside).to_batches()):
        check.add(group)
    assert check.finish().findings == ()


def test_ticks_have_neither_holes_nor_duplicates() -> None:
    quality: Quality = quality_of(without(again(TABLE, CALL), PUT), "tick")
    assert quality.findings == ()


def test_contracts_and_trade_dates_of_ticks_are_counted() -> None:
    days = [date(2024, 3, 8), date(2024, 3, 11)]
    table = pa.concat_tables([MARKET.rows("SPXW", EXPIRATION, day, "30m") for day in days])
    ticks, steps = quality_of(table, "tick"), quality_of(table)
    assert (ticks.contracts, ticks.trade_dates) == (steps.contracts, steps.trade_dates)
    assert ticks.trade_dates == 2


def test_examples_are_the_worst_and_few() -> None:
    table = TABLE
    for n in range(7):
        table = plant(table, CALL + 28 * n, gamma=-1.0 - n)
    (finding,) = quality_of(table).findings
    assert finding.count == 7
    assert [example.values["gamma"] for example in finding.examples] == [-7, -6, -5, -4, -3]


def test_trade_dates_on_both_sides_of_a_change_of_clocks_have_no_finding() -> None:
    days = [date(2024, 3, 8), date(2024, 3, 11)]
    table = pa.concat_tables([MARKET.rows("SPXW", EXPIRATION, day, "30m") for day in days])
    quality = quality_of(table)
    assert quality.findings == ()
    assert quality.trade_dates == 2
    gone = place(table, 5150.0, "C", "11:00", days[1])
    (finding,) = quality_of(without(table, gone)).findings
    assert finding.examples[0].key["timestamp"] == "2024-03-11T11:00:00.000-04:00"
    gone = place(table, 5150.0, "C", "11:00", days[0])
    (finding,) = quality_of(without(table, gone)).findings
    assert finding.examples[0].key["timestamp"] == "2024-03-08T11:00:00.000-05:00"

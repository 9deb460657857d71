"""The check finds nothing where there is nothing, and each planted fault where it is.

`bench/ground_truth.py` sweeps the whole market; this is a sample of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from bench.ground_truth import CASES, CHOSEN, SWEPT, Case, case, sample
from tests.support.oracle import Market
from tests.support.plant import DAY, EXPIRATION
from transforms.audit.assumptions import Assumptions
from transforms.audit.audit import Audit
from transforms.orders.schema import ALL_GREEKS
from transforms.pricing import black_scholes as bs
from transforms.pricing.conventions import midpoint
from transforms.pricing.implied_volatility import implied_volatility
from transforms.quality.limits import RULES, TOGETHER

Rows = NDArray[np.int64]

MARKET = Market()
LATER = date(2024, 3, 18)


@pytest.mark.parametrize("case", [*sample(0, 60)], ids=str)
def test_a_sample_of_three_years_has_no_finding(case: Case) -> None:
    _, findings = case.findings()
    assert findings == []


def test_the_sweep_has_every_day_with_every_order_and_every_other_pair_of_values() -> None:
    cases = [astuple(case(number)) for number in range(CASES)]
    assert len({one[:2] for one in cases}) == CASES  # orders and days
    axes = (*SWEPT, *CHOSEN)
    for a, b in combinations([place for place in range(len(axes)) if place != 1], 2):
        assert len({(one[a], one[b]) for one in cases}) == len(axes[a]) * len(axes[b])


CONTRACT = ("strike", "right", "timestamp")


def near(expiration: date) -> pa.Table:
    table = MARKET.rows("SPXW", expiration, DAY, "30m", "all")
    strike = table["strike"].to_numpy()
    return table.filter(pa.array((strike >= 5080) & (strike <= 5240)))


TABLE = near(EXPIRATION)
NUMBERS = {name: TABLE[name].to_numpy() for name in TABLE.column_names}
CALLS = TABLE["right"].to_numpy(zero_copy_only=False) == "C"
IN_THE_MONEY = np.where(CALLS, 1, -1) * (NUMBERS["underlying_price"] / NUMBERS["strike"] - 1)
SOLVED = (NUMBERS["bid"] > 0) & (NUMBERS["implied_vol"] > 0)
OUT_OF_THE_MONEY = SOLVED & (IN_THE_MONEY < 0)
DEEP = SOLVED & (IN_THE_MONEY > 0.011)
APART = SOLVED & (np.arange(TABLE.num_rows) % 14 % 2 == 1)  # no two are neighbours


def edited(table: pa.Table, rows: Rows, **values: Any) -> pa.Table:
    for name, new in values.items():
        column = table[name].combine_chunks()
        kind = pa.int64() if pa.types.is_timestamp(column.type) else column.type
        cells = column.cast(kind).to_numpy(zero_copy_only=False).copy()
        cells[rows] = new
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.field(name), pa.array(cells, kind).cast(column.type))
    return table


def cut(values: Any) -> Any:
    return np.trunc(np.asarray(values, np.float64) * 10_000) / 10_000


def computed(table: pa.Table, rows: Rows, price: Any, stretch: float = 1.0) -> pa.Table:
    """Returns the table with rows as the vendor would compute them from a price."""
    spot, strike = (table[name].to_numpy()[rows] for name in ("underlying_price", "strike"))
    clock = (table["timestamp"].cast(pa.int64()).to_numpy()[rows] / 1000 - 4 * 3600) % 86400
    years = years_at(clock, table["expiration"][0].as_py())
    call = table["right"].to_numpy(zero_copy_only=False)[rows] == "C"
    found = implied_volatility(price, spot, strike, years, 0.0531, call)
    volatility = found.volatility * stretch
    greeks = bs.greeks(spot, strike, years, 0.0531, volatility, call)
    values = {"implied_vol": volatility, "iv_error": found.error, **greeks}
    return edited(table, rows, **{name: cut(one) for name, one in values.items()})


def years_at(clock: Any, expiration: date) -> Any:
    return ((expiration - DAY).days + (57600 - clock) / 86400) / 365


def requoted(table: pa.Table, rows: Rows, more: float) -> pa.Table:
    """Returns the table with dearer quotes in some rows, and all that is computed from them."""
    bid, ask = (np.round(table[name].to_numpy()[rows] + more, 2) for name in ("bid", "ask"))
    return computed(edited(table, rows, bid=bid, ask=ask), rows, midpoint(bid, ask))


def unquoted(table: pa.Table, rows: Rows) -> pa.Table:
    nothing = dict.fromkeys(("bid", "ask", "implied_vol", *ALL_GREEKS), 0.0)
    delta = np.where(CALLS[rows], 1.0, -1.0)
    return edited(table, rows, **nothing | {"iv_error": 100.0, "delta": delta})


def later(column: str, **span: float) -> Callable[[pa.Table, Rows], pa.Table]:
    step = timedelta(**span) // timedelta(milliseconds=1)
    return lambda t, rows: edited(
        t, rows, **{column: t[column].cast(pa.int64()).to_numpy()[rows] + step}
    )


def swapped(table: pa.Table, rows: Rows) -> pa.Table:
    order = np.arange(table.num_rows)
    order[rows], order[rows - 1] = rows - 1, rows
    return table.take(order)


def set_to(**values: Any) -> Callable[[pa.Table, Rows], pa.Table]:
    return lambda t, rows: edited(t, rows, **values)


def times(name: str, factor: float) -> Callable[[pa.Table, Rows], pa.Table]:
    return lambda t, rows: edited(t, rows, **{name: t[name].to_numpy()[rows] * factor})


def large(name: str) -> NDArray[np.bool_]:
    """Returns the rows whose number is not among the smaller half."""
    size = np.abs(NUMBERS[name])
    return np.asarray(SOLVED & (size > np.median(size[SOLVED])))


GREEKS = {"recomputed_greeks"}
IV = {"recomputed_iv"}
PROFIT = {"put_call_parity", "monotonicity", "convexity", "calendar_arbitrage"}
# By rule: what is planted, which other rules the same rows break by their nature, and where it can
# be seen.
FAULTS: Mapping[str, tuple[Callable[[pa.Table, Rows], pa.Table], set[str], NDArray[np.bool_]]] = {
    "missing_values": (set_to(vega=np.nan), set(), SOLVED),
    "delta_bounds": (set_to(delta=1.5), GREEKS, SOLVED),
    "gamma_bounds": (set_to(gamma=-0.01), GREEKS, SOLVED),
    "vega_bounds": (set_to(vega=-5.0), GREEKS, SOLVED),
    "iv_bounds": (set_to(implied_vol=-0.2), IV, SOLVED),
    "price_bounds": (set_to(underlying_price=0.0), set(), SOLVED),
    "zero_greeks": (set_to(**dict.fromkeys(ALL_GREEKS, 0.0)), GREEKS, SOLVED),
    "unsolved_iv": (set_to(implied_vol=0.0), IV, OUT_OF_THE_MONEY),
    "iv_error": (set_to(iv_error=0.3), set(), SOLVED),
    "zero_bids": (unquoted, set(), DEEP),
    "crossed_quotes": (
        lambda t, rows: edited(t, rows, bid=NUMBERS["ask"][rows], ask=NUMBERS["bid"][rows]),
        PROFIT,
        SOLVED,
    ),
    "stale_underlying": (later("underlying_timestamp", minutes=-7), set(), SOLVED),
    "future_underlying": (later("underlying_timestamp", hours=4), set(), SOLVED),
    "off_grid": (later("timestamp", milliseconds=7), {"holes"}, SOLVED),
    "duplicates": (
        lambda t, rows: t.take(np.sort(np.concatenate([np.arange(t.num_rows), rows]))),
        set(),
        SOLVED,
    ),
    "out_of_order": (swapped, set(), APART),
    "holes": (
        lambda t, rows: t.take(np.setdiff1d(np.arange(t.num_rows), rows)),
        set(),
        SOLVED,
    ),
    "recomputed_iv": (
        lambda t, rows: computed(
            t, rows, midpoint(NUMBERS["bid"][rows], NUMBERS["ask"][rows]), 1.05
        ),
        set(),
        SOLVED,
    ),
    **{
        f"recomputed_greeks, {name}": (times(name, 0.9), set(), large(name))
        for name in ALL_GREEKS
        if name != "speed"  # of an index, it has hardly a digit
    },
    "put_call_parity": (lambda t, rows: requoted(t, rows, 4.0), PROFIT, SOLVED & CALLS),
    "monotonicity": (lambda t, rows: requoted(t, rows, 8.0), PROFIT, SOLVED & CALLS),
    "convexity": (lambda t, rows: requoted(t, rows, 2.5), PROFIT, OUT_OF_THE_MONEY & ~CALLS),
}


def found_in(*tables: pa.Table) -> dict[str, int]:
    audit = Audit(Assumptions(interval="30m"))
    for table in tables:
        audit.add(table)
    counts: dict[str, int] = {}
    for one in audit.finish():
        for finding in one.findings:
            counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
    return counts


def some(places: NDArray[np.bool_], share: float) -> Rows:
    """Returns a row, or a share of those where a fault can be seen."""
    rows = np.flatnonzero(places)
    order = np.random.default_rng(7).permutation(rows)
    return np.sort(order[: max(round(share * len(rows)), 1)])


def test_the_rows_that_faults_are_planted_in_have_no_finding() -> None:
    assert found_in(TABLE) == {}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5], ids=["a row", "1 %", "50 %"])
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found_and_nothing_else(fault: str, share: float) -> None:
    rule = fault.split(",")[0]
    plant, others, places = FAULTS[fault]
    rows = some(places, share)
    found = found_in(plant(TABLE, rows))
    assert set(found) <= {rule, *others}
    if rule in PROFIT:
        assert found[rule] > 0
    else:
        assert found[rule] == len(rows)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5], ids=["a row", "1 %", "50 %"])
def test_later_expirations_that_are_cheaper_are_found_and_nothing_else(share: float) -> None:
    later = near(LATER)
    assert found_in(TABLE, later) == {}
    keys, earlier = (
        list(zip(*(table[name].to_pylist() for name in CONTRACT), strict=True))
        for table in (later, TABLE)
    )
    bids = dict(zip(earlier, NUMBERS["bid"].tolist(), strict=True))
    worth = np.array([bids.get(key, 0) > 3 for key in keys])
    strike, spot = (later[name].to_numpy() for name in ("strike", "underlying_price"))
    call = later["right"].to_numpy(zero_copy_only=False) == "C"
    rows = some(worth & np.where(call, strike > spot, strike < spot), share)
    # Sells at the ask for less than the earlier expiration fetches.
    ask = np.array([round(bids[keys[row]] - 2.5, 2) for row in rows])
    cheap = edited(later, rows, bid=np.round(ask - 0.1, 2), ask=ask)
    found = found_in(TABLE, computed(cheap, rows, midpoint(np.round(ask - 0.1, 2), ask)))
    assert set(found) <= PROFIT
    assert found["calendar_arbitrage"] == len(rows)


def test_every_rule_has_a_planted_fault() -> None:
    planted = {fault.split(",")[0] for fault in FAULTS}
    # Each of these has a test of its own.
    elsewhere = {"one_right", "strike_range", "outside_hours", "after_expiration", "missing_dates"}
    elsewhere |= {"calendar_arbitrage", "open_interest_bounds"}  # above, and in test_check
    elsewhere |= {"bar_bounds", "size_bounds"}
    assert planted | elsewhere == {*RULES, *TOGETHER}

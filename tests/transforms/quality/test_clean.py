"""What the compiled look lets pass, the rules let pass, and it counts what they count."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulator.market.market import Market
from tests.support.plant import DAY, EXPIRATION, place, plant
from tests.transforms.quality.test_check import DEFECTS
from transforms.native import compiled
from transforms.quality.block import Block, arrays
from transforms.quality.clean import Clean, CleanLook
from transforms.quality.rules import counted, error_of, violations
from transforms.quality.time_runs import Runs

pytestmark = pytest.mark.skipif(not compiled.THERE, reason="there is no compiled code here")

MINUTES = 30
MARKET = Market()
TABLE = MARKET.rows("SPXW", EXPIRATION, DAY, f"{MINUTES}m", "all")
FIRST = MARKET.rows("SPXW", EXPIRATION, DAY, f"{MINUTES}m", "first_order")
NUMBERS = [name for name in TABLE.column_names if pa.types.is_floating(TABLE[name].type)]


def block_of(
    table: pa.Table, expiration: date = EXPIRATION, *, daily: bool = False, dividend: float = 0.0
) -> Block:
    return Block(arrays(table), expiration, daily, dividend)


def look_at(block: Block) -> Clean | None:
    return CleanLook().at(block, MINUTES * 60_000)


def held_against_the_rules(block: Block) -> dict[str, int] | None:
    clean = look_at(block)
    if clean is None:
        return None
    with np.errstate(all="ignore"):
        assert list(clean.counts.items()) == list(counted(block))
        assert list(violations(block)) == []
        rows, total, most = error_of(block)
    assert (clean.error[0], clean.error[2]) == (rows, most)
    assert clean.error[1] == pytest.approx(total, rel=1e-13)
    expected = Runs.of(block.code, block.time, MINUTES * 60_000)
    assert clean.runs is not None
    for name in ("code", "first", "count"):
        assert getattr(clean.runs, name).tolist() == getattr(expected, name).tolist()
    return clean.counts


@pytest.mark.parametrize("greeks", ["first_order", "second_order", "third_order", "all"])
@pytest.mark.parametrize(
    ("expiration", "day"),
    [
        (EXPIRATION, DAY),
        (date(2024, 3, 14), DAY),  # the last day, with volatilities and Greeks of 0
        (date(2024, 12, 20), DAY),
        (date(2023, 11, 27), date(2023, 11, 24)),  # an early close, after which quotes are old
    ],
)
def test_a_markets_rows_are_clean_and_counted_as_the_rules_count_them(
    greeks: str, expiration: date, day: date
) -> None:
    table = MARKET.rows("SPXW", expiration, day, "5m", greeks)
    counts = held_against_the_rules(block_of(table, expiration))
    assert counts is not None
    assert counts["unsolved_iv"] > 0
    assert counts["empty_quotes"] > 0


def test_rows_of_several_trade_dates_are_clean_together() -> None:
    days = [DAY - timedelta(n) for n in (2, 1, 0)]
    tables = [MARKET.rows("SPXW", EXPIRATION, day, "30m", "first_order") for day in days]
    assert held_against_the_rules(block_of(pa.concat_tables(tables))) is not None


@pytest.mark.parametrize("rule", sorted({*DEFECTS} - {"duplicates", "out_of_order", "holes"}))
def test_a_planted_defect_is_left_to_the_rules(rule: str) -> None:
    block = block_of(DEFECTS[rule][0](TABLE))
    assert look_at(block) is None
    with np.errstate(all="ignore"):
        assert [one.rule for one in violations(block)] == [rule]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "later",
    [EXPIRATION - DAY + timedelta(1), timedelta(2), -2 * HOUR, 8 * HOUR],
    ids=["after the expiration", "on a Saturday", "before the opening", "after the close"],
)
def test_rows_at_times_that_can_not_be_are_left_to_the_rules(later: timedelta) -> None:
    row = place(FIRST, 5200.0, "C", "11:00")
    stamp = FIRST["timestamp"][row].as_py() + later
    block = block_of(plant(FIRST, row, timestamp=stamp, underlying_timestamp=stamp))
    assert look_at(block) is None
    assert list(violations(block))


def test_what_it_does_not_know_is_left_to_the_rules() -> None:
    assert look_at(block_of(FIRST.drop_columns(["iv_error"]))) is None
    assert look_at(block_of(FIRST, daily=True)) is None
    # The clocks change between them.
    march = [date(2024, 3, 8), date(2024, 3, 12)]
    tables = [MARKET.rows("SPXW", EXPIRATION, day, "30m", "first_order") for day in march]
    assert look_at(block_of(pa.concat_tables(tables))) is None


def test_the_time_of_the_underlyings_price_may_be_unknown() -> None:
    counts = held_against_the_rules(block_of(plant(FIRST, 40, underlying_timestamp=None)))
    assert counts is not None


def near(value: float) -> st.SearchStrategy[float]:
    return st.sampled_from([value, *(value + n * 10.0**-k for k in (1, 4, 7, 9) for n in (-1, 1))])


CELL = st.one_of(
    near(0.0),
    near(1.0),
    near(100.0),
    near(5150.0),
    st.floats(-1e4, 1e4),
    st.sampled_from([-0.0, float("nan"), float("inf"), -float("inf"), 1e308]),
)


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(
        st.tuples(st.integers(0, TABLE.num_rows - 1), st.sampled_from(NUMBERS), CELL),
        min_size=1,
        max_size=3,
    ),
    first_order=st.booleans(),
    dividend=st.sampled_from([0.0, 75.0]),
)
def test_whatever_is_in_a_cell_nothing_passes_that_a_rule_finds(
    cells: list[tuple[int, str, float]], first_order: bool, dividend: float
) -> None:
    table = FIRST if first_order else TABLE
    for row, name, value in cells:
        if name in table.column_names:
            table = plant(table, row, **{name: value})
    held_against_the_rules(block_of(table, dividend=dividend))


@settings(max_examples=150, deadline=None)
@given(
    row=st.integers(0, FIRST.num_rows - 1),
    bid=st.integers(0, 30_000),
    spread=st.integers(0, 300),
    volatility=st.sampled_from([0.0, 0.0001, 0.2]),
    error=st.sampled_from([0.0, 0.0003, 0.01, 99.9999, 100.0]),
    spot=st.integers(400_000, 600_000),
    zero=st.booleans(),
    age=st.sampled_from([0, 299_999, 300_000, 300_001, -60_000, -60_001, 10**8]),
)
def test_however_near_a_row_is_to_a_rule_nothing_passes_that_it_finds(
    row: int,
    bid: int,
    spread: int,
    volatility: float,
    error: float,
    spot: int,
    zero: bool,
    age: int,
) -> None:
    cells: dict[str, Any] = {
        "bid": bid / 100,
        "ask": (bid + spread) / 100,
        "implied_vol": volatility,
        "iv_error": error,
        "underlying_price": spot / 100,
        "underlying_timestamp": FIRST["timestamp"][row].as_py() - timedelta(milliseconds=age),
    }
    if zero:
        names = ("delta", "theta", "vega", "rho", "epsilon", "lambda")
        cells |= dict.fromkeys(names, 0.0)
    held_against_the_rules(block_of(plant(FIRST, row, **cells)))


def with_other(arguments: list[Any], which: int, value: Any) -> list[Any]:
    return [value if n == which else argument for n, argument in enumerate(arguments)]


def test_a_column_of_another_length_is_an_error() -> None:
    block = block_of(FIRST)
    rows = len(block)
    numbers = tuple(np.ones(rows) for _ in range(6))
    good: list[Any] = [
        *(rows, (*numbers, None), block.is_call, block.instant, block.instant),
        (b"d", (np.zeros(rows),)),
        (19_000, 20_000, 0, 0.0, np.zeros(2, np.int64)),
        (0, 0, 0, 0, 0, 0.0, 0.0, 0.0),
        1,
        np.zeros(3 * rows, np.int64),
    ]
    assert compiled.look(*good) is None
    for which, wrong in [
        (0, rows + 1),
        (1, (*numbers[:5], np.ones(rows - 1), None)),
        (1, (*numbers, np.ones(3))),
        (2, block.is_call[1:]),
        (3, block.instant[:-1]),
        (4, block.instant[:-1].astype(np.int32)),
        (5, (b"d", (np.zeros(rows, np.float32),))),
    ]:
        with pytest.raises(ValueError, match="one value for each row"):
            compiled.look(*with_other(good, which, wrong))
    for which, wrong in [
        (0, -1),
        (1, numbers),
        (5, (b"", (np.zeros(rows),))),
        (5, (b" " * 33, (np.zeros(rows),) * 33)),
        (6, (19_000, 20_000, 86_400_000, 0.0, np.zeros(2, np.int64))),
        (8, -1),
        (8, 86_400_001),
    ]:
        with pytest.raises(ValueError, match="seven columns"):
            compiled.look(*with_other(good, which, wrong))
    with pytest.raises(ValueError, match="no room"):
        compiled.look(*with_other(good, 9, np.zeros(3 * rows - 1, np.int64)))

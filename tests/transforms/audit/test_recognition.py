"""What rows show of how they were computed: the count of time, and which price was solved."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from tests.support.oracle import Market
from tests.support.plant import block_of, place, plant
from tests.support.published import published
from transforms.audit.deviations import beyond
from transforms.audit.recognition import VERSIONS, count_of_time
from transforms.audit.recomputation import recompute_block
from transforms.audit.recomputed import Recomputed
from transforms.quality.block import Block
from transforms.quality.columns import arrays

MARKET = Market()
FRIDAY, MONDAY = date(2024, 3, 15), date(2024, 3, 18)


def findings(block: Block, ours: Recomputed) -> dict[str, int]:
    counts = {name: len(beyond(block, ours, name)) for name in block.greeks}
    counts["implied_vol"] = int(np.count_nonzero(~ours.right_iv))
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("order", "expiration"),
    [
        ("first_order", FRIDAY),
        ("first_order", MONDAY),
        ("all", FRIDAY),
        ("all", MONDAY),
        ("eod", FRIDAY),
    ],
)
def test_rows_of_the_last_week_show_their_count_of_time_against_a_wrong_guess(
    version: str, order: str, expiration: date
) -> None:
    table = MARKET.rows("SPXW", expiration, FRIDAY, "1h", order, version=version)
    block = block_of(table)
    assert count_of_time(block) == version
    (wrong,) = {*VERSIONS} - {version}
    ours = recompute_block(block, None, wrong)
    (rate,) = ours.rates.values()
    assert rate is not None
    assert abs(rate.rate - 0.0531) <= max(2 * rate.doubt, 1e-9)
    assert not findings(block, ours)


def test_rows_of_a_week_or_more_show_no_count_of_time() -> None:
    table = MARKET.rows("SPXW", date(2024, 4, 19), FRIDAY, "1h", "all")
    assert count_of_time(block_of(table)) is None


def test_orders_without_rho_and_epsilon_show_no_count_of_time() -> None:
    table = MARKET.rows("SPXW", MONDAY, FRIDAY, "1h", "second_order")
    assert count_of_time(block_of(table)) is None


@pytest.mark.parametrize("without", ["epsilon", "rho"])
def test_either_of_two_identities_shows_the_count_of_time(without: str) -> None:
    table = MARKET.rows("SPXW", MONDAY, FRIDAY, "1h", "all", version="1")
    assert count_of_time(block_of(table.drop_columns([without]))) == "1"


def test_rows_that_agree_with_neither_count_of_time_show_none() -> None:
    table = MARKET.rows("SPXW", MONDAY, FRIDAY, "1h", "first_order")
    index = table.schema.get_field_index("epsilon")
    other = pa.array(1.2 * table["epsilon"].to_numpy())
    assert count_of_time(block_of(table.set_column(index, "epsilon", other))) is None


@pytest.mark.parametrize(("generation", "order"), [("v2", "all"), ("v2", "first_order")])
def test_published_rows_of_v2_count_whole_days(generation: str, order: str) -> None:
    assert count_of_time(block_of(published(generation, order))) == "1"


def test_a_greek_that_half_of_the_rows_have_wrong_hides_no_count_of_time() -> None:
    table = MARKET.rows("SPXW", MONDAY, FRIDAY, "1h", "first_order")
    epsilon = np.where(np.arange(table.num_rows) % 2, 1, 1.5) * table["epsilon"].to_numpy()
    index = table.schema.get_field_index("epsilon")
    wrong = table.set_column(index, table.schema.field(index), pa.array(epsilon))
    assert count_of_time(block_of(wrong)) != "1"


@pytest.mark.parametrize(
    "days", [(8, 13), (4, 18), (8, 11)], ids=["friday", "fortnight", "weekend"]
)
@pytest.mark.parametrize("order", ["all", "eod", "implied_volatility"])
def test_a_span_across_the_clock_change_is_recomputed_without_a_finding(
    days: tuple[int, int], order: str
) -> None:
    trade_date, expiration = (date(2024, 3, day) for day in days)
    block = block_of(MARKET.rows("SPXW", expiration, trade_date, "1h", order))
    ours = recompute_block(block)
    (rate,) = ours.rates.values()
    assert rate is not None
    assert abs(rate.rate - 0.0531) <= max(2 * rate.doubt, 1e-9)
    assert not findings(block, ours)


@pytest.mark.parametrize("dual", [True, False], ids=["as served", "without the dual Greeks"])
def test_the_end_of_day_of_v3_is_solved_from_the_quotes_middle(dual: bool) -> None:
    table = MARKET.rows("SPXW", MONDAY, date(2024, 3, 14), greeks="eod")
    if not dual:
        table = table.drop_columns(["dual_delta", "dual_gamma"])
    block = block_of(table)
    ours = recompute_block(block)
    assert (ours.price == block.price_by("midpoint")).all()
    assert not findings(block, ours)


@pytest.mark.parametrize("quoted", [True, False], ids=["as served", "without quotes"])
def test_the_end_of_day_of_v2_is_solved_from_the_close(quoted: bool) -> None:
    table = MARKET.rows("SPXW", MONDAY, date(2024, 3, 14), greeks="eod_v2")
    if not quoted:
        table = table.drop_columns(["bid", "ask"])
    block = block_of(table)
    ours = recompute_block(block)
    assert (ours.price == block["close"]).all()
    assert not findings(block, ours)


def test_a_trade_is_recomputed_from_its_price() -> None:
    quotes = MARKET.rows("SPXW", MONDAY, date(2024, 3, 14), "1h", "all")
    table = quotes.append_column(
        "price", pa.array(Block(arrays(quotes), MONDAY, False).price)
    ).drop_columns(["bid", "ask"])
    block = block_of(table)
    assert block.prices == ("price",)
    assert not findings(block, recompute_block(block))
    rows = np.flatnonzero((block["price"] > 5) & (block["implied_vol"] > 0))
    wrong = block_of(plant(table, int(rows[0]), price=float(block["price"][rows[0]]) + 0.5))
    assert findings(wrong, recompute_block(wrong)) == {"implied_vol": 1}


@pytest.mark.parametrize("name", ["bid_implied_vol", "implied_vol", "ask_implied_vol"])
def test_each_of_three_volatilities_is_checked_against_its_own_price(name: str) -> None:
    table = MARKET.rows("SPXW", MONDAY, date(2024, 3, 14), "1h", "implied_volatility")
    row = place(table, 5150.0, "C", "11:30")
    block = block_of(plant(table, row, **{name: table[name][row].as_py() + 0.01}))
    ours = recompute_block(block)
    right = {"implied_vol": ours.right_iv} | {one: fits for one, (_, fits) in ours.sides.items()}
    assert {one: np.flatnonzero(~fits).tolist() for one, fits in right.items()} == {
        "bid_implied_vol": [],
        "implied_vol": [],
        "ask_implied_vol": [],
    } | {name: [row]}


def test_iv_error_of_three_volatilities_is_recomputed_as_their_mean() -> None:
    table = MARKET.rows("SPXW", MONDAY, date(2024, 3, 14), "1h", "implied_volatility")
    block = block_of(table)
    ours = recompute_block(block, 0.0531)
    np.testing.assert_allclose(ours.iv_error, block["iv_error"], atol=1.1e-4, rtol=1e-6)
    penny = (block["bid"] == 0) & (block["ask"] > 0)
    assert np.count_nonzero(np.abs(block["iv_error"][penny] - 33.3) < 0.5) > 10

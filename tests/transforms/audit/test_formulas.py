"""Which formulas a file's Greeks are by: recognised per file and per Greek, from its rows."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from tests.support.oracle import Market
from tests.support.plant import block_of
from tests.support.published import RATES, published
from transforms.arrays import Ints
from transforms.audit.deviations import beyond
from transforms.audit.formulas import Formulas
from transforms.audit.recomputation import recompute_block
from transforms.audit.recomputed import Recomputed
from transforms.pricing.black_scholes import Terms
from transforms.pricing.older_formulas import OLDER
from transforms.quality.block import Block

DAY, EXPIRATION = date(2024, 3, 14), date(2024, 3, 22)
TABLE = Market(symbols=("AAPL",)).rows("AAPL", EXPIRATION, DAY, "1h", "all")
OURS = recompute_block(block_of(TABLE))


def with_older(names: tuple[str, ...], rows: slice = slice(None)) -> pa.Table:
    """Returns the market's rows with some Greeks as the older formulas have them, in some rows."""
    table, block = TABLE, block_of(TABLE)
    inputs = (block["underlying_price"], block["strike"], OURS.years, OURS.rate)
    for name in names:
        with np.errstate(all="ignore"):
            values = OLDER[name](Terms(*inputs, OURS.volatility, block.is_call))
        cut = np.trunc(np.where(OURS.solved, values, 0).astype(np.float32) * 1e4) / 1e4
        mixed = np.array(block[name])
        mixed[rows] = cut[rows]
        index = table.schema.get_field_index(name)
        table = table.set_column(index, table.schema.field(index), pa.array(mixed))
    return table


def looked_at(
    table: pa.Table, rate: float | None = None
) -> tuple[Block, Recomputed, dict[str, Ints]]:
    block = block_of(table)
    ours = recompute_block(block, rate, "1")
    return block, ours, {name: beyond(block, ours, name) for name in block.greeks}


def unexplained(formulas: Formulas, table: pa.Table, rate: float | None = None) -> dict[str, int]:
    block, ours, outside = looked_at(table, rate)
    explained = formulas.explained(block, ours, outside)
    left = {
        name: len(np.setdiff1d(rows, explained.get(name, []))) for name, rows in outside.items()
    }
    return {name: count for name, count in left.items() if count}


@pytest.mark.parametrize("name", OLDER)
def test_each_greek_is_recognised_whatever_the_formulas_of_the_others(name: str) -> None:
    table = with_older((name,))
    _, _, outside = looked_at(table)
    assert len(outside[name]) > 20
    assert unexplained(Formulas(), table) == {}


def test_all_of_them_are_recognised_together() -> None:
    assert unexplained(Formulas(), with_older(tuple(OLDER))) == {}


@pytest.mark.parametrize("name", OLDER)
def test_a_few_older_values_among_textbook_rows_are_findings(name: str) -> None:
    table = with_older((name,), slice(0, None, 25))
    _, _, outside = looked_at(table)
    assert unexplained(Formulas(), table) == {name: len(outside[name])}


def test_a_wrong_number_among_older_rows_is_a_finding() -> None:
    table = with_older(tuple(OLDER))
    row = int(np.flatnonzero(OURS.solved & (np.abs(OURS.greeks["veta"]) > 1))[0])
    values = np.array(table["veta"].to_numpy())
    values[row] += 1
    index = table.schema.get_field_index("veta")
    wrong = table.set_column(index, table.schema.field(index), pa.array(values))
    assert unexplained(Formulas(), wrong) == {"veta": 1}


def test_what_a_files_other_dates_show_decides_where_a_date_shows_little() -> None:
    formulas = Formulas()
    assert unexplained(formulas, TABLE) == {}
    one = with_older(("speed",), slice(0, None))
    _, _, outside = looked_at(one)
    few = one.take(pa.array(outside["speed"][:2]))
    assert unexplained(Formulas(), few, 0.0531) == {}
    assert unexplained(formulas, few, 0.0531) == {"speed": 2}


@pytest.mark.parametrize(("generation", "order"), [("v3", "all"), ("v2", "third_order")])
def test_published_rows_are_those_of_the_older_formulas(generation: str, order: str) -> None:
    assert unexplained(Formulas(), published(generation, order), RATES[generation]) == {}

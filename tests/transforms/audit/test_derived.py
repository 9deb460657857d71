"""Derived Greeks are those that the vendor's own rows of the same contracts have."""

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from tests.support.oracle import Market
from transforms.audit.derived import Derivation
from transforms.audit.deviations import beyond
from transforms.audit.recomputation import recompute_block
from transforms.model import GreeksRequest
from transforms.model.row_groups import RowGroups
from transforms.orders import ORDERS, schema_of
from transforms.orders.schema import ALL_GREEKS, SECOND_ORDER, THIRD_ORDER
from transforms.quality.block import Block
from transforms.quality.columns import arrays

DAY, NEAR, FAR = date(2024, 3, 14), date(2024, 3, 15), date(2024, 4, 19)
MARKET = Market()
REQUEST = GreeksRequest("SPXW", NEAR, (DAY,), derived=("gamma",))


def rows_of(request: GreeksRequest, order: str = "", version: str = "latest") -> pa.Table:
    first, last = request.first_trade_date, request.last_trade_date
    order = order or request.greeks
    found = MARKET.rows(
        request.symbol, request.expiration, first, request.interval, order, last, version
    )
    return pa.Table.from_arrays(found.columns, schema=schema_of(order))


def completed(
    request: GreeksRequest, table: pa.Table, *, rows: int = 1000, generation: str = "v3"
) -> pa.Table:
    derivation = Derivation(request, generation)
    groups = RowGroups.of(table.to_batches(rows))
    return pa.Table.from_batches(map(derivation.complete, groups), request.schema)


@pytest.mark.parametrize("greeks", ["first_order", "implied_volatility"])
@pytest.mark.parametrize("expiration", [DAY, NEAR, date(2024, 3, 20), FAR, date(2024, 12, 20)])
def test_every_derived_greek_is_within_the_tolerance_of_the_check(
    greeks: str, expiration: date
) -> None:
    derived = ORDERS[greeks].derivable
    request = GreeksRequest("SPXW", expiration, (DAY,), greeks=greeks, derived=derived)
    ours = completed(request, rows_of(request))
    vendor = rows_of(request, "all")
    for name in derived:
        vendor = vendor.set_column(vendor.schema.get_field_index(name), name, ours[name])
    block = Block(arrays(vendor), expiration, daily=False)
    recomputed = recompute_block(block)
    assert {name: len(beyond(block, recomputed, name)) for name in derived} == dict.fromkeys(
        derived, 0
    )


@pytest.mark.parametrize(
    ("order", "names"), [("second_order", SECOND_ORDER), ("third_order", THIRD_ORDER)]
)
def test_most_derived_numbers_near_the_money_are_the_vendors_to_the_printed_digit(
    order: str, names: tuple[str, ...]
) -> None:
    request = replace(REQUEST, expiration=FAR, derived=names)
    ours, vendor = completed(request, rows_of(request)), rows_of(request, order)
    for name in names:
        theirs = np.asarray(vendor[name])
        differs = np.abs(np.asarray(ours[name]) - theirs)
        assert np.mean(differs <= 1e-4 + 2e-3 * np.abs(theirs)) > 0.9, name
    if "gamma" in names:
        assert np.mean(np.asarray(ours["gamma"]) == np.asarray(vendor["gamma"])) > 0.99


def test_a_v2_row_counts_time_as_v2_does() -> None:
    table = rows_of(REQUEST, version="1")
    ours = completed(REQUEST, table, generation="v2")
    vendor = rows_of(REQUEST, "second_order", version="1")
    assert np.mean(np.asarray(ours["gamma"]) == np.asarray(vendor["gamma"])) > 0.99


def test_a_row_without_a_volatility_has_what_the_vendor_gives() -> None:
    request = replace(REQUEST, greeks="implied_volatility", derived=("delta", "vega", "gamma"))
    ours = completed(request, rows_of(request)).to_pandas()
    unsolved = ours[ours["implied_vol"] == 0]
    assert len(unsolved) > 1000
    assert set(unsolved["gamma"]) == set(unsolved["vega"]) == {0}
    assert (unsolved["delta"] == np.where(unsolved["right"] == "C", 1, -1)).all()


def test_a_row_without_an_input_has_none() -> None:
    table = rows_of(REQUEST)
    for name in ("underlying_price", "implied_vol"):
        values = table[name].to_pylist()
        values[20_000] = None
        place = table.schema.get_field_index(name)
        broken = table.set_column(place, table.field(name), pa.array(values))
        gamma = completed(REQUEST, broken)["gamma"]
        assert gamma[20_000].as_py() is None
        assert gamma.null_count == 1


def test_the_rows_are_as_they_came_and_the_numbers_do_not_depend_on_how_batches_were_cut() -> None:
    table = rows_of(REQUEST)
    ours = completed(REQUEST, table)
    assert ours.select(table.column_names).equals(table)
    assert ours.equals(completed(REQUEST, table, rows=7001))


def test_a_derived_column_is_marked_as_computed_and_has_its_unit() -> None:
    field = REQUEST.schema.field("gamma")
    assert field.metadata[b"computed"].startswith(b"by greeks download --derive")
    assert field.metadata[b"unit"] == schema_of("second_order").field("gamma").metadata[b"unit"]
    assert not any(b"computed" in each.metadata for each in schema_of("all"))


def test_each_trade_date_of_a_file_has_its_own_rate() -> None:
    days = (DAY, date(2024, 11, 4))  # of 5.31 % and 4.82 %
    request = replace(REQUEST, expiration=date(2024, 12, 20), trade_dates=days, derived=("d1",))
    table = pa.concat_tables([rows_of(replace(request, trade_dates=(day,))) for day in days])
    vendor = pa.concat_tables(
        [rows_of(replace(request, trade_dates=(day,)), "all") for day in days]
    )
    differs = np.abs(np.asarray(completed(request, table)["d1"]) - np.asarray(vendor["d1"]))
    known = np.asarray(table["implied_vol"]) > 0.05
    half = len(known) // 2
    # With the other date's rate, each would be off by about 0.01.
    for some in (slice(0, half), slice(half, None)):
        assert np.median(differs[some][known[some]]) < 2e-3


@pytest.mark.parametrize(
    ("greeks", "derived"),
    [
        ("first_order", ("delta",)),
        ("first_order", ("vanna", "gamma")),
        ("first_order", ("gama",)),
        ("all", ("gamma",)),
    ],
)
def test_what_an_order_has_or_does_not_give_is_refused(
    greeks: str, derived: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=f"can't be derived from {greeks}"):
        replace(REQUEST, greeks=greeks, derived=derived)


def test_a_request_that_derives_is_read_as_it_was_described_and_is_another_one() -> None:
    described = REQUEST.describe()
    assert described["derive"] == "gamma"
    assert GreeksRequest.of(described) == REQUEST
    assert "derive" not in replace(REQUEST, derived=()).describe()


def test_all_names_of_the_greeks_can_be_derived_from_volatility() -> None:
    assert ORDERS["implied_volatility"].derivable == ALL_GREEKS

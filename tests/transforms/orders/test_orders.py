"""The declarations of the orders of data, and that everything follows them."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.config.selection import SelectionSettings
from pipeline.simulator.v2 import ROUTES as V2_ROUTES
from pipeline.simulator.v3 import ROUTES as V3_ROUTES
from transforms.model import GreeksRequest
from transforms.orders import ORDERS, PARAMETERS, Order, order_of, schema_of
from transforms.orders.schema import COLUMNS, KEY_COLUMNS
from transforms.thetadata.dialect import Part
from transforms.thetadata.v2 import V2
from transforms.thetadata.v3 import V3

DAY = date(2024, 3, 14)
each_order = pytest.mark.parametrize("order", ORDERS.values(), ids=lambda order: order.name)


def request_of(order: Order, **parameters: str) -> GreeksRequest:
    given = tuple(sorted(parameters.items()))
    return GreeksRequest("SPXW", DAY, (DAY,), order.interval("5m"), order.name, given)


@each_order
def test_every_column_has_a_type_and_a_unit(order: Order) -> None:
    schema = schema_of(order.name)
    assert schema.names == [*KEY_COLUMNS, *order.columns]
    assert all(field.metadata[b"unit"] for field in schema)
    assert not any(field.nullable for field in schema if field.name in KEY_COLUMNS)
    assert {*order.own} <= {*schema.names}


def test_no_column_is_declared_that_no_order_has() -> None:
    used = {name for order in ORDERS.values() for name in schema_of(order.name).names}
    assert {*COLUMNS} <= used


@each_order
def test_v2_has_no_parameter_and_lacks_no_column_that_v3_does_not_have(order: Order) -> None:
    if order.v2 is not None:
        assert {*order.v2.parameters} <= {*order.v3.parameters}
        assert {*order.v2.lacks} <= {*order.columns}


@each_order
def test_each_generation_of_the_simulator_answers_at_the_paths_that_the_client_requests(
    order: Order,
) -> None:
    part = Part(DAY, DAY)
    path, _ = V3().history(request_of(order), part)
    assert path.removeprefix("/v3/") in V3_ROUTES
    if order.v2 is not None:
        path, _ = V2().history(request_of(order), part)
        assert path.removeprefix("/v2/") in V2_ROUTES


@each_order
def test_a_request_takes_the_parameters_of_its_order_alone(order: Order) -> None:
    for name in PARAMETERS:
        if name in order.v3.parameters:
            assert request_of(order, **{name: "1"}).parameters == ((name, "1"),)
        else:
            with pytest.raises(ValueError, match=f"{order.name} has no {name}"):
                request_of(order, **{name: "1"})


def test_greeks_takes_every_order() -> None:
    field = SelectionSettings.__dataclass_fields__["greeks"]
    assert field.metadata["setting"].choices == tuple(ORDERS)


def test_an_unknown_order_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'fourth' is not one of first_order, second_order"):
        order_of("fourth")


def test_the_documented_example_is_the_declaration() -> None:
    root = Path(__file__).parents[3]
    module = (root / "transforms/orders/quote.py").read_text()
    declaration = module[module.index("QUOTE = Order(") :]
    assert declaration in (root / "docs/architecture.md").read_text()

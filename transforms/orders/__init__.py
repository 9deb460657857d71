"""The orders of data: each is one declaration, and everything else asks it.

To add one: a module of this package with its `Order`.
"""

from importlib import import_module
from pkgutil import iter_modules

import pyarrow as pa

from transforms.orders.greeks import FIRST
from transforms.orders.order import END_OF_DAY as END_OF_DAY
from transforms.orders.order import INTERVALS as INTERVALS
from transforms.orders.order import MONTH as MONTH
from transforms.orders.order import Endpoint as Endpoint
from transforms.orders.order import Order as Order

DEFAULT = FIRST.name
"""The order that is downloaded unless another one is named."""

ORDERS: dict[str, Order] = {
    order.name: order
    for module in iter_modules(__path__, f"{__name__}.")
    for order in vars(import_module(module.name)).values()
    if isinstance(order, Order)
}
"""Every order, by name: those that the modules of this package declare."""

PARAMETERS = tuple(sorted({name for order in ORDERS.values() for name in order.v3.parameters}))
"""Parameters of the v3 API that change which rows it gives, or how it computes them."""


def order_of(name: str) -> Order:
    """Returns the order of that name.

    Raises:
        ValueError: there is no such order.
    """
    try:
        return ORDERS[name]
    except KeyError:
        raise ValueError(f"{name!r} is not one of {', '.join(ORDERS)}") from None


def schema_of(name: str) -> pa.Schema:
    """Returns the schema of every batch and every file of that order.

    Raises:
        ValueError: there is no such order.
    """
    return order_of(name).schema

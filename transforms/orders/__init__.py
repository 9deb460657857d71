"""The orders of data: each is one declaration, and everything else asks it.

To add one: a module with its `Order`, and its name in `ORDERS` below.
"""

import pyarrow as pa

from transforms.orders.end_of_day import EOD as EOD
from transforms.orders.greeks import ALL, FIRST, IMPLIED_VOLATILITY, SECOND, THIRD
from transforms.orders.open_interest import OPEN_INTEREST as OPEN_INTEREST
from transforms.orders.order import END_OF_DAY as END_OF_DAY
from transforms.orders.order import INTERVALS as INTERVALS
from transforms.orders.order import MONTH as MONTH
from transforms.orders.order import Endpoint as Endpoint
from transforms.orders.order import Order as Order

DEFAULT = FIRST.name
"""The order that is downloaded unless another one is named."""

ORDERS: dict[str, Order] = {
    order.name: order
    for order in (FIRST, SECOND, THIRD, ALL, IMPLIED_VOLATILITY, EOD, OPEN_INTEREST)
}
"""Every order, by name."""

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

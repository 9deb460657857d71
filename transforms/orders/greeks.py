"""Greeks of quotes: the orders that have one row for each contract and interval."""

from typing import Any

import pyarrow as pa

from transforms.orders.order import (
    COMPUTATION,
    PROFESSIONAL,
    STANDARD,
    TIMES,
    Endpoint,
    Order,
)
from transforms.orders.schema import (
    ALL_GREEKS,
    FIRST_ORDER,
    SECOND_ORDER,
    SOLUTION,
    THIRD_ORDER,
    UNDERLYING,
)

_V3 = (*COMPUTATION, *TIMES, "strike_range", "version")
_MEAN_ERROR = (
    "mean of (model value - price) / price of the bid, the midpoint and the ask, each 100 where "
    "there is no price"
)


def _order(
    name: str, title: str, tier: str, columns: tuple[str, ...], v2: Endpoint | None, **more: Any
) -> Order:
    v3 = Endpoint(f"greeks/{name}", _V3, priced_by="midpoint")
    return Order(name, title, (*columns, *UNDERLYING), tier, v3, v2, **more)


def _v2(path: str, *parameters: str) -> Endpoint:
    return Endpoint(path, (*COMPUTATION, *parameters), priced_by="midpoint")


FIRST = _order(
    "first_order",
    "first-order Greeks",
    STANDARD,
    ("bid", "ask", *FIRST_ORDER, *SOLUTION),
    _v2("greeks", *TIMES),
)
SECOND = _order(
    "second_order",
    "second-order Greeks",
    PROFESSIONAL,
    ("bid", "ask", *SECOND_ORDER, *SOLUTION),
    _v2("greeks_second_order", *TIMES),
)
THIRD = _order(
    "third_order",
    "third-order Greeks",
    PROFESSIONAL,
    ("bid", "ask", *THIRD_ORDER, *SOLUTION),
    _v2("greeks_third_order", *TIMES),
)
ALL = _order(
    "all",
    "Greeks of every order",
    PROFESSIONAL,
    ("bid", "ask", *ALL_GREEKS, *SOLUTION),
    _v2("all_greeks"),
)
IMPLIED_VOLATILITY = _order(
    "implied_volatility",
    "implied volatility of bid, midpoint and ask",
    STANDARD,
    (
        *("bid", "bid_implied_vol", "midpoint", "implied_vol"),
        *("ask", "ask_implied_vol", "iv_error"),
    ),
    None,
    own={"iv_error": (pa.float64(), _MEAN_ERROR)},
)

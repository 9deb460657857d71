"""Greeks of quotes: the orders that have one row for each contract and interval."""

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


def _v3(name: str) -> Endpoint:
    return Endpoint(f"greeks/{name}", _V3, priced_by="midpoint")


def _order(
    name: str, title: str, tier: str, greeks: tuple[str, ...], v2: str, *times: str
) -> Order:
    return Order(
        name,
        title,
        ("bid", "ask", *greeks, *SOLUTION, *UNDERLYING),
        tier,
        _v3(name),
        Endpoint(v2, (*COMPUTATION, *times), priced_by="midpoint"),
    )


FIRST = _order("first_order", "first-order Greeks", STANDARD, FIRST_ORDER, "greeks", *TIMES)
SECOND = _order(
    "second_order", "second-order Greeks", PROFESSIONAL, SECOND_ORDER, "greeks_second_order", *TIMES
)
THIRD = _order(
    "third_order", "third-order Greeks", PROFESSIONAL, THIRD_ORDER, "greeks_third_order", *TIMES
)
ALL = _order("all", "Greeks of every order", PROFESSIONAL, ALL_GREEKS, "all_greeks")
IMPLIED_VOLATILITY = Order(
    "implied_volatility",
    "implied volatility of bid, midpoint and ask",
    (
        *("bid", "bid_implied_vol", "midpoint", "implied_vol"),
        *("ask", "ask_implied_vol", "iv_error"),
        *UNDERLYING,
    ),
    STANDARD,
    _v3("implied_volatility"),
    own={"iv_error": (pa.float64(), _MEAN_ERROR)},
)

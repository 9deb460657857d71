"""Greeks of trades: a row for each trade, computed from its price.

The file's columns are v3's. v2 has four more, flags of the trade, and no implied volatility alone.

Source: ThetaData's documentation of `history/trade_greeks`.
"""

import pyarrow as pa

from transforms.orders.order import (
    COMPUTATION,
    PROFESSIONAL,
    TIMES,
    Endpoint,
    Order,
)
from transforms.orders.schema import (
    ALL_GREEKS,
    COLUMNS,
    FIRST_ORDER,
    SECOND_ORDER,
    SOLUTION,
    THIRD_ORDER,
    UNDERLYING,
)

_CODE = (pa.int32(), "condition code; of options always 255")
_OWN: dict[str, tuple[pa.DataType, str]] = {
    "timestamp": (COLUMNS["timestamp"][0], "instant of the trade"),
    "sequence": (pa.int64(), "number of the trade in the day's feed"),
    **{f"ext_condition{n}": _CODE for n in (1, 2, 3, 4)},
    "condition": (pa.int32(), "condition code"),
    "size": (pa.int64(), "contracts"),
    "exchange": (pa.int32(), "exchange code"),
    "price": (pa.float64(), "USD"),
}
_TRADE = tuple(_OWN)[1:]
_FLAGS = ("condition_flags", "price_flags", "volume_type", "records_back")


def _order(name: str, title: str, greeks: tuple[str, ...], v2: str = "") -> Order:
    return Order(
        f"trade_{name}",
        f"{title} of trades",
        (*_TRADE, *greeks, *SOLUTION, *UNDERLYING),
        PROFESSIONAL,
        Endpoint(
            f"trade_greeks/{name}",
            (*COMPUTATION, *TIMES, "strike_range", "version"),
            priced_by="price",
        ),
        Endpoint(v2, COMPUTATION, unread=_FLAGS, priced_by="price") if v2 else None,
        intervals=("tick",),
        every_expiration=True,
        own=_OWN,
    )


FIRST = _order("first_order", "first-order Greeks", FIRST_ORDER, "trade_greeks")
SECOND = _order("second_order", "second-order Greeks", SECOND_ORDER, "trade_greeks_second_order")
THIRD = _order("third_order", "third-order Greeks", THIRD_ORDER, "trade_greeks_third_order")
ALL = _order("all", "Greeks of every order", ALL_GREEKS, "all_trade_greeks")
IMPLIED_VOLATILITY = _order("implied_volatility", "implied volatility", ())

"""The Arrow schema of each order of Greeks, with the unit of every column.

Names, order and units are those of ThetaData's v3 API, `/v3/option/history/greeks/…`.
"""

from collections.abc import Sequence

import pyarrow as pa

VERSION = 1
"""Of the rows' form. It grows when the same rows would make another file: other columns, types or
text; files of an older one are then fetched again.
"""

ZONE = "America/New_York"
"""The zone of every timestamp: the exchange's, whatever the machine's."""

_TIMESTAMP = pa.timestamp("ms", tz=ZONE)
_PER_DAY = "USD per calendar day"

# name -> (type, unit). Greeks without a better word are raw partial derivatives, time in years.
_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "symbol": (pa.string(), "option root"),
    "expiration": (pa.date32(), "date"),
    "strike": (pa.float64(), "USD"),
    "right": (pa.string(), "C or P"),
    "timestamp": (_TIMESTAMP, "instant of the quote; end of day: of the last trade, or midnight"),
    "open": (pa.float64(), "USD"),
    "high": (pa.float64(), "USD"),
    "low": (pa.float64(), "USD"),
    "close": (pa.float64(), "USD"),
    "volume": (pa.int64(), "contracts"),
    "count": (pa.int64(), "trades"),
    "bid_size": (pa.int64(), "contracts"),
    "bid_exchange": (pa.int32(), "exchange code"),
    "bid": (pa.float64(), "USD"),
    "bid_condition": (pa.int32(), "condition code"),
    "ask_size": (pa.int64(), "contracts"),
    "ask_exchange": (pa.int32(), "exchange code"),
    "ask": (pa.float64(), "USD"),
    "ask_condition": (pa.int32(), "condition code"),
    "bid_implied_vol": (pa.float64(), "per year, of the bid; 0 means not solved"),
    "midpoint": (pa.float64(), "USD"),
    "ask_implied_vol": (pa.float64(), "per year, of the ask; 0 means not solved"),
    "delta": (pa.float64(), "USD per USD of the underlying"),
    "theta": (pa.float64(), _PER_DAY),
    "vega": (pa.float64(), "USD per 1.00 of volatility"),
    "rho": (pa.float64(), "USD per 1.00 of interest rate"),
    "epsilon": (pa.float64(), "USD per 1.00 of dividend yield"),
    "lambda": (pa.float64(), "percent per percent of the underlying"),
    "gamma": (pa.float64(), "delta per USD of the underlying"),
    "vanna": (pa.float64(), "delta per 1.00 of volatility"),
    "charm": (pa.float64(), "delta per year"),
    "vomma": (pa.float64(), "vega per 1.00 of volatility"),
    "veta": (pa.float64(), "vega per year"),
    "vera": (pa.float64(), "rho per 1.00 of volatility"),
    "speed": (pa.float64(), "gamma per USD of the underlying"),
    "zomma": (pa.float64(), "gamma per 1.00 of volatility"),
    "color": (pa.float64(), "gamma per year"),
    "ultima": (pa.float64(), "vomma per 1.00 of volatility"),
    "d1": (pa.float64(), "standard deviations"),
    "d2": (pa.float64(), "standard deviations"),
    "dual_delta": (pa.float64(), "USD per USD of the strike"),
    "dual_gamma": (pa.float64(), "dual delta per USD of the strike"),
    "implied_vol": (pa.float64(), "per year, 0.25 is 25 %; 0 means not solved"),
    "iv_error": (pa.float64(), "(model value - price) / price; 100 means no price"),
    "underlying_timestamp": (_TIMESTAMP, "instant of the underlying's price"),
    "underlying_price": (pa.float64(), "USD"),
}

KEY_COLUMNS = ("symbol", "expiration", "strike", "right", "timestamp")
"""What names a row: never empty."""

END_OF_DAY = "eod"
"""The order that has one row for each contract and trade date, and no interval."""

FIRST_ORDER = ("delta", "theta", "vega", "rho", "epsilon", "lambda")
SECOND_ORDER = ("gamma", "vanna", "charm", "vomma", "veta")
THIRD_ORDER = ("speed", "zomma", "color", "ultima")
ALL_GREEKS = (
    *FIRST_ORDER,
    *SECOND_ORDER,
    "vera",
    *THIRD_ORDER,
    *("d1", "d2", "dual_delta", "dual_gamma"),
)
"""Every Greek, in the column order of ThetaData's `greeks/all`."""

_QUOTE = ("bid", "ask")
_IV = ("implied_vol", "iv_error")
_UNDERLYING = ("underlying_timestamp", "underlying_price")
_BID = ("bid_size", "bid_exchange", "bid", "bid_condition")
_ASK = ("ask_size", "ask_exchange", "ask", "ask_condition")
_TRADES = ("open", "high", "low", "close", "volume", "count")

ORDERS: dict[str, tuple[str, ...]] = {
    "first_order": (*KEY_COLUMNS, *_QUOTE, *FIRST_ORDER, *_IV, *_UNDERLYING),
    "second_order": (*KEY_COLUMNS, *_QUOTE, *SECOND_ORDER, *_IV, *_UNDERLYING),
    "third_order": (*KEY_COLUMNS, *_QUOTE, *THIRD_ORDER, *_IV, *_UNDERLYING),
    "all": (*KEY_COLUMNS, *_QUOTE, *ALL_GREEKS, *_IV, *_UNDERLYING),
    "implied_volatility": (
        *KEY_COLUMNS,
        *("bid", "bid_implied_vol", "midpoint", "implied_vol", "ask", "ask_implied_vol"),
        *("iv_error", *_UNDERLYING),
    ),
    END_OF_DAY: (*KEY_COLUMNS, *_TRADES, *_BID, *_ASK, *ALL_GREEKS, *_IV, *_UNDERLYING),
}
"""The columns of each order of Greeks, in the order of the file."""


_MEAN_ERROR = (
    "mean of (model value - price) / price of the bid, the midpoint and the ask, each 100 where "
    "there is no price"
)


def _schema(order: str, columns: Sequence[str]) -> pa.Schema:
    units = {name: _COLUMNS[name][1] for name in columns}
    if order == "implied_volatility":
        units["iv_error"] = _MEAN_ERROR
    return pa.schema(
        [
            pa.field(name, _COLUMNS[name][0], name not in KEY_COLUMNS, {"unit": unit})
            for name, unit in units.items()
        ]
    )


_SCHEMAS = {order: _schema(order, columns) for order, columns in ORDERS.items()}


def schema_of(order: str) -> pa.Schema:
    """Returns the schema of every batch and every file of that order of Greeks.

    Args:
        order: a key of `ORDERS`.

    Raises:
        ValueError: there is no such order.
    """
    try:
        return _SCHEMAS[order]
    except KeyError:
        raise ValueError(f"{order!r} is not one of {', '.join(ORDERS)}") from None

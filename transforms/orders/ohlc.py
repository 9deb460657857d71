"""Bars of trades: a row for each contract and interval, stamped with the bar's beginning.

A bar without a trade is there, with zeros in every column.

`vwap` is that of the session so far: so it is in the documented rows.

Source: ThetaData's documentation of `history/ohlc`.
"""

import pyarrow as pa

from transforms.orders.order import INTERVALS, TIMES, VALUE, Endpoint, Order
from transforms.orders.schema import COLUMNS, TRADES

OHLC = Order(
    "ohlc",
    "bars of trades",
    (*TRADES, "vwap"),
    VALUE,
    Endpoint("ohlc", (*TIMES, "strike_range")),
    Endpoint("ohlc", lacks=("vwap",)),
    intervals=INTERVALS[1:],
    own={
        "timestamp": (COLUMNS["timestamp"][0], "beginning of the bar"),
        "vwap": (pa.float64(), "USD, of the session's volume up to the bar's end"),
    },
)

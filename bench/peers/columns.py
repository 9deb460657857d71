"""The types of an answer's columns, as pyarrow's CSV reader takes them."""

import pyarrow as pa

_TIMES = ("timestamp", "underlying_timestamp")
_NUMBERS = (
    *("strike", "bid", "ask", "delta", "theta", "vega", "rho", "epsilon", "lambda"),
    *("implied_vol", "iv_error", "underlying_price"),
)
TYPES = {
    "symbol": pa.string(),
    "expiration": pa.date32(),
    "right": pa.string(),
    **dict.fromkeys(_TIMES, pa.timestamp("ms")),
    **dict.fromkeys(_NUMBERS, pa.float64()),
}

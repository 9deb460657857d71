"""The types of each generation's columns, as pyarrow's CSV reader takes them."""

import pyarrow as pa

_TIMES = ("timestamp", "underlying_timestamp")
_NUMBERS = (
    *("bid", "ask", "delta", "theta", "vega", "rho", "epsilon", "lambda"),
    *("implied_vol", "iv_error", "underlying_price"),
)
TYPES = {
    "v3": {
        "symbol": pa.string(),
        "expiration": pa.date32(),
        "strike": pa.float64(),
        "right": pa.string(),
        **dict.fromkeys(_TIMES, pa.timestamp("ms")),
        **dict.fromkeys(_NUMBERS, pa.float64()),
    },
    "v2": {
        "root": pa.string(),
        "right": pa.string(),
        **dict.fromkeys(("expiration", "strike", "ms_of_day", "ms_of_day2", "date"), pa.int32()),
        **dict.fromkeys(_NUMBERS, pa.float64()),
    },
}

"""The Arrow schema of each order of Greeks, with the unit of every column.

Names, order and units are those of ThetaData's v3 API, `/v3/option/history/greeks/…`.
"""

from collections.abc import Sequence

import pyarrow as pa

ZONE = "America/New_York"
"""The zone of every timestamp: the exchange's, whatever the machine's."""

_TIMESTAMP = pa.timestamp("ms", tz=ZONE)

# name -> (type, unit)
_COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "symbol": (pa.string(), "option root"),
    "expiration": (pa.date32(), "date"),
    "strike": (pa.float64(), "USD"),
    "right": (pa.string(), "C or P"),
    "timestamp": (_TIMESTAMP, "instant of the quote"),
    "bid": (pa.float64(), "USD"),
    "ask": (pa.float64(), "USD"),
    "delta": (pa.float64(), "USD per USD of the underlying"),
    "theta": (pa.float64(), "USD per calendar day"),
    "vega": (pa.float64(), "USD per 1.00 of volatility"),
    "rho": (pa.float64(), "USD per 1.00 of interest rate"),
    "epsilon": (pa.float64(), "USD per 1.00 of dividend yield"),
    "lambda": (pa.float64(), "percent per percent of the underlying"),
    "implied_vol": (pa.float64(), "per year, 0.25 is 25 %; 0 means not solved"),
    "iv_error": (pa.float64(), "(model value - price) / price; 100 means no price"),
    "underlying_timestamp": (_TIMESTAMP, "instant of the underlying's price"),
    "underlying_price": (pa.float64(), "USD"),
}

KEY_COLUMNS = ("symbol", "expiration", "strike", "right", "timestamp")
"""What names a row: never empty."""

_SUFFIX = ("implied_vol", "iv_error", "underlying_timestamp", "underlying_price")

ORDERS: dict[str, tuple[str, ...]] = {
    "first_order": (
        *KEY_COLUMNS,
        *("bid", "ask", "delta", "theta", "vega", "rho", "epsilon", "lambda"),
        *_SUFFIX,
    ),
}
"""The columns of each order of Greeks, in the order of the file."""


def _schema(columns: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, kind, nullable=name not in KEY_COLUMNS, metadata={"unit": unit})
            for name in columns
            for kind, unit in [_COLUMNS[name]]
        ]
    )


_SCHEMAS = {order: _schema(columns) for order, columns in ORDERS.items()}


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

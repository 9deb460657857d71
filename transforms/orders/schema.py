"""The columns of all orders of data, with the Arrow type and the unit of each.

Names and units are those of ThetaData's v3 API, `/v3/option/history/…`.
"""

import pyarrow as pa

VERSION = 1
"""Of the rows' form. It grows when the same rows would make another file: other columns, types or
text; files of an older one are then fetched again.
"""

ZONE = "America/New_York"
"""The zone of every timestamp: the exchange's, whatever the machine's."""

_TIMESTAMP = pa.timestamp("ms", tz=ZONE)
_PER_DAY = "USD per calendar day"

COLUMNS: dict[str, tuple[pa.DataType, str]] = {
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
"""The type and the unit of each column, by its name.

Greeks without a better word are raw partial derivatives, time in years.
"""

KEY_COLUMNS = ("symbol", "expiration", "strike", "right", "timestamp")
"""What names a row: never empty."""

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

SOLUTION = ("implied_vol", "iv_error")
UNDERLYING = ("underlying_timestamp", "underlying_price")
BID = ("bid_size", "bid_exchange", "bid", "bid_condition")
ASK = ("ask_size", "ask_exchange", "ask", "ask_condition")
TRADES = ("open", "high", "low", "close", "volume", "count")

"""The declaration of an order of data, and the words that declarations share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import cached_property

import pyarrow as pa

from transforms.orders.schema import ALL_GREEKS, COLUMNS, KEY_COLUMNS, UNDERLYING

INTERVALS = (
    "tick",
    "10ms",
    "100ms",
    "500ms",
    "1s",
    "5s",
    "10s",
    "15s",
    "30s",
    "1m",
    "5m",
    "10m",
    "15m",
    "30m",
    "1h",
)
"""Intervals that the v3 API knows, finest first."""

END_OF_DAY = "eod"
"""The interval of rows of which each contract has one in a trade date."""

TRADE_DATE, MONTH = "trade date", "month"
"""What one HTTP request spans: the part of an order's trade dates."""

COMPUTED = "by greeks download --derive, from this row; not sent by ThetaData"
"""What the metadata of a derived column says."""

VALUE, STANDARD, PROFESSIONAL = "Value", "Standard", "Professional"
TIERS = (VALUE, STANDARD, PROFESSIONAL)
"""Subscriptions, from the least up."""

COMPUTATION = ("annual_dividend", "rate_type", "rate_value")
"""Parameters of the computation that both generations have."""
TIMES = ("start_time", "end_time")
"""Parameters that bound the time of day."""

# Index options trade until 16:15; ThetaData makes the end-of-day report at 17:15.
SESSION_END, REPORT = time(16, 15), time(17, 15)


@dataclass(frozen=True)
class Endpoint:
    """How one generation of the API serves an order.

    Attributes:
        path: below `/v3/option/history/`, or below `/v2/bulk_hist/option/`.
        parameters: that change which rows it gives, or how they are computed; by their v3 names.
        lacks: columns that it does not have; null in the file.
        unread: columns that it has before the Greeks, and the file does not.
        priced_by: the column that the volatilities are solved from, `midpoint` for the middle of
            the quote cut to the cent; empty if there are none.
        tier: the least subscription that includes it, where that is not the order's.
    """

    path: str
    parameters: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    priced_by: str = ""
    tier: str = ""


@dataclass(frozen=True)
class Order:
    """An order of data: one value of `--greeks`.

    The rules of quality and the recomputation that apply follow from the columns: each rule names
    those that it looks at (`quality.limits.RULES`), and a row with a price, `implied_vol` and
    `underlying_price` is computed again.

    Attributes:
        name: the value of `--greeks`.
        title: its name in a sentence.
        columns: of the file after `KEY_COLUMNS`, in order.
        tier: the least subscription that includes it.
        v3: how v3 serves it.
        v2: how v2 serves it; None if it does not.
        intervals: that may be between two rows of a contract; rows of trades have `tick` alone,
            and one row for each trade date is `END_OF_DAY`.
        request_span: what one HTTP request asks for, `TRADE_DATE` or `MONTH`.
        every_expiration: whether v3 serves all expirations at once (`*`), a trade date at a time;
            v2, too, where a contract has one row in a trade date.
        complete_at: from when the rows of a trade date don't change any more, in New York.
        own: type and unit of columns that are in no other order, or mean something else there.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    tier: str
    v3: Endpoint
    v2: Endpoint | None = None
    intervals: tuple[str, ...] = INTERVALS
    request_span: str = TRADE_DATE
    every_expiration: bool = False
    complete_at: time = SESSION_END
    own: Mapping[str, tuple[pa.DataType, str]] = field(default_factory=dict)

    @property
    def daily(self) -> bool:
        """Whether a contract has one row in a trade date."""
        return self.intervals == (END_OF_DAY,)

    @property
    def has_underlying(self) -> bool:
        """Whether its rows have the underlying's price and its time."""
        return {*UNDERLYING} <= {*self.columns}

    @property
    def has_interval(self) -> bool:
        """Whether a request names the interval between rows."""
        return len(self.intervals) > 1

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """How each generation serves it, by `v3` and `v2`."""
        return {"v3": self.v3} | ({"v2": self.v2} if self.v2 else {})

    def needs(self, api: str) -> str:
        """Returns the least subscription that includes it, by `v3` or `v2`."""
        return (self.endpoints[api].tier if api in self.endpoints else "") or self.tier

    def interval(self, usual: str) -> str:
        """Returns the interval of its rows: the usual one where there is a choice."""
        return usual if self.has_interval else self.intervals[0]

    @property
    def derivable(self) -> tuple[str, ...]:
        """The Greeks that follow from a row, and that it does not have."""
        if not self.v3.priced_by:
            return ()
        return tuple(name for name in ALL_GREEKS if name not in self.columns)

    def file_schema(self, derived: tuple[str, ...] = ()) -> pa.Schema:
        """Returns the schema of a file that also has derived Greeks, marked as computed."""
        schema = self.schema
        for name in derived:
            kind, unit = COLUMNS[name]
            schema = schema.append(pa.field(name, kind, True, {"unit": unit, "computed": COMPUTED}))
        return schema

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of every batch and every file; each field's metadata has the unit."""
        known = {**COLUMNS, **self.own}
        return pa.schema(
            [
                pa.field(name, known[name][0], name not in KEY_COLUMNS, {"unit": known[name][1]})
                for name in (*KEY_COLUMNS, *self.columns)
            ]
        )

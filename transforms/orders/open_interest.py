"""Open interest: how many contracts are open, a row per contract and trade date.

OPRA reports it about 06:30 of a trade date: what was open when the trading day before had ended. A
row is of the date of its report. So the rows of a trade date are what is known in its session, and
the interest that its trades leave behind is in the rows of the next one. A contract without
interest may have no row.

Source: ThetaData's documentation of `history/open_interest`.
"""

from datetime import time

import pyarrow as pa

from transforms.orders.order import END_OF_DAY, MONTH, STANDARD, VALUE, Endpoint, Order
from transforms.orders.schema import COLUMNS

OPEN_INTEREST = Order(
    "open_interest",
    "open interest",
    ("open_interest",),
    VALUE,
    Endpoint("open_interest", ("strike_range",)),
    Endpoint("open_interest", tier=STANDARD),
    intervals=(END_OF_DAY,),
    request_span=MONTH,
    every_expiration=True,
    complete_at=time(9, 30),
    own={
        "timestamp": (COLUMNS["timestamp"][0], "instant of the report, about 06:30"),
        "open_interest": (pa.int64(), "contracts open at the end of the trading day before"),
    },
)

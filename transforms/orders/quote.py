"""Quotes with their sizes: a row for each contract and interval, the last quote at that time.

Source: ThetaData's documentation of `history/quote`.
"""

from transforms.orders.order import TIMES, VALUE, Endpoint, Order
from transforms.orders.schema import ASK, BID

QUOTE = Order(
    "quote",
    "quotes",
    (*BID, *ASK),
    VALUE,
    Endpoint("quote", (*TIMES, "strike_range")),
    Endpoint("quote"),
    every_expiration=True,
)

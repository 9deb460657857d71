"""The end of the day: trades, the last quote and every Greek, a row per contract and trade date."""

from transforms.orders.order import (
    COMPUTATION,
    END_OF_DAY,
    MONTH,
    REPORT,
    STANDARD,
    Endpoint,
    Order,
)
from transforms.orders.schema import ALL_GREEKS, ASK, BID, SOLUTION, TRADES, UNDERLYING

EOD = Order(
    "eod",
    "end-of-day Greeks",
    (*TRADES, *BID, *ASK, *ALL_GREEKS, *SOLUTION, *UNDERLYING),
    STANDARD,
    Endpoint(
        "greeks/eod",
        (*COMPUTATION, "option_use_nbbo", "strike_range", "underlyer_use_nbbo", "version"),
        priced_by="midpoint",
    ),
    Endpoint("eod_greeks", COMPUTATION, lacks=("dual_delta", "dual_gamma"), priced_by="close"),
    intervals=(END_OF_DAY,),
    request_span=MONTH,
    every_expiration=True,
    complete_at=REPORT,
)

"""New York's clock, the exchange's calendar and its sessions."""

from transforms.market.calendar import closing_time, trading_days
from transforms.market.clock import NEW_YORK, clock_ms, interval_ms
from transforms.market.sessions import provisional

__all__ = [
    "NEW_YORK",
    "clock_ms",
    "closing_time",
    "interval_ms",
    "provisional",
    "trading_days",
]

"""Assumptions about how rows were made, which the rows don't show."""

from dataclasses import dataclass
from datetime import date

from transforms.market.calendar import CLOSE_MS, OPEN_MS


@dataclass(frozen=True)
class Assumptions:
    """Assumptions about how rows were made.

    Attributes:
        rate: that the Greeks were computed with, per year (0.05 is 5 %); None for the one that the
            rows imply.
        annual_dividend: likewise, in dollars; None is 0.
        version: how ThetaData counted time, `latest` or `1`, where the rows don't show it; None for
            the latest, unless the other fits the rows better.
        interval: between two rows of a contract, or None for what they show.
        start_ms: the first time of day, where the interval is known; milliseconds.
        end_ms: the last one.
        trade_dates: those that should have rows from the first one on that has, ascending; none if
            that is not known.
        provisional: the last trade date's session had not ended: it may have no rows yet.
        priced_by: the price that volatilities at the end of the day were solved from, `midpoint`
            or `close`; empty for the one that the rows fit.
    """

    rate: float | None = None
    annual_dividend: float | None = None
    version: str | None = None
    interval: str | None = None
    start_ms: int = OPEN_MS
    end_ms: int = CLOSE_MS
    trade_dates: tuple[date, ...] = ()
    provisional: bool = False
    priced_by: str = ""

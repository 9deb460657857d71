"""What rows don't tell about how they were made."""

from dataclasses import dataclass

from transforms.market.calendar import CLOSE_MS, OPEN_MS


@dataclass(frozen=True)
class Assumptions:
    """What the rows don't tell about how they were made.

    Attributes:
        rate: that the Greeks were computed with, per year; None for what the rows imply.
        annual_dividend: likewise, in dollars; None is 0.
        version: how ThetaData counted time, `latest` or `1`; None is the latest.
        interval: between two rows of a contract, or None for what they show.
        start_ms: the first time of day, where the interval is known; milliseconds.
        end_ms: the last one.
    """

    rate: float | None = None
    annual_dividend: float | None = None
    version: str | None = None
    interval: str | None = None
    start_ms: int = OPEN_MS
    end_ms: int = CLOSE_MS

"""The work that all do: which expirations and trade dates, with how many rows.

Forty expirations, every one of them with rows on every trade date: 40 contracts each on one trade
date are 0.6 million rows, 162 are 2.5 million, 324 are 5 million, and the larger sizes are more
trade dates of 162.
Skewed, the first expirations have many times the contracts of the last, and the sum is the same.
"""

import itertools
from dataclasses import dataclass
from datetime import date, timedelta

SYMBOL = "SPXW"
MINUTES = 391
LAST_TRADE_DATE = date(2024, 3, 14)
SIZES = {"0.6": (40, 1), "2.5": (162, 1), "5": (324, 1), "10": (162, 4), "40": (162, 16)}
"""Contracts of an expiration, and trade dates, by millions of rows."""

_MOST_CONTRACTS = 400  # of an expiration, on the average: the market has few more


@dataclass(frozen=True)
class Work:
    """A download.

    Attributes:
        name: the millions of rows, as `--sizes` takes them.
        contracts: of each expiration, the nearest first.
        days: the trade dates.
        api: the generation of the answers, `v3` or `v2`.
    """

    name: str
    contracts: tuple[int, ...]
    days: tuple[date, ...]
    api: str = "v3"

    @property
    def expirations(self) -> list[date]:
        """The expirations, all after the last trade date."""
        return weekdays(LAST_TRADE_DATE + timedelta(1), len(self.contracts))

    @property
    def rows(self) -> int:
        """Rows of all expirations."""
        return sum(self.contracts) * MINUTES * len(self.days)

    @property
    def requests(self) -> int:
        """HTTP requests: a trade date of an expiration each."""
        return len(self.contracts) * len(self.days)


def make_work(size: str, *, skewed: bool = False, expirations: int = 40, api: str = "v3") -> Work:
    """Returns the work of a size.

    Args:
        size: a key of `SIZES`.
        skewed: whether the near expirations have most of the rows.
        expirations: into how many the contracts are divided.
        api: the generation of the answers.
    """
    each, days = SIZES[size]
    total = each * 40
    while total / expirations > _MOST_CONTRACTS:
        # As many rows on more trade dates.
        total, days = total // 2, days * 2
    weights = [1 / (1 + n / 8) if skewed else 1.0 for n in range(expirations)]
    # Rounded so that the sum stays what it was.
    edges = [round(total * sum(weights[:n]) / sum(weights)) for n in range(expirations + 1)]
    contracts = tuple(high - low for low, high in itertools.pairwise(edges))
    first = LAST_TRADE_DATE
    dates = [first]
    while len(dates) < days:
        first -= timedelta(1)
        # 2024-02-19 is a holiday, and lies before the longest of these ranges.
        if first.weekday() < 5:
            dates.append(first)
    return Work(size, contracts, tuple(sorted(dates)), api)


def text_of(day: date, api: str) -> str:
    """Returns a date as a generation writes it: v2 as a whole number."""
    return str(day) if api == "v3" else f"{day:%Y%m%d}"


def weekdays(first: date, count: int) -> list[date]:
    """Returns the first `count` days from `first` on that are no weekend."""
    found: list[date] = []
    while len(found) < count:
        if first.weekday() < 5:
            found.append(first)
        first += timedelta(1)
    return found

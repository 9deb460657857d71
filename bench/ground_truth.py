"""Whether the check finds anything where there is nothing: `python -m bench.ground_truth`.

Checks the simulated market, which is right by definition, over three years. The sweep is a covering
design: every trading day with every order of Greeks is one case, and the cases' strike ranges,
intervals, hours, days to expiration (none to a year), symbols, counts of time (given or not) and
numbers of expirations checked together are chosen so that every pair of their values, and each of
them with each order, is there. The days have both clock changes of each year and its half days.
Prints each finding, and how many cases and rows were checked. Exit code 1 if there is any finding.

Any hundred cases that follow each other are spread over all of them alike: `--cases N` takes N and
`--first K` begins with the K-th, so that several processes can share the work. Cases beyond the
sweep take its days and orders again, with other values of the rest.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from math import gcd, prod
from typing import Any

import pyarrow as pa

from pipeline.simulator.market.greeks import COLUMNS, INTERVALS, Query
from tests.support.oracle import Market, table
from transforms.audit import Assumptions, Audit
from transforms.market import calendar
from transforms.quality.findings import Finding

SYMBOLS = ("SPXW", "SPX", "AAPL")
MARKET = Market(symbols=SYMBOLS)
# Both changes of the clocks, half days and every trading day between.
DAYS = calendar.trading_days(date(2023, 1, 3), date(2025, 12, 31))
AHEAD = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 21, 30, 45, 60, 90, 180, 365)
GREEKS = tuple(name for name, columns in COLUMNS.items() if {"implied_vol", "bid"} <= {*columns})
EVERY = ("1m", "5m", "10m", "15m", "30m", "1h")
STRIKES = (1, 2, 5, None)
HOURS = {  # of an early close too, after which quotes stand
    "all day": (calendar.OPEN_MS, calendar.CLOSE_MS),
    "first hour": (calendar.OPEN_MS, calendar.OPEN_MS + 3_600_000),
    "noon": (11 * 3_600_000 + 1_800_000, 12 * 3_600_000 + 1_800_000),
    "last hour": (calendar.CLOSE_MS - 3_600_000, calendar.CLOSE_MS),
}
VERSIONS = ("latest", "1")  # v3's, v2's
STATED = (True, False)  # whether the check is given the version
TOGETHER = (1, 2)  # expirations that are checked at once

# The fields of `Case`, in their order.
SWEPT: tuple[tuple[object, ...], ...] = (GREEKS, tuple(DAYS))
CHOSEN: tuple[tuple[object, ...], ...] = (
    *(STRIKES, EVERY, tuple(HOURS), AHEAD),
    *(SYMBOLS, VERSIONS, STATED, TOGETHER),
)
CASES = prod(map(len, SWEPT))


@dataclass(frozen=True)
class Case:
    """One check of one trade date."""

    greeks: str
    day: date
    strike_range: int | None
    interval: str
    hours: str
    ahead: int
    symbol: str
    version: str
    stated: bool
    together: int

    def tables(self) -> Iterator[pa.Table]:
        """Yields the rows of each expiration; none where that day has none."""
        soonest = self.day + timedelta(self.ahead)
        later = (one for one in MARKET.expirations(self.symbol) if one >= soonest)
        for expiration in islice(later, self.together):
            query = Query(
                self.symbol,
                expiration,
                self.day,
                self.day,
                self.greeks,
                INTERVALS[self.interval],
                *HOURS[self.hours],
                strike_range=self.strike_range,
                version=self.version,
                v2=self.version == "1",
            )
            rows = table(MARKET.blocks(query), self.greeks)
            if rows.num_rows:
                yield rows

    def findings(self) -> tuple[int, list[Finding]]:
        """Returns how many rows were checked, and what was found in them."""
        rows = 0
        start, end = HOURS[self.hours]
        version = self.version if self.stated else None
        audit = Audit(
            Assumptions(version=version, interval=self.interval, start_ms=start, end_ms=end)
        )
        for one in self.tables():
            audit.add(one)
            rows += one.num_rows
        return rows, [finding for one in audit.finish() for finding in one.findings]


def case(number: int) -> Case:
    """Returns a case by its number: those from 0 to `CASES` - 1 are the sweep."""
    return Case(*_spread(number, SWEPT), *_spread(number, CHOSEN))


def _spread(number: int, axes: tuple[tuple[object, ...], ...]) -> Iterator[Any]:
    """Yields a value of each axis; consecutive numbers are spread over all combinations alike."""
    combinations = prod(map(len, axes))
    step = round(combinations * 0.618034)
    while gcd(step, combinations) > 1:
        step += 1
    place = number * step % combinations
    for axis in axes:
        place, at = divmod(place, len(axis))
        yield axis[at]


def sample(first: int, cases: int) -> Iterator[Case]:
    """Yields so many cases from the first of these numbers on."""
    return map(case, range(first, first + cases))


def main() -> int:
    """Prints the findings; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=0, metavar="K")
    parser.add_argument("--cases", type=int, default=CASES, metavar="N", help="the sweep")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these")
    asked = parser.parse_args()
    begun = time.monotonic()
    cases = total = 0
    found: Counter[str] = Counter()
    for one in sample(asked.first, asked.cases):
        if time.monotonic() - begun > asked.seconds:
            break
        rows, findings = one.findings()
        cases, total = cases + 1, total + rows
        for finding in findings:
            found[finding.rule] += finding.count
            print(f"{finding.rule}: {finding.count} of {rows:,} rows, {one}")
            for example in finding.examples:
                print(f"    {example.key} {example.values}")
            sys.stdout.flush()
    seconds = time.monotonic() - begun
    print(
        f"{cases:,} cases ({CASES:,} are the sweep), {total:,} rows, {seconds:.0f} s"
        f" ({total / seconds:,.0f} rows/s): {dict(found) or 'no finding'}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

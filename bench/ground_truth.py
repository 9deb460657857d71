"""Whether the check finds anything where there is nothing: `python bench/ground_truth.py`.

Checks the simulated market, which is right by definition, over three years: every trading day,
order of Greeks, interval from a minute to an hour, strike range and time to expiration from none to
a year, with and without what neighbouring expirations show. Prints each finding, and how many cases
and rows were checked. Exit code 1 if there is any finding.

The whole is 27 million cases. They are taken in an order in which any thousand that follow each
other are spread over all of them alike: `--cases N` takes N of them (2,000 by default, a few
minutes), and `--first K` begins with the K-th, so that several processes can share the work.
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
from pipeline.simulator.market.market import Market
from pipeline.simulator.market.table import table
from transforms.audit import Assumptions, Audit
from transforms.market import calendar
from transforms.quality.findings import Finding

SYMBOLS = ("SPXW", "SPX", "AAPL")
MARKET = Market(symbols=SYMBOLS)
# Both changes of the clocks, half days and every trading day between.
DAYS = calendar.trading_days(date(2023, 1, 3), date(2025, 12, 31))
AHEAD = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 21, 30, 45, 60, 90, 180, 365)
GREEKS = tuple(COLUMNS)
EVERY = ("1m", "5m", "10m", "15m", "30m", "1h")
STRIKES = (1, 2, 5, None)
VERSIONS = ("latest", "1")
TOGETHER = (1, 2)  # expirations that are checked at once

_AXES: tuple[tuple[object, ...], ...] = (
    *(GREEKS, STRIKES, EVERY, AHEAD),  # the fields of `Case`, in their order
    *(SYMBOLS, VERSIONS, TOGETHER, tuple(DAYS)),
)
CASES = prod(map(len, _AXES))


@dataclass(frozen=True)
class Case:
    """One check of one trade date."""

    greeks: str
    strike_range: int | None
    interval: str
    ahead: int
    symbol: str
    version: str
    together: int
    day: date

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
                strike_range=self.strike_range,
                version=self.version,
            )
            rows = table(MARKET.blocks(query), self.greeks)
            if rows.num_rows:
                yield rows

    def findings(self) -> tuple[int, list[Finding]]:
        """Returns how many rows were checked, and what was found in them."""
        rows = 0
        audit = Audit(Assumptions(version=self.version, interval=self.interval))
        for one in self.tables():
            audit.add(one)
            rows += one.num_rows
        return rows, [finding for one in audit.finish() for finding in one.findings]


def case(number: int) -> Case:
    """Returns a case by its number, from 0 to `CASES` - 1."""
    values: list[Any] = []
    for axis in _AXES:
        number, place = divmod(number, len(axis))
        values.append(axis[place])
    return Case(*values)


def sample(first: int, cases: int) -> Iterator[Case]:
    """Yields so many cases, spread over all of them alike: all of them are every one once."""
    step = round(CASES * 0.618034)
    while gcd(step, CASES) > 1:
        step += 1
    return (case(n * step % CASES) for n in range(first, first + min(cases, CASES)))


def main() -> int:
    """Prints the findings; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, default=2000)
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
    print(f"{cases:,} of {CASES:,} cases, {total:,} rows, {seconds:.0f} s: {dict(found) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

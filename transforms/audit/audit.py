"""Checks rows at rest: their quality, a recomputation, and quotes of several contracts together."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.audit.arbitrage import arbitrage
from transforms.audit.assumptions import Assumptions
from transforms.audit.calendar_arbitrage import Calendars
from transforms.audit.comparison import Comparison, DayKey, day_text, place_of
from transforms.audit.packed import Packed, pack, unpack
from transforms.audit.recomputation import interval_of, is_daily
from transforms.audit.rows_apart import by_day, by_expiration, kind_of
from transforms.market.clock import DAY_MS
from transforms.market.exercise import exercise_of
from transforms.model.row_groups import RowGroups
from transforms.model.trade_dates import missing, spans, within
from transforms.orders import ORDERS
from transforms.quality.block import Block, stamp
from transforms.quality.check import QualityCheck
from transforms.quality.columns import arrays
from transforms.quality.dates import TradeDates
from transforms.quality.finding_counts import FindingCounts
from transforms.quality.findings import Example, Finding, Quality

MOST_HELD = 1_000_000
"""So many rows are held at once, of the trade dates that are being read: up to 250 MB."""

_MANY = 0.1  # of the rows: so many are wrong together, and for one reason

_Key = tuple[str, date, str]


@dataclass
class _Expiration:
    """One expiration on its way."""

    check: QualityCheck
    together: FindingCounts
    groups: RowGroups = field(default_factory=RowGroups)
    files: dict[str, None] = field(default_factory=dict)
    dates: TradeDates = field(default_factory=TradeDates)
    requested: set[date] = field(default_factory=set)
    provisional: bool = False

    def missing_dates(self) -> list[date]:
        """Returns the requested trade dates that should have rows and have none."""
        served = sorted(self.requested)
        with_rows = spans(self.dates.found, served)
        return within(missing(with_rows, served, provisional=self.provisional), served)


@dataclass(frozen=True)
class Checked:
    """The result of one expiration.

    Attributes:
        symbol: the root.
        expiration: the date.
        order: of data that has the columns of its rows; empty if there is none.
        files: where its rows are.
        quality: what its rows show one by one.
        together: what they show together.
    """

    symbol: str
    expiration: date
    order: str
    files: tuple[str, ...]
    quality: Quality
    together: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return (*self.quality.findings, *self.together)

    def describe(self) -> dict[str, Any]:
        """Returns it, JSON-ready."""
        return {
            "symbol": self.symbol,
            "expiration": self.expiration.isoformat(),
            "greeks": self.order,
            "files": list(self.files),
            **self.quality.describe(),
            "findings": [finding.describe() for finding in self.findings],
        }


class Audit:
    """Checks the rows of any number of expirations, one by one and together.

    Rows of a trade date are held until another one begins, `MOST_HELD` at most; of an expiration
    that has ended, only what `Calendars` keeps. Expirations are told apart by symbol, date and
    columns, so that their rows may come from several files, and mixed.

    Args:
        assumptions: about what the rows don't show.

    Attributes:
        errors: how far the recomputed numbers are off.
        rates: the rate of each trade date, by symbol and expiration: that the rows imply, or that
            was given, with what it may be off.
        parity: what calls and puts imply together.
        orders: of data that were found, once there is no more to add.
        notes: what was not looked at, and why.
    """

    def __init__(self, assumptions: Assumptions | None = None) -> None:
        self._assumed = assumptions or Assumptions()
        self._expirations: dict[_Key, _Expiration] = {}
        self._packed: dict[_Key, bytes] = {}
        self._held: dict[DayKey, list[pa.Table]] = {}
        self._rows_held = 0
        self._calendars = Calendars()
        self._comparison = Comparison()
        self._seen: set[DayKey] = set()
        self.errors, self.rates = self._comparison.errors, self._comparison.rates
        self.parity: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.orders: set[str] = set()

    def assume(self, assumptions: Assumptions) -> None:
        """Sets the assumptions about the rows of the next file."""
        self._assumed = assumptions
        self._comparison.begin_file()

    def add(self, table: pa.Table, source: str = "") -> None:
        """Takes rows, with the names and types of `schema`; `source` is where they are."""
        columns = kind_of(table)
        for (symbol, expiration), part in by_expiration(table):
            one = self._unpacked((symbol, expiration, columns))
            if one is None:
                one = self._expirations[symbol, expiration, columns] = _Expiration(
                    QualityCheck(
                        interval_of(part, self._assumed.interval),
                        self._assumed.start_ms,
                        self._assumed.end_ms,
                        self._assumed.annual_dividend or 0.0,
                    ),
                    FindingCounts(symbol, expiration),
                )
            one.files[source] = None
            one.dates.add(part)
            one.requested.update(self._assumed.trade_dates)
            one.provisional |= self._assumed.provisional
            for batch in part.to_batches():
                for group in one.groups.add(batch):
                    one.check.add(group)
            for day, rows in by_day(part):
                key = (symbol, expiration, columns, day)
                if self._rows_held + rows.num_rows > MOST_HELD:
                    # In the usual order, the other trade dates have ended.
                    for other in [held for held in self._held if held != key] or [*self._held]:
                        self._look(other)
                self._held.setdefault(key, []).append(rows)
                self._rows_held += rows.num_rows

    def end_of_file(self) -> None:
        """Checks the rows that are held: others of their trade dates don't follow."""
        for key in [*self._held]:
            self._look(key)
        # As the download did, which checks file by file.
        for one in self._expirations.values():
            for group in one.groups.rest():
                one.check.add(group)
        self._pack()

    def _unpacked(self, key: _Key) -> _Expiration | None:
        """Returns the result of an expiration so far, or None."""
        if key in self._packed:
            self._expirations[key] = unpack(self._packed.pop(key))
        return self._expirations.get(key)

    def _pack(self) -> None:
        """Puts away the results of the expirations: thousands would take hundreds of MB."""
        for key, one in self._expirations.items():
            self._packed[key] = pack(one)
        self._expirations.clear()

    def _findings_of(self, key: _Key) -> FindingCounts:
        """Returns what an expiration's rows show together; those of another one are put away."""
        if key not in self._expirations:
            self._pack()
        one = self._unpacked(key)
        assert one is not None  # noqa: S101 -- it has rows
        return one.together

    def finish(self) -> Packed[Checked]:
        """Returns what the rows show, by symbol and expiration. No row may follow."""
        self.end_of_file()
        self._comparison.finish(self._findings_of)
        for cheap in self._calendars.compared():
            findings = self._findings_of((cheap.symbol, cheap.expiration, cheap.columns))
            at = stamp(cheap.day * DAY_MS + cheap.clock)
            values = {
                "ask": cheap.ask,
                "earlier_expiration": cheap.earlier.isoformat(),
                "earlier_bid": cheap.bid,
            }
            example = Example(findings.key(cheap.strike, cheap.right, at), values)
            findings.note_example("calendar_arbitrage", example)
        if self._calendars.full:
            self.notes.append("too many expirations: not all were compared with their neighbours")
        self.notes += self._comparison.notes()
        symbols = {symbol for symbol, _, _ in {*self._packed, *self._expirations}}
        for symbol in sorted(symbols - {""}):
            style = exercise_of(symbol)
            if style != "European":
                self.notes.append(
                    f"{symbol}: exercise is {style}. ThetaData's model is European all the same, "
                    "and is recomputed as it is; put-call parity is checked as an inequality"
                )
        self._pack()
        checked = Packed[Checked]()
        for key in sorted(self._packed):
            one = self._unpacked(key)
            assert one is not None  # noqa: S101 -- as above
            del self._expirations[key]
            quality = one.check.finish(one.missing_dates())
            together = one.together.findings(quality.rows)
            symbol, expiration, columns = key
            order = columns if columns in ORDERS else ""
            self.orders.add(order)
            found = Checked(symbol, expiration, order, tuple(one.files), quality, together)
            checked.append(found)
        self._hint(checked)
        return checked

    def _hint(self, checked: Iterable[Checked]) -> None:
        rows, found = 0, Counter[str]()
        for one in checked:
            rows += one.quality.rows
            for finding in one.together:
                found[finding.rule] += finding.count
        for rule in ("recomputed_iv", "recomputed_greeks"):
            wrong = found[rule]
            if wrong > _MANY * rows:
                self.notes.append(
                    f"{wrong:,} of {rows:,} rows are recomputed otherwise: were they computed with "
                    "a dividend, or an older count of time? Say so with --annual_dividend, "
                    "--greeks_version or --rate"
                )
                return

    @np.errstate(all="ignore")  # it looks for numbers that are none
    def _look(self, key: DayKey) -> None:
        """Looks at the rows of one expiration and trade date together, and lets them go."""
        symbol, expiration, columns, day = key
        table = pa.concat_tables(self._held.pop(key), promote_options="default")
        self._rows_held -= table.num_rows
        if key in self._seen:
            self.notes.append(
                f"{symbol} {expiration} on {day_text(day)}: its rows came in several pieces, "
                "and were compared within each"
            )
        self._seen.add(key)
        dividend = self._assumed.annual_dividend or 0.0
        block = Block(arrays(table), expiration, is_daily(table), dividend)
        if self._assumed.priced_by in block.prices:
            block.priced_by = self._assumed.priced_by
        findings = self._expirations[symbol, expiration, columns].together
        if {"bid", "ask", "underlying_price"} <= block.names:
            found, parity = arbitrage(block, symbol)
            for one in found:
                findings.note(one, block)
            if parity is not None:
                self.parity.append(place_of(key) | vars(parity))
            self._calendars.add(block, symbol, columns)
        self._comparison.add(key, block, self._assumed.rate, self._assumed.version, findings)

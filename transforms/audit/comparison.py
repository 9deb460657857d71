"""Compares rows with their recomputation: wrong numbers, by how much, and those not compared."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from transforms.arrays import Ints
from transforms.audit.deviations import beyond
from transforms.audit.error_bins import ErrorBins
from transforms.audit.formulas import Formulas
from transforms.audit.rates_by_date import VAGUE, RatesByDate
from transforms.audit.recomputation import recompute_block
from transforms.audit.recomputed import Recomputed
from transforms.audit.vendor_rate import ImpliedRate
from transforms.market.clock import EPOCH
from transforms.quality.block import Block
from transforms.quality.finding_counts import FindingCounts
from transforms.quality.rules import Violations

DayKey = tuple[str, date, str, int]
"""Symbol, expiration and trade date, which is days since 1970."""

_MOST_WAITING = 100_000  # rows that wait for what others show of their rate; a block counts as
_LEAST_WAITING = 200  # no less, for it takes as much memory


@dataclass(frozen=True)
class _Vague:
    """Rows of one expiration and trade date that hardly determine their rate."""

    key: DayKey
    block: Block
    rate: ImpliedRate
    version: str | None
    formulas: Formulas


class Comparison:
    """Compares rows with their recomputation, one expiration and trade date after the other.

    Rows that hardly determine their rate wait for what others show of it, until `finish`.

    Attributes:
        errors: how far the numbers are off.
        rates: the rate of each expiration and trade date, with what it may be off, JSON-ready.
    """

    def __init__(self) -> None:
        self.errors = ErrorBins()
        self.rates: list[dict[str, Any]] = []
        self._by_date = RatesByDate()
        self._vague: list[_Vague] = []
        self._waiting = 0
        self._formulas = Formulas()
        self._older: dict[str, None] = {}
        self._not_recomputed: dict[tuple[str, date, str], list[int]] = {}

    def begin_file(self) -> None:
        """Starts another file, which may be by other formulas."""
        self._formulas = Formulas()

    def add(
        self,
        key: DayKey,
        block: Block,
        rate: float | None,
        version: str | None,
        findings: FindingCounts,
    ) -> None:
        """Compares the rows of an expiration and trade date; notes wrong numbers in `findings`.

        Args:
            key: of the rows.
            block: the rows.
            rate: that they were computed with; None for the one they imply.
            version: how time is counted, where the rows don't show it; None if it is not known.
            findings: of their expiration.
        """
        if not block.greeks and "implied_vol" not in block.names:
            return  # nothing that is computed
        missing = block.missing_inputs
        if missing:
            self._skip(key, f"the rows have no {missing}")
            return
        ours = recompute_block(block, rate, version)
        (found,) = ours.rates.values()
        if found is None:
            self._skip(key, "no row has both a price and a volatility, which imply the rate")
            return
        if rate is None:
            symbol, _, _, day = key
            self._by_date.add(symbol, day, found)
            size = max(len(block), _LEAST_WAITING)
            if found.doubt > VAGUE and self._waiting + size <= _MOST_WAITING:
                self._waiting += size
                # One that is not believed for its rate would be at that of others.
                believed = version and ours.version
                self._vague.append(_Vague(key, block, found, believed, self._formulas))
                return
        self._judge(key, block, ours, found, findings, self._formulas)

    @np.errstate(all="ignore")  # numbers that are none are findings of other rules
    def finish(self, findings_of: Callable[[tuple[str, date, str]], FindingCounts]) -> None:
        """Compares the rows that wait; none may follow.

        Args:
            findings_of: returns the findings of an expiration, by symbol and date.
        """
        for one in self._vague:
            symbol, _, _, day = one.key
            rate = self._by_date.around(symbol, day, one.rate)
            ours = recompute_block(one.block, rate, one.version)
            self._judge(one.key, one.block, ours, rate, findings_of(one.key[:3]), one.formulas)
        self._vague.clear()
        self.rates.sort(key=lambda line: (line["symbol"], line["expiration"], line["trade_date"]))

    def notes(self) -> list[str]:
        """Returns what was not compared, and why, and which formulas were recognised."""
        notes = []
        for (symbol, expiration, reason), days in self._not_recomputed.items():
            dates = f"on {day_text(days[0])}" + (f" and {len(days) - 1} more" if days[1:] else "")
            notes.append(f"{symbol} {expiration} {dates}: nothing was recomputed: {reason}")
        if self._older:
            notes.append(
                f"{', '.join(self._older)} are by ThetaData's formulas from before late 2025, "
                "where they are not the textbook's: that is no finding"
            )
        return notes

    def _skip(self, key: DayKey, reason: str) -> None:
        symbol, expiration, _, day = key
        self._not_recomputed.setdefault((symbol, expiration, reason), []).append(day)

    def _judge(
        self,
        key: DayKey,
        block: Block,
        ours: Recomputed,
        rate: ImpliedRate,
        findings: FindingCounts,
        formulas: Formulas,
    ) -> None:
        """Compares rows of one expiration and trade date with their recomputation at a rate."""
        self.rates.append(place_of(key) | rate._asdict())
        compared = np.flatnonzero(ours.solved & (ours.price > 0))
        self._note_volatilities(block, ours, compared, findings)
        # Greeks of a wrong volatility are judged by the row's own.
        outside = {name: beyond(block, ours, name) for name in block.greeks}
        older = formulas.explained(block, ours, outside)
        self._older |= dict.fromkeys(name for name, rows in older.items() if len(rows))
        for name, rows in outside.items():
            error = np.abs(block[name] - ours.greeks[name])
            self.errors.add(block, name, np.nan_to_num(error), compared, rows)
        judged = {
            name: np.setdiff1d(rows, older.get(name, rows[:0])) for name, rows in outside.items()
        }
        judged = {name: rows for name, rows in judged.items() if len(rows)}
        if judged:
            findings.note(_wrong_greeks(block, ours, judged), block)

    def _note_volatilities(
        self, block: Block, ours: Recomputed, compared: Ints, findings: FindingCounts
    ) -> None:
        """Notes how far each volatility of a row is off, and the rows with a wrong one."""
        solutions = {"implied_vol": (ours.implied_vol, ours.right_iv)} | ours.sides
        wrong, worst, expected = np.zeros(len(block), np.bool_), np.zeros(len(block)), {}
        for name, (values, right) in solutions.items():
            off = np.abs(values - block[name])
            rows = compared
            if name != "implied_vol":
                paid = block[name.removesuffix("_implied_vol")]
                rows = np.flatnonzero((paid > 0) & (block[name] > 0))
            self.errors.add(block, name, np.nan_to_num(off), rows, np.flatnonzero(~right))
            if right.all():
                continue
            wrong |= ~right
            worst = np.fmax(worst, np.where(right, 0, off))
            expected[name] = np.where(right, np.nan, values)
        if expected:
            places = np.flatnonzero(wrong)
            sources = [name for name in ("bid", "ask", "close", "price") if name in block.names]
            shown = (*sources, "underlying_price", *expected)
            should = {name: values[places] for name, values in expected.items()}
            findings.note(Violations("recomputed_iv", places, worst[places], shown, should), block)


def _wrong_greeks(block: Block, ours: Recomputed, wrong: dict[str, Any]) -> Violations:
    rows = np.unique(np.concatenate(list(wrong.values())))
    badness = np.zeros(len(rows))
    expected = {}
    for name, places in wrong.items():
        here = np.searchsorted(rows, places)
        values = np.full(len(rows), np.nan)
        values[here] = ours.greeks[name][places]
        expected[name] = values
        error = np.abs(block[name][places] - values[here]) / (np.abs(values[here]) + 1e-3)
        badness[here] = np.maximum(badness[here], error)
    return Violations("recomputed_greeks", rows, badness, ("implied_vol", *wrong), expected)


def place_of(key: DayKey) -> dict[str, str]:
    """Returns what names an expiration's trade date, JSON-ready."""
    symbol, expiration, _, day = key
    return {"symbol": symbol, "expiration": expiration.isoformat(), "trade_date": day_text(day)}


def day_text(day: int) -> str:
    """Returns a date, days since 1970, as text."""
    return date.fromordinal(EPOCH + day).isoformat()

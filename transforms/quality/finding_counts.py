"""Counts what the rules find in an expiration, and keeps the worst rows of each."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from transforms.orders.schema import KEY_COLUMNS
from transforms.quality.block import Block, contract, stamp
from transforms.quality.findings import MOST_EXAMPLES, Example, Finding
from transforms.quality.limits import MISSING_DATES, RULES, TOGETHER
from transforms.quality.presence import Spots
from transforms.quality.rules import Violations


@dataclass
class _RuleCount:
    count: int = 0
    worst: list[tuple[float, Example]] = field(default_factory=list)


class FindingCounts:
    """What was found so far among the rows of one expiration.

    Attributes:
        symbol: of the rows.
        expiration: of the rows.
    """

    def __init__(self, symbol: str, expiration: date) -> None:
        self.symbol, self.expiration = symbol, expiration
        self._rules: dict[str, _RuleCount] = {}

    def note(self, one: Violations, block: Block) -> None:
        """Counts rows of a block that break a rule."""
        of_rule = self._rules.setdefault(one.rule, _RuleCount())
        of_rule.count += len(one.rows)
        floor = of_rule.worst[-1][0] if len(of_rule.worst) == MOST_EXAMPLES else -np.inf
        for n in np.argsort(-one.badness, kind="stable")[:MOST_EXAMPLES].tolist():
            if (bad := float(one.badness[n])) > floor:
                of_rule.worst.append((bad, self._example(block, one, n, bad)))
        # Stable: of two that are as bad, the one that came first.
        of_rule.worst = sorted(of_rule.worst, key=lambda pair: -pair[0])[:MOST_EXAMPLES]

    def note_spots(self, rule: str, spots: Spots) -> None:
        """Counts places that break a rule."""
        if spots.count:
            self._rules[rule] = _RuleCount(
                spots.count,
                [(0.0, self._spot(code, time, figures)) for code, time, figures in spots.first],
            )

    def _spot(self, code: int, time: int, figures: dict[str, int]) -> Example:
        badness = float(figures.get("missing", 0))
        return Example(self.key(*contract(code), stamp(time)), dict(figures), badness)

    def note_example(self, rule: str, example: Example) -> None:
        """Counts one place that breaks a rule."""
        of_rule = self._rules.setdefault(rule, _RuleCount())
        of_rule.count += 1
        if len(of_rule.worst) < MOST_EXAMPLES:
            of_rule.worst.append((0.0, example))

    def note_date(self, rule: str, day: date) -> None:
        """Counts a trade date that breaks a rule."""
        key = {"symbol": self.symbol, "expiration": self.expiration.isoformat()}
        self.note_example(rule, Example({**key, "trade_date": day.isoformat()}, {}))

    def findings(self, rows: int) -> tuple[Finding, ...]:
        """Returns what was found, in the order of the rules, and as a share of so many rows."""
        return tuple(
            Finding(
                rule,
                of_rule.count,
                _share(rule, of_rule.count, rows),
                tuple(example for _, example in of_rule.worst),
            )
            for rule in (*RULES, *TOGETHER)
            if (of_rule := self._rules.get(rule))
        )

    def key(self, strike: float, right: str, stamped: str) -> dict[str, Any]:
        """Returns what names a row."""
        values = (self.symbol, self.expiration.isoformat(), strike, right, stamped)
        return dict(zip(KEY_COLUMNS, values, strict=True))

    def _example(self, block: Block, one: Violations, n: int, badness: float) -> Example:
        row = int(one.rows[n])
        expected = {
            name: float(values[n])
            for name, values in one.expected.items()
            if np.isfinite(values[n])
        }
        wanted = [name for name in one.shown if name in expected or name not in one.expected]
        values = {name: block.value(name, row) for name in wanted}
        values |= {f"{name}_recomputed": round(value, 6) for name, value in expected.items()}
        key = self.key(
            block.value("strike", row), "PC"[int(block.is_call[row])], block.value("timestamp", row)
        )
        return Example(key, values, badness)


def _share(rule: str, count: int, rows: int) -> float:
    if rule == MISSING_DATES:
        return 0.0
    return count / ((rows + (count if rule == "holes" else 0)) or 1)

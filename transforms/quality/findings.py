"""The result of a check: statistics, findings, and the rows that show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transforms.quality.limits import RULES, TOGETHER

MOST_EXAMPLES = 5
"""So many rows are shown of each finding."""


@dataclass(frozen=True)
class Example:
    """A row that breaks a rule.

    Attributes:
        key: what names it: `KEY_COLUMNS`, as text and numbers; of a trade date without rows, the
            symbol, the expiration and the trade date.
        values: the wrong ones, by column or by measure.
        badness: how bad it is, comparable with others of the same rule; 0 where none is worse.
    """

    key: dict[str, Any]
    values: dict[str, Any]
    badness: float = 0.0

    def describe(self) -> dict[str, Any]:
        """Returns the example, JSON-ready."""
        return {"key": self.key, "values": self.values}


def named(key: Mapping[str, Any]) -> tuple[str, str]:
    """Returns what an example's key names, as text: the contract or expiration, and the time."""
    of = f"{key['symbol']} {key['expiration']}"
    if "strike" not in key:
        return of, str(key["trade_date"])
    return f"{of} {key['strike']:g} {key['right']}", str(key["timestamp"])


@dataclass(frozen=True)
class Finding:
    """What a rule found, that no convention of ThetaData explains.

    Attributes:
        rule: its name, a key of `limits.RULES`.
        count: rows that break it; for `holes`, rows that are not there; for `missing_dates`,
            trade dates.
        share: of all rows; for `holes`, of those that should be there; for `missing_dates`, 0.
        examples: the worst ones, at most `MOST_EXAMPLES`, the worst first.
    """

    rule: str
    count: int
    share: float
    examples: tuple[Example, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Returns the finding, JSON-ready."""
        return {
            "rule": self.rule,
            "says": (RULES | TOGETHER)[self.rule],
            "count": self.count,
            "share": round(self.share, 8),
            "examples": [example.describe() for example in self.examples],
        }


@dataclass(frozen=True)
class Quality:
    """The quality of the rows of one expiration.

    Attributes:
        rows: that passed by.
        contracts: strikes and rights among them.
        trade_dates: among them.
        counts: rows of each statistic: those of `statistics.counted`, and
            `duplicates`, `out_of_order` and `holes`, unless times are on no grid, as ticks.
        iv_error: of the rows that have a price and a volatility: `rows`, and the `mean`, `max`
            of its absolute value.
        findings: in the order of `limits.RULES`; none if all is well.
    """

    rows: int
    contracts: int
    trade_dates: int
    counts: dict[str, int]
    iv_error: dict[str, float]
    findings: tuple[Finding, ...] = ()

    @property
    def found(self) -> dict[str, int]:
        """The count of each finding, by rule."""
        return {finding.rule: finding.count for finding in self.findings}

    def describe(self) -> dict[str, Any]:
        """Returns statistics and findings, JSON-ready."""
        whole = self.rows or 1
        return {
            "rows": self.rows,
            "contracts": self.contracts,
            "trade_dates": self.trade_dates,
            "statistics": {
                name: {"count": count, "share": round(count / whole, 8)}
                for name, count in self.counts.items()
            },
            "iv_error": {name: round(value, 8) for name, value in self.iv_error.items()},
            "findings": [finding.describe() for finding in self.findings],
        }

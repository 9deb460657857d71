"""The run summary: the results of a run, added up."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from transforms.model import (
    EMPTY,
    FAILED,
    INTERRUPTED,
    SKIPPED,
    WRITTEN,
    ExpirationResult,
    key_of,
    named,
)

LISTED = 1000
"""Results, files and errors that a summary of more lists; a file of results has all of them."""


@dataclass(frozen=True)
class RunSummary:
    """The totals of a run, as far as the graph knows them.

    Rows, bytes and files are those that the run wrote; what it skipped was written before.

    Attributes:
        skipped_empty_expirations: those of the skipped ones that have no data, and so no file.
        incomplete_expirations: those whose file lacks a requested trade date after its first one,
            skipped ones too; each result says which.
        files_created: the paths of the files; of more than `LISTED` results, of those listed.
        expirations: each result, described, by symbol, expiration and trade date; of more than
            `LISTED` results the first that came, where `results_files` has all.
        findings: rows that break a rule of quality, by rule, over all expirations.
        errors: `{expiration, error_type, message}` of each failed expiration, in that order, but
            for those beyond `LISTED`; with an empty `expiration` what failed is no single one.
        peak_throughput: rows in the best second of wall-clock time, over all workers.
        peak_time: when that second began, ISO 8601 in UTC; empty if there was no row.
        results_files: the files that have the results, a line of JSON for each; none where
            `expirations` has all of them.
    """

    total_expirations: int = 0
    successful_expirations: int = 0
    empty_expirations: int = 0
    skipped_expirations: int = 0
    skipped_empty_expirations: int = 0
    failed_expirations: int = 0
    interrupted_expirations: int = 0
    total_records: int = 0
    total_data_size: int = 0
    average_expiration_time: float = 0.0
    peak_throughput: int = 0
    peak_time: str = ""
    total_requests: int = 0
    total_wait: float = 0.0
    provisional_expirations: int = 0
    incomplete_expirations: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    files_created: tuple[str, ...] = ()
    errors: tuple[dict[str, str], ...] = ()
    results_files: tuple[str, ...] = ()
    expirations: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, results: Iterable[ExpirationResult]) -> "RunSummary":
        """Returns the summary of `results`, which may come in any order; it lists all of them."""
        totals = Totals()
        for result in results:
            totals.add(result.describe(), result.rows_by_second)
            totals.lines.append(result.line)
        return totals.summary(())

    @property
    def whole(self) -> bool:
        """Whether `expirations` has every result."""
        return not self.results_files

    def with_skipped(
        self, count: int, empty: int, incomplete: int, listed: Sequence[ExpirationResult]
    ) -> "RunSummary":
        """Returns the summary of a run that also skipped some expirations.

        They count as expirations; their rows and bytes are not those of this run.

        Args:
            count: of them.
            empty: how many of them have no data.
            incomplete: how many of them have a file in which trade dates are missing.
            listed: those that the summary lists, which need not be all.
        """
        described = [*self.expirations, *(result.describe() for result in listed)]
        return replace(
            self,
            total_expirations=self.total_expirations + count,
            skipped_expirations=self.skipped_expirations + count,
            skipped_empty_expirations=self.skipped_empty_expirations + empty,
            incomplete_expirations=self.incomplete_expirations + incomplete,
            expirations=tuple(sorted(described, key=key_of)),
        )


@dataclass
class Totals:
    """What results come to, whatever their number: `RunSummary` as it is added up.

    Attributes:
        lines: the results that are in no file, as JSON text.
        files: the files that have the other ones.
    """

    ended: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    waited: float = 0.0
    provisional: int = 0
    incomplete: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    rows_by_second: Counter[int] = field(default_factory=Counter)
    errors: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(
        self, result: Mapping[str, Any], rows_by_second: Iterable[tuple[int, int]] = ()
    ) -> None:
        """Adds a result.

        Args:
            result: described.
            rows_by_second: of its `ExpirationResult`.
        """
        status = result["status"]
        self.ended[status] += 1
        if status == WRITTEN:
            self.rows += result["rows"]
            self.bytes += result["bytes"]
        if status != SKIPPED:
            self.seconds += result["seconds"]
        self.requests += result["requests"]
        self.waited += result["waited"]
        self.provisional += result["provisional"]
        self.incomplete += bool(result["missing_dates"])
        for finding in (result["quality"] or {}).get("findings", ()):
            self.findings[finding["rule"]] += finding["count"]
        for second, rows in rows_by_second:
            self.rows_by_second[second] += rows
        if (error := result.get("error")) and len(self.errors) < LISTED:
            self.errors.append({"expiration": _named(result), **error})

    def merge(self, other: "Totals") -> None:
        """Adds what other results come to."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def summary(self, in_files: Iterable[Mapping[str, Any]]) -> RunSummary:
        """Returns the summary.

        Args:
            in_files: the results in `files`, described, of which the first ones are read.
        """
        listed = [json.loads(line) for line in self.lines]
        listed += islice(in_files, max(0, LISTED - len(listed)))
        listed.sort(key=key_of)
        total = sum(self.ended.values())
        fetched = total - self.ended[SKIPPED]
        seconds = self.rows_by_second
        best = max(seconds, key=lambda second: (seconds[second], -second), default=None)
        return RunSummary(
            total_expirations=total,
            successful_expirations=self.ended[WRITTEN],
            empty_expirations=self.ended[EMPTY],
            skipped_expirations=self.ended[SKIPPED],
            failed_expirations=self.ended[FAILED],
            interrupted_expirations=self.ended[INTERRUPTED],
            total_records=self.rows,
            total_data_size=self.bytes,
            average_expiration_time=round(self.seconds / fetched, 3) if fetched else 0.0,
            peak_throughput=seconds[best] if best is not None else 0,
            peak_time=(
                datetime.fromtimestamp(best, timezone.utc).isoformat() if best is not None else ""
            ),
            total_requests=self.requests,
            total_wait=round(self.waited, 3),
            provisional_expirations=self.provisional,
            incomplete_expirations=self.incomplete,
            findings=dict(self.findings),
            files_created=tuple(r["path"] for r in listed if r["status"] == WRITTEN),
            errors=tuple(sorted(self.errors, key=lambda each: each["expiration"])[:LISTED]),
            results_files=() if len(listed) == total else tuple(self.files),
            expirations=tuple(listed),
        )


def _named(result: Mapping[str, Any]) -> str:
    """Returns the request of a result as `str` does."""
    symbol, expiration, first, last, greeks = key_of(result)
    return named(greeks, symbol, expiration, first, last)

"""The run summary: the results of a run, added up."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from transforms.model import (
    EMPTY,
    FAILED,
    INTERRUPTED,
    SKIPPED,
    STATUSES,
    WRITTEN,
    ExpirationResult,
    key_of,
)


@dataclass(frozen=True)
class RunSummary:
    """The totals of a run, as far as the graph knows them.

    Rows, bytes and files are those that the run wrote; what it skipped was written before.

    Attributes:
        skipped_empty_expirations: those of the skipped ones that have no data, and so no file.
        incomplete_expirations: those whose file lacks a requested trade date after its first one,
            skipped ones too; each result says which.
        expirations: each result, described, by symbol, expiration and trade date.
        findings: rows that break a rule of quality, by rule, over all expirations.
        errors: `{expiration, error_type, message}` of each failed expiration, in that order; with
            an empty `expiration` what failed is no single one.
        peak_throughput: rows in the best second of wall-clock time, over all workers.
        peak_time: when that second began, ISO 8601 in UTC; empty if there was no row.
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
    expirations: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, results: Sequence[ExpirationResult]) -> "RunSummary":
        """Returns the summary of `results`, which may come in any order."""
        ordered = sorted(results, key=lambda result: result.request.key)
        count = {status: sum(r.status == status for r in ordered) for status in STATUSES}
        written = [r for r in ordered if r.status == WRITTEN]
        fetched = [r for r in ordered if r.status != SKIPPED]
        seconds: dict[int, int] = {}
        for result in ordered:
            for second, rows in result.rows_by_second:
                seconds[second] = seconds.get(second, 0) + rows
        best = max(seconds, key=lambda second: (seconds[second], -second), default=None)
        return cls(
            total_expirations=len(ordered),
            successful_expirations=count[WRITTEN],
            empty_expirations=count[EMPTY],
            skipped_expirations=count[SKIPPED],
            failed_expirations=count[FAILED],
            interrupted_expirations=count[INTERRUPTED],
            total_records=sum(r.rows for r in written),
            total_data_size=sum(r.bytes for r in written),
            average_expiration_time=(
                round(sum(r.seconds for r in fetched) / len(fetched), 3) if fetched else 0.0
            ),
            peak_throughput=seconds[best] if best is not None else 0,
            peak_time=(
                datetime.fromtimestamp(best, timezone.utc).isoformat() if best is not None else ""
            ),
            total_requests=sum(r.requests for r in ordered),
            total_wait=round(sum(r.waited for r in ordered), 3),
            provisional_expirations=sum(r.provisional for r in ordered),
            incomplete_expirations=sum(bool(r.missing_dates) for r in ordered),
            findings=_findings(ordered),
            files_created=tuple(r.path for r in written if r.path is not None),
            errors=tuple(
                {
                    "expiration": str(r.request),
                    "error_type": r.failure.error_type,
                    "message": r.failure.message,
                }
                for r in ordered
                if r.failure is not None
            ),
            expirations=tuple(r.describe() for r in ordered),
        )

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


def _findings(results: Sequence[ExpirationResult]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for result in results:
        for finding in (result.quality or {}).get("findings", ()):
            counts[finding["rule"]] = counts.get(finding["rule"], 0) + finding["count"]
    return counts

from dataclasses import replace

import pytest

from pipeline.run.accounting import BooksDiffer, check_accounts
from tests.support.data import request_for
from transforms.metrics.summary import RunSummary
from transforms.model import EMPTY, WRITTEN, ExpirationResult

FIRST, SECOND = request_for("2024-03-14"), request_for("2024-03-15")
RESULTS = [
    ExpirationResult(FIRST, WRITTEN, 100, 1000, path="a"),
    ExpirationResult(SECOND, EMPTY),
]
SUMMARY = RunSummary.of(RESULTS)
COUNTERS = {"rows": 100, "bytes": 1000, "expirations_written": 1, "expirations_empty": 1}


def test_books_that_agree_are_passed() -> None:
    check_accounts([SECOND, FIRST], SUMMARY, COUNTERS)
    check_accounts([SECOND, FIRST], SUMMARY, None)
    check_accounts([], RunSummary.of([]), {})


@pytest.mark.parametrize(
    ("summary", "counters", "difference"),
    [
        (replace(SUMMARY, total_records=99), COUNTERS, "99 rows, its results and counters 100"),
        (replace(SUMMARY, total_data_size=1), COUNTERS, "1 byte,"),
        (replace(SUMMARY, files_created=()), COUNTERS, "0 files"),
        (SUMMARY, COUNTERS | {"rows": 101}, "100 rows, its results and counters 101"),
        (SUMMARY, COUNTERS | {"expirations_empty": 2}, "1 empty expiration,"),
        (
            RunSummary.of(RESULTS[:1]),
            COUNTERS,
            "SPXW 2024-03-15 .* without a result",
        ),
        (
            RunSummary.of(RESULTS * 2),
            COUNTERS,
            "none without a result, SPXW .* more than one",
        ),
    ],
)
def test_whatever_differs_is_reported(
    summary: RunSummary, counters: dict[str, int], difference: str
) -> None:
    with pytest.raises(BooksDiffer, match=difference):
        check_accounts([FIRST, SECOND], summary, counters)

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.run.accounting import BooksDiffer, check_accounts
from pipeline.run.partial_results import with_interrupted
from tests.support.data import request_for
from transforms.metrics.results_file import ResultsFile
from transforms.metrics.summary import RunSummary
from transforms.model import EMPTY, INTERRUPTED, WRITTEN, ExpirationResult
from transforms.model.requests import KeyMarks

FIRST, SECOND = request_for("2024-03-14"), request_for("2024-03-15")
REQUESTS = KeyMarks([SECOND, FIRST])
RESULTS = [
    ExpirationResult(FIRST, WRITTEN, 100, 1000, path="a"),
    ExpirationResult(SECOND, EMPTY),
]
SUMMARY = RunSummary.of(RESULTS)
COUNTERS = {"rows": 100, "bytes": 1000, "expirations_written": 1, "expirations_empty": 1}


def test_books_that_agree_are_passed() -> None:
    check_accounts(REQUESTS, SUMMARY, COUNTERS)
    check_accounts(REQUESTS, SUMMARY, None)
    check_accounts(KeyMarks([]), RunSummary.of([]), {})


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
        check_accounts(REQUESTS, summary, counters)


def in_a_file(folder: Path, results: list[ExpirationResult], listed: int) -> RunSummary:
    """Returns the summary of results, of which it lists some, and a file has all."""
    file = ResultsFile(str(folder))
    for result in results:
        assert file.append(json.dumps(result.describe()))
    path = file.close()
    assert path is not None
    whole = RunSummary.of(results)
    return replace(whole, expirations=whole.expirations[:listed], results_files=(path,))


def test_results_in_a_file_are_in_the_books(tmp_path: Path) -> None:
    check_accounts(REQUESTS, in_a_file(tmp_path, RESULTS, 1), COUNTERS)
    short = replace(in_a_file(tmp_path, RESULTS, 1), total_records=99)
    with pytest.raises(BooksDiffer, match="99 rows, its results and counters 100"):
        check_accounts(REQUESTS, short, COUNTERS)
    with pytest.raises(BooksDiffer, match=r"SPXW 2024-03-15 .* without a result"):
        check_accounts(REQUESTS, in_a_file(tmp_path, RESULTS[:1], 0), None)


def test_a_result_counted_twice_is_found_though_its_file_may_have_it_twice(tmp_path: Path) -> None:
    twice = in_a_file(tmp_path, RESULTS * 2, 0)
    once = replace(RunSummary.of(RESULTS), results_files=twice.results_files)
    check_accounts(REQUESTS, once, COUNTERS)
    with pytest.raises(BooksDiffer, match="4 expirations, its results and counters 2"):
        check_accounts(REQUESTS, twice, None)


def test_what_an_interrupted_run_did_not_send_counts_as_interrupted() -> None:
    summary = RunSummary.of(RESULTS[:1])
    with pytest.raises(BooksDiffer, match="without a result"):
        check_accounts(REQUESTS, summary, None)
    marks = check_accounts(REQUESTS, summary, None, stopped=True)
    completed = with_interrupted(summary, marks)
    assert (completed.total_expirations, completed.interrupted_expirations) == (2, 1)
    assert [each["status"] for each in completed.expirations] == [WRITTEN, INTERRUPTED]

from datetime import date

import pytest

from tests.support.data import request_for
from transforms.metrics.summary import RunSummary
from transforms.model import (
    EMPTY,
    FAILED,
    WRITTEN,
    ExpirationResult,
    Failure,
    GreeksRequest,
    checked_symbol,
)


@pytest.mark.parametrize("symbol", ["SPXW", "brk.b", "A", " spx ", "RUT2"])
def test_a_ticker_is_a_symbol_in_upper_case(symbol: str) -> None:
    assert checked_symbol(symbol) == symbol.strip().upper()


@pytest.mark.parametrize("symbol", ["", "../etc", "A/B", "A\\B", ".A", "A.", "A..B", "1A", "A B"])
def test_what_could_leave_a_folder_is_no_symbol(symbol: str) -> None:
    with pytest.raises(ValueError, match="is not a symbol"):
        checked_symbol(symbol)


@pytest.mark.parametrize(
    ("days", "interval", "message"),
    [
        ((), "5m", "no trade dates"),
        ((date(2024, 3, 15), date(2024, 3, 14)), "5m", "must ascend"),
        ((date(2024, 3, 14), date(2024, 3, 14)), "5m", "must ascend"),
        ((date(2024, 3, 18),), "5m", "after the expiration"),
        ((date(2024, 3, 14),), "300000", "'300000' is not one of tick"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    days: tuple[date, ...], interval: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        GreeksRequest("SPXW", date(2024, 3, 15), days, interval)


def test_a_summary_adds_up_its_results_whatever_their_order() -> None:
    first, second, third = (request_for(f"2024-03-{day}") for day in (14, 15, 18))
    results = [
        ExpirationResult(third, FAILED, seconds=1, requests=1, failure=Failure("OSError", "full")),
        ExpirationResult(
            second, WRITTEN, 300, 3000, 2.0, 1, path="b", rows_by_second=((100, 200), (101, 100))
        ),
        ExpirationResult(first, WRITTEN, 100, 1000, 3.0, 1, path="a", rows_by_second=((101, 100),)),
        ExpirationResult(request_for("2024-03-19"), EMPTY, seconds=2.0, requests=1),
    ]
    summary = RunSummary.of(results)
    assert summary == RunSummary.of(results[::-1])
    assert (summary.total_expirations, summary.successful_expirations) == (4, 2)
    assert (summary.empty_expirations, summary.failed_expirations) == (1, 1)
    assert (summary.total_records, summary.total_data_size) == (400, 4000)
    assert summary.files_created == ("a", "b")
    assert summary.average_expiration_time == 2.0
    assert summary.errors == (
        {
            "expiration": "SPXW expiring 2024-03-18 on 2024-03-14",
            "error_type": "OSError",
            "message": "full",
        },
    )
    # Workers side by side: seconds 100 and 101 had 200 rows each.
    assert summary.peak_throughput == 200
    assert summary.peak_time == "1970-01-01T00:01:40+00:00"


def test_a_run_without_expirations_has_a_summary_too() -> None:
    assert RunSummary.of([]) == RunSummary()

from typing import Any

import pytest

from pipeline.history.compare import compare, comparison_lines


def record(run_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "status": "succeeded",
        "start_time": "2026-11-23T07:47:11+00:00",
        "request": {"symbol": ["SPXW"], "interval": "5m", "format": "csv"},
        "source": {"data": "live"},
        "average_throughput": 1000.0,
        "total_duration": 100.0,
        "total_records": 100_000,
        "total_data_size": 15_000_000,
        "peak_memory_usage": 170.0,
        "failed_expirations": 0,
        "total_wait": 0.0,
    } | changes


A = record("A")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"average_throughput": 800.0}, "throughput went from 1,000 rows/s to 800 rows/s, -20.0%"),
        ({"total_duration": 120.5}, "duration went from 100 s to 120.5 s, +20.5%"),
        ({"total_records": 50_000}, "rows went from 100,000 to 50,000, -50.0%"),
        ({"peak_memory_usage": 200.0}, "peak memory went from 170 MiB to 200 MiB, +17.6%"),
        ({"failed_expirations": 1}, "failures went from 0 to 1"),
        ({"status": "interrupted"}, "B interrupted, and the other one succeeded"),
    ],
)
def test_what_is_worse_is_a_regression(changes: dict[str, Any], sentence: str) -> None:
    compared = compare(A, record("B", **changes), 0.1)
    assert compared.regressions == (sentence,)
    lines = list(comparison_lines(compared))
    assert f"regression: {sentence}" in lines
    assert sum("  worse" in line for line in lines) == ("status" not in changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"average_throughput": 950.0, "total_duration": 109.0, "peak_memory_usage": 180.0},
        {"average_throughput": 3000.0, "total_duration": 30.0, "total_records": 300_000},
        {"total_data_size": 1, "total_wait": 900.0},
        {"average_throughput": None, "peak_memory_usage": None},
    ],
)
def test_what_is_better_or_within_tolerance_is_none(changes: dict[str, Any]) -> None:
    compared = compare(A, record("B", **changes), 0.1)
    assert compared.regressions == ()
    assert list(comparison_lines(compared))[-1] == "no regression"


def test_runs_that_asked_for_other_things_are_judged_by_memory_and_failures_alone() -> None:
    other = {"request": {"symbol": ["SPXW"], "interval": "1h", "format": "csv"}}
    worse = {"average_throughput": 1.0, "total_duration": 900.0, "total_records": 10}
    compared = compare(A, record("B", **other, **worse), 0.1)
    assert compared.differences == (("interval", "5m", "1h"),)
    assert compared.regressions == ()
    lines = list(comparison_lines(compared))
    assert "they differ in interval: 5m and 1h" in lines
    grown = compare(A, record("B", **other, peak_memory_usage=300.0, failed_expirations=2), 0.1)
    assert len(grown.regressions) == 2


def test_a_simulated_run_is_no_measure_of_a_live_one() -> None:
    compared = compare(A, record("B", source={"data": "simulated"}, average_throughput=1.0), 0.1)
    assert compared.differences == (("data", "live", "simulated"),)
    assert compared.regressions == ()


REFUSED = {"status": "failed", "total_records": 0, "total_requests": 0}


def test_a_run_that_was_refused_is_no_absence_of_a_regression() -> None:
    errors = [{"expiration": "", "error_type": "E", "message": "no Terminal answers"}]
    other = record("C", **REFUSED, errors=errors)
    compared = compare(record("B", **REFUSED, errors=errors), other, 0.1)
    lines = list(comparison_lines(compared))
    assert "B failed without fetching anything: no Terminal answers" in lines
    assert lines[-1] == "so there is nothing to compare"
    assert compared.refused
    assert compared.figures == ()
    after = compare(A, other, 0.1)
    assert "regression: C failed, and the other one succeeded" in comparison_lines(after)


def test_a_run_that_had_nothing_to_fetch_has_no_figures_to_compare() -> None:
    compared = compare(A, record("B", total_records=0, total_requests=0), 0.1)
    lines = list(comparison_lines(compared))
    assert "B fetched nothing: no file was missing" in lines
    assert not compared.refused
    assert compared.regressions == ()
    assert "no regression" not in lines

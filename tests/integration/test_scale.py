"""What a run of thousands of files takes, seen from outside."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bench.history_scale import Observed, flags_for, observe
from bench.processes import terminal
from tests.support.command import summaries

pytestmark = pytest.mark.alone

_LISTED = 1000
_EACH = 100
"""Bytes that a request may take while a run goes on."""


def run(folder: Path, count: int) -> Observed:
    folder.mkdir()
    with terminal() as url:
        return observe(folder, url, flags_for(count))


def books_of(folder: Path, seen: Observed) -> Counter[str]:
    """Checks that what a run left agrees with what was seen; returns its results by status."""
    (summary,) = summaries(folder)
    files = summary["total_expirations"]
    # Expirations are listed before they have quotes: not every such day is asked for, but a list.
    assert seen.requests < summary["total_requests"] < files == seen.files
    results = summary["expirations"]
    if summary["results_files"]:
        (path,) = summary["results_files"]
        results = [json.loads(line) for line in (folder / path).read_text().splitlines()]
        assert len(summary["expirations"]) == _LISTED
    keys = {(each["expiration"], each["first_trade_date"]) for each in results}
    assert len(keys) == len(results) == files
    written = [each for each in results if each["status"] == "written"]
    there = {str(path.relative_to(folder)) for path in folder.glob("data/greeks/*/*.csv")}
    assert {each["path"] for each in written} == there
    assert summary["total_records"] == sum(each["rows"] for each in written)
    assert summary["total_data_size"] == sum((folder / name).stat().st_size for name in there)
    assert not list(folder.glob("data/metrics/running/*"))
    return Counter(each["status"] for each in results)


def test_memory_does_not_grow_with_the_number_of_requests_and_each_has_its_result(
    tmp_path: Path,
) -> None:
    few, many = run(tmp_path / "few", 500), run(tmp_path / "many", 4000)
    assert books_of(tmp_path / "few", few).keys() <= {"written", "empty"}
    assert books_of(tmp_path / "many", many)["written"] > 2000
    more = (many.files - few.files) * _EACH / (1 << 20)
    # The allocator's pages come and go by a few MiB; results kept in memory took 19 kB each.
    assert many.resident[1] < few.resident[1] + more + 8
    assert many.resident[2] < few.resident[2] + more + 12
    assert many.resident[2] < 200


@pytest.mark.nightly
def test_a_hundred_thousand_requests_take_less_than_200_mib_from_the_first_second_to_the_last(
    tmp_path: Path,
) -> None:
    seen = run(tmp_path / "history", 100_000)
    assert books_of(tmp_path / "history", seen).total() >= 100_000
    assert seen.resident[2] < 200

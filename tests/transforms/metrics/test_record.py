import json
import socket
from datetime import date, timedelta
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from tests.support.data import request_for
from transforms.metrics.record import EmitRunSummary, RecordResults, SummarizeRun
from transforms.metrics.reporter import NAMESPACE
from transforms.metrics.results_file import read_results
from transforms.metrics.summary import LISTED, RunSummary
from transforms.model import (
    EMPTY,
    FAILED,
    WRITTEN,
    ExpirationResult,
    Failure,
    GreeksRequest,
    key_of,
)

RESULTS = [
    ExpirationResult(request_for("2024-03-14"), WRITTEN, 300, 4000, 1.5, 1, path="a"),
    ExpirationResult(request_for("2024-03-15"), WRITTEN, 100, 2000, 0.5, 2, path="b"),
    ExpirationResult(request_for("2024-03-18"), EMPTY, requests=1),
    ExpirationResult(request_for("2024-03-19"), FAILED, failure=Failure("OSError", "full")),
]


def test_results_pass_unchanged_and_are_counted_under_their_documented_names(
    tmp_path: Path,
) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "listener"))
    pipeline = beam.Pipeline(runner=FnApiRunner())
    results = pipeline | beam.Create(RESULTS) | RecordResults(str(tmp_path / "listener"))
    assert_that(results, equal_to(RESULTS))
    metrics = pipeline.run().metrics().query()
    counters = {
        m.key.metric.name: m.committed
        for m in metrics["counters"]
        if m.key.metric.namespace == NAMESPACE
    }
    assert counters == {
        "expirations_written": 2,
        "expirations_empty": 1,
        "expirations_failed": 1,
        "rows": 400,
        "bytes": 6000,
        "requests": 4,
    }
    distributions = {
        m.key.metric.name: m.committed
        for m in metrics["distributions"]
        if m.key.metric.namespace == NAMESPACE
    }
    assert set(distributions) == {
        "rows_per_expiration",
        "bytes_per_expiration",
        "milliseconds_per_expiration",
    }
    assert distributions["bytes_per_expiration"].max == 4000
    assert distributions["rows_per_expiration"].max == 300
    assert distributions["milliseconds_per_expiration"].sum == 2000
    messages = [json.loads(listener.recv(1 << 16)) for _ in RESULTS]
    listener.close()
    key = lambda result: result["expiration"]  # noqa: E731 -- only here
    assert sorted(messages, key=key) == [
        {"kind": "result", **result.describe()} for result in RESULTS
    ]


def test_nobody_listening_disturbs_nothing(tmp_path: Path) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as root:
        results = root | beam.Create(RESULTS) | RecordResults(str(tmp_path / "nobody"))
        assert_that(results, equal_to(RESULTS))


def summary_of(results: list[ExpirationResult], path: Path, folder: str | None = None) -> list[str]:
    with beam.Pipeline(runner=FnApiRunner()) as root:
        emitted = (
            root
            | beam.Create(results).with_output_types(ExpirationResult)
            | SummarizeRun(folder)
            | EmitRunSummary(str(path))
        )
        assert emitted.element_type is str
        _ = emitted | beam.io.WriteToText(str(path.parent / "emitted"), num_shards=1)
    (shard,) = path.parent.glob("emitted*")
    return shard.read_text().splitlines()


def test_the_summary_is_emitted_once_as_json_and_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    (text,) = summary_of(RESULTS, path)
    assert json.loads(text) == json.loads(path.read_text())
    document = json.loads(text)
    assert document["total_records"] == 400
    assert document["failed_expirations"] == 1


def test_a_run_without_results_has_one_summary_too(tmp_path: Path) -> None:
    (text,) = summary_of([], tmp_path / "summary.json")
    assert RunSummary(**json.loads(text)).total_expirations == 0


def test_of_more_results_than_it_lists_a_summary_names_the_files_that_have_all(
    tmp_path: Path,
) -> None:
    first = date(2012, 6, 1)
    results = [
        ExpirationResult(
            GreeksRequest("SPXW", first + timedelta(n), (first,)),
            WRITTEN if n % 2 else FAILED,
            rows=n,
            path=f"{n}" if n % 2 else None,
            failure=None if n % 2 else Failure("OSError", "full"),
        )
        for n in range(LISTED + 300)
    ]
    (text,) = summary_of(results, tmp_path / "summary.json", str(tmp_path / "results"))
    summary = RunSummary(**json.loads(text))
    assert summary.total_expirations == LISTED + 300
    assert summary.failed_expirations == len(summary.errors) == LISTED // 2 + 150
    assert summary.total_records == sum(each.rows for each in results if each.status == WRITTEN)
    assert len(summary.expirations) == LISTED
    assert not summary.whole
    described = sorted(read_results(summary.results_files), key=key_of)
    assert described == [each.describe() for each in results]
    # Fewer are all in the summary, which names no file.
    (path,) = tmp_path.glob("emitted*")
    path.unlink()
    (text,) = summary_of(results[:LISTED], tmp_path / "few.json", str(tmp_path / "few"))
    summary = RunSummary(**json.loads(text))
    assert summary.whole
    assert list(summary.expirations) == [each.describe() for each in results[:LISTED]]


def test_results_that_no_file_takes_are_listed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("in the folder's place")
    (text,) = summary_of(RESULTS, tmp_path / "summary.json", str(tmp_path / "results"))
    assert json.loads(text) == json.loads(json.dumps(vars(RunSummary.of(RESULTS))))

import json
import socket
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from tests.support.data import request_for
from transforms.metrics.record import EmitRunSummary, RecordResults, SummarizeRun
from transforms.metrics.reporter import NAMESPACE
from transforms.metrics.summary import RunSummary
from transforms.model import EMPTY, FAILED, WRITTEN, ExpirationResult, Failure

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


def summary_of(results: list[ExpirationResult], path: Path) -> list[str]:
    with beam.Pipeline(runner=FnApiRunner()) as root:
        emitted = (
            root
            | beam.Create(results).with_output_types(ExpirationResult)
            | SummarizeRun()
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

"""The graph where requests are dealt beforehand, as on every runner but the local one's threads."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from pipeline.graph import build
from pipeline.simulator.server import TerminalServer
from tests.support.data import files_in, layout_in, request_for
from transforms.dispatch import Terminal, deal
from transforms.fetch import FetchGreeks
from transforms.model import GreeksRequest
from transforms.output.layout import Layout
from transforms.sinks.csv import CsvSink
from transforms.storage import documents
from transforms.thetadata import RetryPolicy
from transforms.write import WriteGreeks

REQUESTS = [request_for(day) for day in ("2024-03-14", "2024-03-15", "2024-03-18")]
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer() as server:
        yield server


def download(
    folder: Path, requests: Sequence[GreeksRequest], urls: Sequence[str], run_id: str = "run-1"
) -> dict[str, dict[str, object]]:
    """Runs the graph, and returns what came of each expiration."""
    layout: Layout = layout_in(folder, run_id=run_id)
    pipeline = beam.Pipeline(runner=FnApiRunner())
    build(
        pipeline,
        requests,
        [Terminal(url, policy=ONCE, slots=2) for url in urls],
        FetchGreeks(layout=layout),
        WriteGreeks(CsvSink(layout, "none"), "simulated"),
    )
    pipeline.run()
    document = documents.read_json(layout.summary)
    assert document is not None
    return {result["expiration"]: result for result in document["expirations"]}


def test_somebody_elses_pipeline_needs_the_requests_a_terminal_and_a_sink(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    sink = CsvSink(layout_in(tmp_path), "none")
    with beam.Pipeline(runner=FnApiRunner()) as root:
        work = root | beam.Create(deal(REQUESTS, [Terminal(terminal.url)]))
        paths = work | FetchGreeks() | WriteGreeks(sink) | beam.Map(lambda result: result.path)
        assert_that(paths, equal_to([sink.layout.path(request) for request in REQUESTS]))
    assert len(files_in(tmp_path / "greeks")) == 3


def test_a_bundle_that_is_run_again_fetches_only_what_it_had_not_committed(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    first = download(tmp_path, REQUESTS[:2], [terminal.url])
    before = files_in(tmp_path / "greeks")
    again = download(tmp_path, REQUESTS, [terminal.url])
    assert terminal.stats()["history"]["requests"] == 3
    assert {**before, **files_in(tmp_path / "greeks")} == files_in(tmp_path / "greeks")
    for expiration, result in first.items():
        for name in ("status", "rows", "bytes", "path", "quality"):
            assert again[expiration][name] == result[name]
    assert [each["status"] for each in again.values()] == ["written"] * 3


def test_another_run_is_not_believed(tmp_path: Path, terminal: TerminalServer) -> None:
    download(tmp_path, REQUESTS[:1], [terminal.url])
    download(tmp_path, REQUESTS[:1], [terminal.url], run_id="run-2")
    assert terminal.stats()["history"]["requests"] == 2


def test_what_terminals_in_a_row_leave_is_dealt_again_and_again(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    urls = ["http://127.0.0.1:9", "http://127.0.0.1:10", terminal.url]
    printed = download(tmp_path, REQUESTS, urls)
    assert [each["status"] for each in printed.values()] == ["written"] * 3
    assert len(files_in(tmp_path / "greeks")) == 3
    assert terminal.stats()["history"]["most_in_flight"] <= 2


def test_what_nobody_serves_fails_once_for_each_request(tmp_path: Path) -> None:
    printed = download(tmp_path, REQUESTS, ["http://127.0.0.1:9", "http://127.0.0.1:10"])
    assert [each["status"] for each in printed.values()] == ["failed"] * 3

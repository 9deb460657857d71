import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.graph import build
from tests.support.answers import rows_of
from tests.support.data import layout_in, request_for
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.dispatch import Terminal
from transforms.fetch import FetchGreeks
from transforms.metrics.reporter import COUNTERS, DISTRIBUTIONS, NAMESPACE, Reporter
from transforms.model import WRITTEN, ExpirationResult, GreeksRequest
from transforms.sinks.csv import CsvSink
from transforms.thetadata import RetryPolicy
from transforms.write import WriteGreeks

REQUEST = request_for("2024-03-14")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "listener"))
        made.setblocking(False)
        yield made


def heard(listener: socket.socket) -> list[dict[str, Any]]:
    messages = []
    while True:
        try:
            messages.append(json.loads(listener.recv(1 << 16)))
        except BlockingIOError:
            return messages


def test_a_run_reports_everything_under_its_documented_names(
    tmp_path: Path, listener: socket.socket
) -> None:
    refused: list[str] = []

    def answer(request: GreeksRequest) -> Answer:
        if not refused:
            refused.append("once")
            return Answer(b"too many", status=429)
        return Answer(rows_of(request, request.trade_dates[0], 3000))

    address = str(tmp_path / "listener")
    with scripted_server(terminal(answer)) as server:
        pipeline = beam.Pipeline(runner=FnApiRunner())
        build(
            pipeline,
            [REQUEST],
            [Terminal(server.url, policy=RetryPolicy(backoff=0.001, jitter=0.0))],
            FetchGreeks(1000, listener=address),
            WriteGreeks(CsvSink(layout_in(tmp_path), "none"), listener=address),
        )
        metrics = pipeline.run().metrics().query()
    kept = {
        kind: {
            each.key.metric.name: each.committed
            for each in metrics[kind]
            if each.key.metric.namespace == NAMESPACE
        }
        for kind in ("counters", "distributions")
    }
    assert set(kept["distributions"]) == set(DISTRIBUTIONS)
    assert kept["counters"] == {
        "expirations_written": 1,
        "rows": 3000,
        "rows_handed_over": 3000,
        "bytes": kept["counters"]["bytes"],
        "requests": 2,
        "retries": 1,
        "milliseconds_waited": 1,
    }
    assert set(kept["counters"]) <= set(COUNTERS)

    messages = heard(listener)
    # The first byte of an answer is heard of before its rows.
    assert [each["kind"] for each in messages[:2]] == ["started", "heard"]
    started, waiting, rows, result = (each for each in messages if each["kind"] != "heard")
    about = {"symbol": "SPXW", "expiration": "2024-03-14"}
    about |= {"first_trade_date": "2024-03-14", "last_trade_date": "2024-03-14"}
    about["greeks"] = "first_order"
    assert started == {"kind": "started", **about}
    assert waiting["reason"].startswith("StatusError: the Terminal answered 429 OS_LIMIT")
    assert waiting == {"kind": "waiting", **about, "seconds": 0.001, "reason": waiting["reason"]}
    # Three batches at once: one message.
    assert rows == {"kind": "rows", **about, "rows": 1000, "bytes": rows["bytes"]}
    assert (result["kind"], result["status"], result["rows"]) == ("result", "written", 3000)


def test_a_listener_that_does_not_keep_up_holds_nobody_up_and_misses_no_result(
    tmp_path: Path, listener: socket.socket
) -> None:
    reporter = Reporter(str(tmp_path / "listener"))
    results = [ExpirationResult(REQUEST, WRITTEN, rows) for rows in range(500)]
    messages = []
    for result in results:
        reporter.ended(result)
        if result.rows % 100 == 99:
            messages += heard(listener)
    while len(messages) < len(results):
        reporter.ended(results[-1])
        messages += heard(listener)
    reporter.close()
    assert [each["rows"] for each in messages[:500]] == list(range(500))


def test_nobody_listening_disturbs_nothing(tmp_path: Path) -> None:
    for listener in (None, str(tmp_path / "nobody")):
        reporter = Reporter(listener)
        reporter.started(REQUEST)
        reporter.handed_over(REQUEST, 10, 10, 100)
        reporter.ended(ExpirationResult(REQUEST, WRITTEN))
        reporter.close()

import io
import json
import socket
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from pipeline.process.memory import MemorySampler
from pipeline.progress.display import Display, Plain, in_flight
from pipeline.progress.listener import Progress, make_display
from pipeline.progress.snapshot import Flight, Snapshot
from pipeline.progress.tally import Tally
from tests.support.data import request_for
from transforms.model import FAILED, WRITTEN, ExpirationResult, Failure

REQUESTS = [request_for("2024-03-14"), request_for("2024-03-15")]
RESULT = ExpirationResult(REQUESTS[0], WRITTEN, 12345, 1_500_000, 1.5, 1, path="a.csv")
LOST = ExpirationResult(REQUESTS[1], FAILED, failure=Failure("OSError", "the disk is full"))


def message(result: ExpirationResult) -> dict[str, Any]:
    return {"kind": "result", **result.describe()}


def run(messages: list[bytes], seconds: float = 1000.0) -> tuple[Progress, str, str]:
    """Sends messages to a plain display, and returns what it printed."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        progress = Progress(Plain(seconds), Tally(REQUESTS), MemorySampler())
    with progress, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        assert progress.address is not None
        for each in messages:
            sender.sendto(each, progress.address)
        progress.complete([])
    progress.complete([RESULT.describe()])
    return progress, out.getvalue(), err.getvalue()


def test_a_result_is_a_line_as_soon_as_it_is_sent_and_only_once() -> None:
    shown = [b"", b"noise", b"{}", b"[]", b'{"kind": "rows"}', json.dumps(message(RESULT)).encode()]
    _, out, _ = run(shown)
    _, heading, line = out.splitlines()
    assert heading.split() == ["symbol", "expiration", "status", "rows", "size", "time", "file"]
    assert line.split() == [
        "SPXW",
        "2024-03-14",
        "written",
        "12,345",
        "1.5",
        "MB",
        "1.50",
        "s",
        "a.csv",
    ]


def test_results_without_a_message_are_shown_at_the_end() -> None:
    _, out, _ = run([])
    assert "12,345" in out


def test_retries_and_failures_are_reported_as_they_happen() -> None:
    waits: dict[str, Any] = {"kind": "waiting", "symbol": "SPXW", "expiration": "2024-03-15"}
    waits |= {"first_trade_date": "2024-03-14", "last_trade_date": "2024-03-14"}
    waits |= {
        "greeks": "first_order",
        "seconds": 0.5,
        "reason": "E: answered 429 to http://x:1/y?a=b: wait",
    }
    _, out, err = run([json.dumps(each).encode() for each in (waits, message(LOST))])
    assert err.splitlines() == [
        "SPXW 2024-03-15: retried in 0.5 s: E: answered 429: wait",
        "SPXW 2024-03-15 failed: the disk is full",
    ]
    assert "failed" in out


def test_a_flood_of_retries_is_cut_and_counted() -> None:
    with redirect_stderr(io.StringIO()) as err:
        display = Plain(5)
    for _ in range(100):
        display.news("again")
    display.draw(SNAPSHOT, 150.4)
    display.news("anew")
    assert err.getvalue().splitlines() == [
        *["again"] * 5,
        "… the next line of progress counts the others",
        "1:05 1/2 expirations (50%), 20,000 rows, 900 rows/s (average 307), 1.2 MB/s, 150 MiB, "
        "100 retries, 1 failed, RUNNING, ETA 1:01:01; in flight: SPXW 2024-03-15 (7,000)",
        "anew",
    ]


SNAPSHOT = Snapshot(
    seconds=65,
    done=1,
    total=2,
    rows=20_000,
    bytes=3_000_000,
    rows_now=900,
    rows_average=307.2,
    bytes_now=1.2e6,
    remaining=3661,
    in_flight=(Flight("SPXW 2024-03-15", 7000),),
    retries=100,
    failed=1,
    state="RUNNING",
)


def test_a_run_keeps_its_samples_the_last_one_when_it_ended() -> None:
    progress, _, _ = run([json.dumps(message(RESULT)).encode()])
    shown = progress.samples.columns()
    assert shown["done"][-1] == 1
    assert shown["rows"][-1] == 12345
    assert len({len(column) for column in shown.values()}) == 1


def test_many_expirations_in_flight_are_counted() -> None:
    from dataclasses import replace

    many = replace(SNAPSHOT, in_flight=tuple(Flight(f"SPXW {n}", n) for n in range(6)))
    assert in_flight(many) == "SPXW 0 (0), SPXW 1 (1), SPXW 2 (2), SPXW 3 (3) and 2 more"


@pytest.mark.parametrize(("mode", "kind"), [("auto", Plain), ("plain", Plain), ("none", Display)])
def test_without_a_terminal_there_is_no_bar(mode: str, kind: type) -> None:
    assert isinstance(make_display(mode, 5), kind)


def test_a_quiet_display_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Display()
    quiet.result(message(RESULT))
    quiet.news("b")
    quiet.draw(SNAPSHOT, 1)
    quiet.close()
    assert capsys.readouterr() == ("", "")

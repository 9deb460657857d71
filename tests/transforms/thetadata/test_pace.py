"""However slowly or long a server sends, its answer ends in bounded time; an honest one is read."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import cycle

import pytest

from tests.support.answers import SAMPLE, SAMPLE_REQUEST, rows_of
from tests.support.scripted import Answer, scripted_server
from transforms.thetadata import BrokenResponse, MalformedResponse, RetryPolicy, ThetaClient
from transforms.thetadata.csv_reader import MOST_CONTRACTS
from transforms.thetadata.sockets import Pace

OK = b"HTTP/1.1 200 OK\r\n"
SOON = RetryPolicy(attempts=3, seconds=0.4, backoff=0.001, jitter=0)
TRICKLES = {
    "headers": (OK, b"A: b\r\n"),
    "empty lines": (OK + b"\r\nsymbol", b"\n"),
    "a line": (OK + b"\r\n", b"9"),
    "rows": (OK + b"\r\n", SAMPLE),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n9\r\n"),
}


@contextmanager
def trickling(start: bytes, then: bytes) -> Iterator[str]:
    """Serves a byte of `then` again and again, but to its second client a whole answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    gone = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            for byte in cycle(then):
                connection.sendall(bytes([byte]))
                if gone.wait(0.01):
                    break
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(SAMPLE) + SAMPLE)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        gone.set()
        thread.join()


@pytest.mark.parametrize("what", list(TRICKLES))
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.table(SAMPLE_REQUEST),
        lambda client: client.expirations("AAPL"),
        lambda client: client.status(),
    ],
    ids=["Greeks", "a list", "the status"],
)
def test_an_answer_that_trickles_fails_by_name_and_the_next_one_is_read(
    what: str, ask: Callable[[ThetaClient], object]
) -> None:
    with trickling(*TRICKLES[what]) as url, ThetaClient(url, timeout=0.3, policy=SOON) as client:
        with pytest.raises(
            BrokenResponse, match="too slowly: it was waited for 0.4 s, .*--retry_s"
        ):
            ask(client)
        assert client.table(SAMPLE_REQUEST).num_rows == 3


def test_a_long_answer_that_keeps_its_pace_may_take_any_time() -> None:
    pace = Pace(900, lambda: None)
    slow = []
    for size, seconds in [(1 << 15, 400)] * 1000 + [((1 << 16) - 1, 900), (0, 1)]:
        pace.received(size, seconds)
        slow.append(pace.too_slow)
    assert slow == [False] * 1001 + [True]


def test_no_time_for_retries_still_leaves_the_timeout_for_an_answer() -> None:
    policy = RetryPolicy(seconds=0)
    with (
        scripted_server(lambda path, query: Answer(SAMPLE)) as server,
        ThetaClient(server.url, policy=policy) as client,
    ):
        assert client.table(SAMPLE_REQUEST).num_rows == 3


def test_valid_rows_without_end_fail_by_name_and_are_not_requested_again() -> None:
    request = replace(SAMPLE_REQUEST, interval="1h")
    rows = rows_of(request, date(2024, 11, 4), 5000)
    header, _, block = rows.partition(b"\r\n")
    endless = Answer(header + b"\r\n", forever=block)
    with (
        scripted_server(lambda path, query: endless) as server,
        ThetaClient(server.url, timeout=5) as client,
    ):
        most = 25 * MOST_CONTRACTS
        batches: list[int] = []
        with pytest.raises(MalformedResponse, match=f"more than {most:,} rows"):
            batches.extend(batch.num_rows for batch in client.stream(request))
        assert most - 20_000 < sum(batches) <= most
        assert len(server.seen) == 1

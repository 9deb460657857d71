"""What the client makes of each thing that can go wrong on the way."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.answers import SAMPLE, SAMPLE_REQUEST, rows_of
from tests.support.scripted import Answer, Serve, one_by_one, scripted_clients, scripted_server
from transforms.fetch import fetch
from transforms.model import Restart, Trailer
from transforms.thetadata import (
    AnswerChanged,
    BrokenResponse,
    MalformedResponse,
    RetryPolicy,
    StatusError,
    TerminalUnreachable,
    ThetaClient,
    ThetaError,
)

SOON = RetryPolicy(attempts=4, backoff=0.001, jitter=0)
DAY = date(2024, 11, 4)
LONG = rows_of(SAMPLE_REQUEST, DAY, 9000)


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    with scripted_clients(SOON) as start:
        yield start


def text(status: int, words: str) -> Answer:
    return Answer(words.encode(), status=status, content_type="text/plain")


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (400, "Invalid right: *", "400 BAD_REQUEST .*Invalid right: .*does not accept a value"),
        (403, "requiring a standard subscription", "403 FORBIDDEN .*eod need Standard; .*--derive"),
        (404, "no", "404 NO_IMPL .*update it, or choose another --api"),
        (410, "We have upgraded to API v3.", "410 GONE .*upgraded.*use --api v3"),
        (470, "general", "470 GENERAL .*general"),
        (471, "no permission", "471 PERMISSION .*need Pro"),
        (473, "bad", "473 INVALID_PARAMS"),
        (475, "parse", "475 TERMINAL_PARSE"),
        (476, "ip", "476 WRONG_IP .*127.0.0.1 or localhost"),
        (478, "session", "478 INVALID_SESSION_ID .*second Terminal is logged in"),
        (499, "", r"499 to .*\(no text\)"),
    ],
)
def test_a_final_status_fails_at_once_in_the_terminals_words_with_what_to_do(
    serve: Serve, status: int, words: str, expected: str
) -> None:
    server, client = serve(lambda path, query: text(status, words))
    with pytest.raises(StatusError, match=expected) as failed:
        client.table(SAMPLE_REQUEST)
    assert "symbol=AAPL&expiration=2024-11-08&date=2024-11-04" in str(failed.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 474, 477, 500, 502, 503, 504, 571, 572])
def test_a_passing_status_is_asked_again_and_the_waits_are_counted(
    serve: Serve, status: int
) -> None:
    server, client = serve(one_by_one(text(status, "later"), text(status, "on"), Answer(SAMPLE)))
    assert client.table(SAMPLE_REQUEST).num_rows == 3
    assert client.requests == len(server.seen) == 3
    assert client.waited > 0


@pytest.mark.parametrize("status", [429, 571])
def test_a_status_that_does_not_pass_is_an_error_in_the_end(serve: Serve, status: int) -> None:
    server, client = serve(lambda path, query: text(status, "SERVER_STARTING"))
    with pytest.raises(StatusError, match=f"{status} .*SERVER_STARTING"):
        client.table(SAMPLE_REQUEST)
    assert len(server.seen) == SOON.attempts


@pytest.mark.parametrize(
    "answer",
    [
        text(472, "No data found for your request"),
        text(472, ":No data for the specified timeframe & contract."),
        text(200, "No data found for your request"),
        text(200, ":No data for the specified timeframe and chain. Debug code 1"),
    ],
)
def test_no_data_is_an_empty_answer_and_not_asked_for_again(serve: Serve, answer: Answer) -> None:
    server, client = serve(lambda path, query: answer)
    assert client.table(SAMPLE_REQUEST).num_rows == 0
    assert len(server.seen) == 1


def test_a_malformed_answer_may_be_better_the_next_time(serve: Serve) -> None:
    bad = Answer(SAMPLE.replace(b"0.0721", b"x"))
    server, client = serve(one_by_one(bad, Answer(SAMPLE)))
    assert client.table(SAMPLE_REQUEST).num_rows == 3
    server, client = serve(one_by_one(bad))
    with pytest.raises(MalformedResponse, match="line 3"):
        client.table(SAMPLE_REQUEST)
    assert len(server.seen) == SOON.attempts


def test_lists_are_asked_for_again_too(serve: Serve) -> None:
    answer = Answer(b"symbol,expiration\nAAPL,2024-11-08\n")
    _, client = serve(one_by_one(text(571, "SERVER_STARTING"), Answer(b"", cut=0), answer))
    assert client.expirations("AAPL") == [date(2024, 11, 8)]


EDGES = [
    0,
    5,
    SAMPLE.index(b"\n"),
    SAMPLE.index(b"\n") + 1,
    SAMPLE.index(b"09:35"),
    SAMPLE.rindex(b"\n", 0, -1),
    SAMPLE.rindex(b"\n", 0, -1) + 1,
    len(SAMPLE) - 2,
]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("cut", EDGES)
def test_a_cut_anywhere_in_a_short_answer_loses_and_doubles_nothing(
    serve: Serve, cut: int, chunked: bool
) -> None:
    _, client = serve(one_by_one(Answer(SAMPLE, cut=cut, chunked=chunked), Answer(SAMPLE)))
    whole = serve(one_by_one(Answer(SAMPLE)))[1].table(SAMPLE_REQUEST)
    assert client.table(SAMPLE_REQUEST) == whole
    assert client.requests == 2


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    cuts=st.lists(st.integers(0, len(LONG) - 1), min_size=1, max_size=3),
    batch_size=st.sampled_from([100, 1000, 10**6]),
)
def test_cuts_anywhere_and_again_lose_and_double_nothing(
    serve: Serve, cuts: list[int], batch_size: int
) -> None:
    answers = [Answer(LONG, cut=cut, chunked=True) for cut in cuts]
    _, client = serve(one_by_one(*answers, Answer(LONG, chunked=True)))
    *batches, trailer = fetch(client, SAMPLE_REQUEST, batch_size)
    assert isinstance(trailer, Trailer)
    assert trailer.failure is None
    assert trailer.requests == len(cuts) + 1
    assert pa.Table.from_batches(batches) == _whole(serve)


def _whole(serve: Serve, cache: list[pa.Table] = []) -> pa.Table:  # noqa: B006 -- made once
    if not cache:
        cache.append(serve(one_by_one(Answer(LONG)))[1].table(SAMPLE_REQUEST))
    return cache[0]


CUT = len(LONG) * 3 // 4
RESTATED = LONG.replace(b",1.10,", b",1.15,", 1)


def test_after_a_cut_an_answer_with_other_rows_starts_the_request_over(serve: Serve) -> None:
    _, client = serve(one_by_one(Answer(LONG, cut=CUT, chunked=True), Answer(RESTATED)))
    stream = fetch(client, SAMPLE_REQUEST)
    items = list(stream)
    (place,) = [n for n, item in enumerate(items) if isinstance(item, Restart)]
    assert place > 0
    trailer = items[-1]
    assert isinstance(trailer, Trailer)
    assert trailer.failure is None
    assert trailer.requests == 3
    rows = pa.Table.from_batches(items[place + 1 : -1])
    assert (rows.num_rows, trailer.rows) == (9000, 9000)
    assert rows.column("bid")[1].as_py() == 1.15


@pytest.mark.parametrize(
    "second", [Answer(LONG[: CUT // 2]), text(472, "No data found for your request")]
)
def test_after_a_cut_an_answer_that_is_shorter_starts_the_request_over(
    serve: Serve, second: Answer
) -> None:
    _, client = serve(one_by_one(Answer(LONG, cut=CUT, chunked=True), second))
    with pytest.raises(AnswerChanged):
        list(client.stream(SAMPLE_REQUEST))


def test_a_table_starts_over_by_itself(serve: Serve) -> None:
    _, client = serve(one_by_one(Answer(LONG, cut=CUT, chunked=True), Answer(RESTATED)))
    assert client.table(SAMPLE_REQUEST).column("bid")[1].as_py() == 1.15


def test_a_terminal_that_never_makes_up_its_mind_is_a_failure_in_the_end(serve: Serve) -> None:
    count = 0

    def changing(path: str, query: dict[str, str]) -> Answer:
        nonlocal count
        count += 1
        return Answer(LONG.replace(b",1.10,", b",1.%d," % (100 + count), 1), cut=CUT, chunked=True)

    _, client = serve(changing)
    items = list(fetch(client, SAMPLE_REQUEST))
    trailer = items[-1]
    assert isinstance(trailer, Trailer)
    assert trailer.failure is not None
    assert trailer.failure.error_type == "AnswerChanged"
    assert sum(isinstance(item, Restart) for item in items) == 3


def test_a_terminal_that_went_away_for_good_is_told(serve: Serve) -> None:
    with scripted_server(one_by_one(Answer(SAMPLE))) as server:
        gone = server.url
    with (
        ThetaClient(gone, policy=SOON) as client,
        pytest.raises(TerminalUnreachable, match="connection refused"),
    ):
        client.table(SAMPLE_REQUEST)


def test_an_answer_that_is_no_http_is_an_error(serve: Serve) -> None:
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def babble() -> None:
        for _ in range(SOON.attempts):
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.sendall(b"\x00\xffnot http at all\r\n\r\n")
            connection.close()

    thread = threading.Thread(target=babble)
    thread.start()
    with ThetaClient(f"http://127.0.0.1:{port}", policy=SOON) as client:
        with pytest.raises(ThetaError) as raised:
            client.table(SAMPLE_REQUEST)
        assert isinstance(raised.value, BrokenResponse)
    thread.join()
    listener.close()

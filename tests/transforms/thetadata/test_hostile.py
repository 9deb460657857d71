"""Whatever a server sends ends as rows or as a named error, in bounded memory."""

import contextlib
import gzip
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.answers import HEADER, SAMPLE, SAMPLE_REQUEST, rows_of
from tests.support.scripted import (
    Answer,
    Scripted,
    Serve,
    one_by_one,
    scripted_clients,
    scripted_server,
)
from transforms.fetch import fetch
from transforms.model import Restart, Trailer
from transforms.thetadata import (
    BrokenResponse,
    MalformedResponse,
    RetryPolicy,
    StatusError,
    ThetaClient,
    ThetaError,
    find_terminal,
)

DAY = date(2024, 11, 4)
ONCE = RetryPolicy(attempts=1)
SOON = RetryPolicy(attempts=4, backoff=0.001, jitter=0)
LONG = rows_of(SAMPLE_REQUEST, DAY, 9000)


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    with scripted_clients(SOON) as start:
        yield start


# ---- the end of an answer ----


def closing(body: bytes) -> Answer:
    return Answer(body, closes=True)


def test_an_answer_that_ends_with_its_connection_is_proven_by_a_second_one(serve: Serve) -> None:
    server, client = serve(lambda path, query: closing(LONG))
    whole = serve(lambda path, query: Answer(LONG))[1].table(SAMPLE_REQUEST)
    assert client.table(SAMPLE_REQUEST) == whole
    assert len(server.seen) == 2


@pytest.mark.parametrize("end", ["a line", "the middle of a line"])
def test_an_answer_that_was_closed_early_is_completed_by_the_next_ones(
    serve: Serve, end: str
) -> None:
    half = LONG[: LONG.index(b"\n", len(LONG) // 2) + (1 if end == "a line" else -5)]
    server, client = serve(one_by_one(closing(half), closing(LONG)))
    *batches, trailer = fetch(client, SAMPLE_REQUEST)
    assert isinstance(trailer, Trailer)
    assert trailer.failure is None
    assert trailer.rows == 9000
    assert not any(isinstance(item, Restart) for item in batches)
    assert len(server.seen) == 3


def test_an_answer_whose_end_nothing_proves_fails_by_name(serve: Serve) -> None:
    lengths = iter(range(len(SAMPLE), len(LONG)))

    def longer_each_time(path: str, query: dict[str, str]) -> Answer:
        return closing(LONG[: LONG.index(b"\n", next(lengths) * 50) + 1])

    _, client = serve(longer_each_time, RetryPolicy(attempts=1))
    with pytest.raises(BrokenResponse, match="AAPL expiring .* nothing proves .* whole"):
        client.table(SAMPLE_REQUEST)


def test_a_list_that_ends_with_its_connection_is_proven_by_a_second_one(serve: Serve) -> None:
    listing = b"symbol,expiration\nAAPL,2024-11-08\nAAPL,2024-11-15\n"
    server, client = serve(one_by_one(closing(listing[:34]), closing(listing)))
    assert client.expirations("AAPL") == [date(2024, 11, 8), date(2024, 11, 15)]
    assert len(server.seen) == 3
    _, client = serve(lambda path, query: closing(listing), ONCE)
    with pytest.raises(BrokenResponse, match="list/expirations: nothing proves"):
        client.expirations("AAPL")


def test_a_last_line_of_a_list_without_its_end_is_no_entry(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"symbol,expiration\nAAPL,2024-11-08"), ONCE)
    with pytest.raises(BrokenResponse, match="middle of its last line"):
        client.expirations("AAPL")


def test_waits_of_a_table_that_starts_over_are_counted(serve: Serve) -> None:
    changed = LONG.replace(b",1.10,", b",1.15,", 1)
    cut = Answer(LONG, cut=len(LONG) * 3 // 4, chunked=True)
    server, client = serve(
        one_by_one(cut, Answer(changed)), RetryPolicy(attempts=4, backoff=0.02, jitter=0)
    )
    client.table(SAMPLE_REQUEST)
    assert len(server.seen) == 3
    # One wait for the broken answer, and one for the changed one.
    assert client.waited == pytest.approx(0.04)


# ---- other addresses, other encodings ----


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_error_names_both_addresses(
    serve: Serve, status: int
) -> None:
    other, _ = serve(lambda path, query: Answer(SAMPLE))
    server, client = serve(
        lambda path, query: Answer(b"moved", status=status, headers={"Location": other.url})
    )
    with pytest.raises(
        StatusError, match=f"{status} REDIRECT .*redirects are not followed"
    ) as raised:
        client.table(SAMPLE_REQUEST)
    assert server.url in str(raised.value)
    assert other.url in str(raised.value)
    assert other.seen == []
    assert len(server.seen) == 1


def test_a_redirect_to_itself_is_no_loop(serve: Serve) -> None:
    server, client = serve(lambda path, query: Answer(b"", status=302, headers={"Location": path}))
    with pytest.raises(StatusError, match="302 REDIRECT"):
        client.expirations("AAPL")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(gzip.compress(SAMPLE), headers={"Content-Encoding": "gzip"}),
        Answer(gzip.compress(SAMPLE)),
        Answer(gzip.compress(b"\n" * 10**7) * 10, headers={"Content-Encoding": "gzip"}),
        Answer(SAMPLE, headers={"Content-Encoding": "br"}),
    ],
    ids=["gzip", "gzip without a word", "a bomb", "br"],
)
def test_a_compressed_answer_is_refused_by_name(serve: Serve, answer: Answer) -> None:
    _, client = serve(lambda path, query: answer, ONCE)
    for ask in (lambda: client.table(SAMPLE_REQUEST), lambda: client.expirations("AAPL")):
        with pytest.raises(MalformedResponse, match=r"compressed \('(gzip|br)'\)"):
            ask()


def test_a_byte_order_mark_is_no_part_of_an_answer(serve: Serve) -> None:
    def marked(path: str, query: dict[str, str]) -> Answer:
        if path.endswith("status"):
            return Answer(b"\xef\xbb\xbfCONNECTED")
        listing = b"symbol,expiration\nAAPL,2024-11-08\n"
        return Answer(b"\xef\xbb\xbf" + (listing if "list" in path else SAMPLE))

    _, client = serve(marked, ONCE)
    client.check()
    assert client.expirations("AAPL") == [date(2024, 11, 8)]
    assert client.table(SAMPLE_REQUEST).num_rows == 3


def test_cookies_of_answers_are_not_kept(serve: Serve) -> None:
    server, client = serve(lambda path, query: Answer(SAMPLE, headers={"Set-Cookie": "id=1"}))
    client.table(SAMPLE_REQUEST)
    client.table(SAMPLE_REQUEST)
    assert ["Cookie" in heads for heads in server.heads] == [False, False]


# ---- the calendar ----


def calendar_of(*lines: str) -> Answer:
    return Answer("\r\n".join(["date,type,open,close", *lines, ""]).encode())


@pytest.mark.parametrize("kind", ["late_open", "Early_Close", "EARLY_CLOSE", "", "half day"])
def test_a_type_of_day_that_is_not_known_never_counts_as_closed(serve: Serve, kind: str) -> None:
    notes: list[str] = []
    lines = ("2024-12-24,{},09:30:00,13:00:00", "2024-12-25,{},,", "2024-12-26,full_close,,")
    _, client = serve(lambda path, query: calendar_of(*(line.format(kind) for line in lines)))
    days = client.trading_days(date(2024, 12, 24), date(2024, 12, 26), notes.append)
    assert days == (date(2024, 12, 24),)
    assert [re.findall(r"\d{4}-\d\d-\d\d|\w+$", note) for note in notes] == [
        ["2024-12-24", "open"],
        ["2024-12-25", "closed"],
    ]
    with pytest.warns(UserWarning, match=f"2024-12-2[45] as {kind!r}, which is not known"):
        client.trading_days(date(2024, 12, 24), date(2024, 12, 26))


def test_a_day_that_the_calendar_calls_open_is_open(serve: Serve) -> None:
    _, client = serve(lambda path, query: calendar_of("2024-12-24,open,09:30:00,16:00:00"))
    assert client.closures(2024) == {}


def test_an_empty_calendar_means_the_usual_holidays_and_is_noted(serve: Serve) -> None:
    notes: list[str] = []
    _, client = serve(lambda path, query: calendar_of())
    days = client.trading_days(date(2024, 12, 24), date(2024, 12, 26), notes.append)
    assert days == (date(2024, 12, 24), date(2024, 12, 26))
    assert "calendar of 2024 is empty" in notes[0]
    with pytest.raises(MalformedResponse, match="covers 2012 to 2035"):
        client.closures(2090)


def test_the_days_of_the_calendar_are_read(serve: Serve) -> None:
    _, client = serve(lambda path, query: calendar_of("2024-12-24,early_close,09:30:00,13:00:00"))
    assert client.closures(2024) == {date(2024, 12, 24): time(13)}


# ---- cells ----

CELLS = (
    "",
    "abc",
    "NaN",
    "Infinity",
    "1e99999999",
    "1e400",
    "-5",
    "0",
    "9" * 30,
    "9" * 200_000,
    "x" * 200_000,
    "²⁰",
    "0001-01-01",
    "9999-12-31",
    "2024-02-30",
    "2024--0315",
    '"',
    "\x00",
    "null",
)


@pytest.mark.parametrize("cell", CELLS, ids=[cell[:12] for cell in CELLS])
def test_a_cell_that_can_not_be_is_a_short_named_error_of_the_list(serve: Serve, cell: str) -> None:
    def answer(path: str, query: dict[str, str]) -> Answer:
        if "strikes" in path:
            return Answer(f"symbol,strike\nAAPL,{cell}\n".encode())
        if "expirations" in path:
            return Answer(f"symbol,expiration\nAAPL,{cell}\n".encode())
        return Answer(f"date,type,open,close\n{cell},early_close,,{cell}\n".encode())

    _, client = serve(answer, ONCE)
    for ask in (
        lambda: client.expirations("AAPL"),
        lambda: client.listed_contracts(SAMPLE_REQUEST),
        lambda: client.closures(2024),
    ):
        with pytest.raises(MalformedResponse) as raised:
            ask()
        assert len(str(raised.value)) < 500


def test_strikes_are_counted_once_each(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"symbol,strike\nAAPL,5\nAAPL,5.0\nAAPL,6\n"))
    assert client.listed_contracts(SAMPLE_REQUEST) == 4


def test_a_list_for_another_symbol_is_an_error(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"symbol,expiration\nTSLA,2024-11-08\n"), ONCE)
    with pytest.raises(MalformedResponse, match="'TSLA' where AAPL was asked for"):
        client.expirations("AAPL")


@pytest.mark.parametrize(
    "stats",
    [
        "[" * 50_000,
        '{"seed":' * 5_000,
        '{"stand_in": true, "seed": 1' + "0" * 4000 + "}",
        '{"stand_in": true, "seed": {"a": 1}}',
        '{"stand_in": true, "seed": 1' + "0" * 5000 + "}",
        "\x00",
        '{"stand_in": "no", "seed": 1}',
    ],
    ids=lambda stats: stats[:30],
)
def test_statistics_that_make_no_sense_are_no_simulation(serve: Serve, stats: str) -> None:
    _, client = serve(lambda path, query: Answer(stats.encode()), ONCE)
    assert client.simulation() is None


WORDS = st.sampled_from(
    [
        *CELLS[:8],
        *("AAPL", "2024-11-08", "20241108", "262.500", "CALL", "full_close", "early_close", "open"),
        *("09:30:00", "symbol", "expiration", "strike", "date", "type", "close", "CONNECTED"),
        *(",", "\n", "\r\n", "\r", '"', " ", "\x00", "\ufeff", "{", "[", '"seed":', "}", "\u2028"),
    ]
).map(str.encode) | st.binary(max_size=4)
HEADERS = st.sampled_from(
    [b"", b"symbol,expiration\n", b"symbol,strike\n", b"date,type,open,close\n"]
)


@settings(suppress_health_check=list(HealthCheck))
@given(
    header=HEADERS,
    words=st.lists(WORDS, max_size=12),
    status=st.sampled_from([200, 200, 200, 302, 472, 500, 599]),
    chunked=st.booleans(),
)
def test_whatever_a_small_answer_holds_it_is_understood_or_a_named_error(
    serve: Serve, header: bytes, words: list[bytes], status: int, chunked: bool
) -> None:
    answer = Answer(header + b"".join(words), status=status, chunked=chunked)
    FUZZED[:] = [answer]
    server, client = serve_once(serve)
    for ask in (
        client.status,
        client.check,
        client.simulation,
        lambda: client.expirations("AAPL"),
        lambda: client.listed_contracts(SAMPLE_REQUEST),
        lambda: client.closures(2024, lambda note: None),
        lambda: client.trading_days(DAY, DAY, lambda note: None),
        lambda: find_terminal([server.url], timeout=5),
    ):
        try:
            ask()
        except ThetaError as error:
            assert len(str(error)) < 1000


FUZZED: list[Answer] = []


def serve_once(
    serve: Serve,
    cache: list[tuple[Scripted, ThetaClient]] = [],  # noqa: B006 -- made once
) -> tuple[Scripted, ThetaClient]:
    if not cache:
        cache.append(serve(lambda path, query: FUZZED[0], ONCE))
    cache[0][0].seen.clear()
    return cache[0]


# ---- framing ----

FRAMING = {
    "a chunk of -1 bytes": (b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
    "a chunk of -5 bytes": (b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", b"x" * 65536),
    "a chunk without end": (b"Transfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", b"x" * 65536),
    "a chunk's size without end": (b"Transfer-Encoding: chunked\r\n\r\n1", b";x" * 32768),
    "trailers without end": (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 9000),
    "headers without end": (b"", b"A: b\r\n" * 9000),
    "a header without end": (b"A: ", b"x" * 65536),
    "a length of -5": (b"Content-Length: -5\r\n\r\n", b"x" * 65536),
    "answers of status 100": (b"", b"\r\n\r\nHTTP/1.1 100 Continue" * 2000),
}


@pytest.mark.parametrize("kind", list(FRAMING))
def test_framing_that_is_wrong_or_does_not_end_is_a_named_error(kind: str) -> None:
    start, forever = FRAMING[kind]
    code = b"100 Continue" if "100" in kind else b"200 OK\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 " + code + start)
                while True:
                    connection.sendall(forever)

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener, ThetaClient(url, policy=ONCE, timeout=20) as client:
        for ask in (lambda: client.expirations("AAPL"), lambda: client.table(SAMPLE_REQUEST)):
            with pytest.raises((BrokenResponse, MalformedResponse)):
                ask()
        thread.join()


# ---- memory ----

_ASK = r"""\
import re, sys
from pathlib import Path
from datetime import date
from transforms.model import GreeksRequest
from transforms.thetadata import RetryPolicy, ThetaClient, ThetaError
request = GreeksRequest("AAPL", date(2024, 11, 8), (date(2024, 11, 4),))
with ThetaClient(sys.argv[1], policy=RetryPolicy(attempts=1), timeout=20) as client:
    for ask in (
        client.status,
        client.check,
        client.simulation,
        lambda: client.expirations("AAPL"),
        lambda: client.listed_contracts(request),
        lambda: client.closures(2024),
        lambda: client.table(request),
    ):
        try:
            print(ask())
        except ThetaError as error:
            print(type(error).__name__, error)
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""
ENDLESS = {
    "a redirect": Answer(b"", status=302, headers={"Location": "/elsewhere"}, forever=b"x" * 65536),
    "an error": Answer(b"", status=500, forever=b"x" * 65536),
    "one line": Answer(b"", forever=b"9" * 65536),
    "lines": Answer(b"symbol,expiration\n", forever=b"AAPL,2024-11-08\n" * 4096),
    "strikes": Answer(b"symbol,strike\n", forever=b"A,5\n" * 16384),
    "days": Answer(b"date,type,open,close\n", forever=b"2024-12-25,full_close,,\n" * 4096),
    "empty lines": Answer(HEADER.encode() + b"\n", forever=b"\n" * 65536),
    "cells": Answer(b"symbol,strike", forever=b",x" * 32768),
}


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_an_endless_answer_ends_as_a_named_error_under_200_mib(kind: str) -> None:
    with scripted_server(lambda path, query: ENDLESS[kind]) as server:
        done = subprocess.run(
            [sys.executable, "-c", _ASK, server.url],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    *answers, most = done.stdout.splitlines()
    assert len(answers) == 7
    for place, answer in enumerate(answers):
        assert re.match(r"(StatusError|MalformedResponse|TerminalUnreachable) ", answer) or (
            place == 2 and answer == "None"
        ), answer
    assert int(most) < 200 * 1024

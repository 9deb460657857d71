import threading
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.answers import SAMPLE, SAMPLE_REQUEST, rows_of
from tests.support.scripted import Answer, Serve, scripted_clients, scripted_server
from transforms.model import GreeksRequest
from transforms.orders import schema_of
from transforms.thetadata import (
    BrokenResponse,
    MalformedResponse,
    RetryPolicy,
    StatusError,
    TerminalUnreachable,
    ThetaClient,
)
from transforms.thetadata.errors import Stopped
from transforms.workers.stop import StopSignal

SOON = RetryPolicy(attempts=2, backoff=0.001, jitter=0)
HOLIDAYS = (
    b"date,type,open,close\r\n2024-12-24,early_close,09:30:00,13:00:00\r\n\r\n"
    b"2024-12-25,full_close,,\r\n"
)
NO_DATA = Answer(b"No data found for your request", status=472, content_type="text/plain")
TWO_DAYS = GreeksRequest("SPXW", date(2024, 3, 15), (date(2024, 3, 14), date(2024, 3, 15)))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with scripted_clients(SOON) as start:
        yield start


def test_expirations_are_listed_in_order_whatever_the_csv_style(serve: Serve) -> None:
    body = b'symbol,expiration\n"AAPL","2026-07-10"\n"AAPL",2012-06-01\n\n'
    _, client = serve(lambda path, query: Answer(body))
    assert client.expirations("aapl") == [date(2012, 6, 1), date(2026, 7, 10)]


def test_an_unknown_symbol_has_no_expirations(serve: Serve) -> None:
    _, client = serve(lambda path, query: NO_DATA)
    assert client.expirations("NOPE") == []


def test_a_list_with_another_header_is_an_error(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"root,exp\nAAPL,20240315\n"))
    with pytest.raises(MalformedResponse, match="lacks expiration"):
        client.expirations("AAPL")


def test_a_list_with_something_else_than_dates_is_an_error(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"symbol,expiration\nAAPL,soon\n"))
    with pytest.raises(MalformedResponse, match="'soon' is not a date"):
        client.expirations("AAPL")


def test_trading_days_leave_out_weekends_and_the_terminals_holidays(serve: Serve) -> None:
    server, client = serve(lambda path, query: Answer(HOLIDAYS))
    days = client.trading_days(date(2024, 12, 20), date(2024, 12, 27))
    assert [day.day for day in days] == [20, 23, 24, 26, 27]
    assert client.closures(2024) == {date(2024, 12, 24): time(13), date(2024, 12, 25): None}
    assert server.seen[0] == ("/v3/calendar/year_holidays", {"year": "2024", "format": "csv"})


def test_only_connected_is_connected(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(b"DISCONNECTED", content_type="text/plain"))
    with pytest.raises(TerminalUnreachable, match="'DISCONNECTED', not 'CONNECTED'"):
        client.check()


def test_a_connected_terminal_passes_the_check(serve: Serve) -> None:
    server, client = serve(lambda path, query: Answer(b"CONNECTED", content_type="text/plain"))
    client.check()
    assert server.seen == [("/v3/terminal/mdds/status", {})]


def test_nobody_at_the_address_is_told_with_what_to_do() -> None:
    with (
        scripted_server(lambda path, query: Answer(b"")) as server,
        ThetaClient(server.url, policy=SOON) as client,
    ):
        gone = server.url
        client.status()
    with ThetaClient(gone) as client, pytest.raises(TerminalUnreachable, match="--terminal"):
        client.check()


def test_each_trade_date_is_one_request(serve: Serve) -> None:
    server, client = serve(
        lambda path, query: Answer(rows_of(TWO_DAYS, date.fromisoformat(query["date"]), 3))
    )
    table = client.table(TWO_DAYS)
    assert [query["date"] for _, query in server.seen] == ["2024-03-14", "2024-03-15"]
    path, query = server.seen[0]
    assert path == "/v3/option/history/greeks/first_order"
    assert query == {
        "symbol": "SPXW",
        "expiration": "2024-03-15",
        "date": "2024-03-14",
        "interval": "5m",
        "format": "csv",
    }
    days = [stamp.date().day for stamp in table.column("timestamp").to_pylist()]
    assert days == [14, 14, 14, 15, 15, 15]
    assert client.requests == 2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("batch_size", [1, 999, 1000, 100_000])
def test_stream_and_table_give_the_same_rows(serve: Serve, batch_size: int, chunked: bool) -> None:
    _, client = serve(
        lambda path, query: Answer(
            rows_of(TWO_DAYS, date.fromisoformat(query["date"]), 5000), chunked=chunked
        )
    )
    batches = list(client.stream(TWO_DAYS, batch_size))
    assert max(batch.num_rows for batch in batches) <= batch_size
    streamed = pa.Table.from_batches(batches)
    assert streamed == client.table(TWO_DAYS)
    assert streamed.num_rows == 10_000


def test_a_trade_date_without_data_is_passed_over(serve: Serve) -> None:
    _, client = serve(
        lambda path, query: (
            NO_DATA
            if query["date"] == "2024-03-14"
            else Answer(rows_of(TWO_DAYS, date(2024, 3, 15), 3))
        )
    )
    assert client.table(TWO_DAYS).num_rows == 3


def test_no_data_at_all_is_an_empty_table_of_the_schema(serve: Serve) -> None:
    _, client = serve(lambda path, query: NO_DATA)
    table = client.table(SAMPLE_REQUEST)
    assert table.num_rows == 0
    assert table.schema == schema_of("first_order")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("cut", [0, 10, 250, 400, len(SAMPLE) - 2])
def test_an_answer_that_breaks_off_is_an_error_wherever_it_does(
    serve: Serve, cut: int, chunked: bool
) -> None:
    _, client = serve(lambda path, query: Answer(SAMPLE, cut=cut, chunked=chunked))
    with pytest.raises(BrokenResponse, match="broke off before its end"):
        client.table(SAMPLE_REQUEST)


def test_a_refusal_is_told_in_the_terminals_words_with_what_to_do(serve: Serve) -> None:
    words = b"Requesting an option endpoint requiring a standard subscription"
    _, client = serve(lambda path, query: Answer(words, status=403, content_type="text/plain"))
    with pytest.raises(
        StatusError, match="403 FORBIDDEN .*requiring a standard.*Standard"
    ) as raised:
        client.table(SAMPLE_REQUEST)
    assert raised.value.status == 403


def test_a_silent_terminal_times_out(serve: Serve) -> None:
    import threading

    silence = threading.Event()
    try:
        with scripted_server(lambda path, query: Answer(SAMPLE, hold=silence)) as server:
            with (
                ThetaClient(server.url, timeout=0.2, policy=SOON) as client,
                pytest.raises(BrokenResponse, match=r"for 0\.2 s: raise --timeout"),
            ):
                client.table(SAMPLE_REQUEST)
            silence.set()
    finally:
        silence.set()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    _, client = serve(lambda path, query: Answer(SAMPLE))
    assert client.table(SAMPLE_REQUEST).num_rows == 3


def test_a_proxy_of_the_environment_is_asked_for_another_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, _ = serve(lambda path, query: Answer(SAMPLE))
    monkeypatch.setenv("http_proxy", proxy.url)
    with ThetaClient("http://terminal.invalid:25503") as client:
        assert client.table(SAMPLE_REQUEST).num_rows == 3
    assert {heads["Host"] for heads in proxy.heads} == {"terminal.invalid:25503"}


def test_a_stop_ends_the_stream_before_its_next_request(serve: Serve, tmp_path: Path) -> None:
    stop = StopSignal(str(tmp_path / "stop"))
    server, _ = serve(
        lambda path, query: Answer(rows_of(TWO_DAYS, date.fromisoformat(query["date"]), 3))
    )
    with ThetaClient(server.url, stop=stop) as client:
        stream = client.stream(TWO_DAYS)
        next(stream)
        stop.set()
        with pytest.raises(Stopped, match="asked to stop"):
            next(stream)
    assert len(server.seen) == 1


@pytest.mark.parametrize("sent", [None, 0, 100], ids=["nothing", "the head", "some rows"])
def test_a_stop_wakes_a_client_that_waits_for_a_byte(
    serve: Serve, tmp_path: Path, sent: int | None
) -> None:
    silence = threading.Event()
    stop = StopSignal(str(tmp_path / "stop"))
    asked = threading.Event()

    def answer(path: str, query: dict[str, str]) -> Answer:
        asked.set()
        if sent is None:
            return Answer(SAMPLE, hold=silence)
        return Answer(SAMPLE, cut=sent, end=lambda: silence.wait(30))

    def stop_once_it_waits() -> None:
        asked.wait()
        stop.set()

    server, _ = serve(answer)
    try:
        threading.Thread(target=stop_once_it_waits).start()
        with (
            ThetaClient(server.url, timeout=60, stop=stop) as client,
            pytest.raises(Stopped),
        ):
            list(client.stream(SAMPLE_REQUEST))
        # It was the stop that ended the wait: the Terminal is still silent.
        assert not silence.is_set()
    finally:
        silence.set()
        stop.clear()


def test_a_request_covers_the_trading_days_up_to_the_expiration(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(HOLIDAYS))
    request = client.request("spxw", date(2024, 12, 27), date(2024, 12, 23), date(2025, 1, 3))
    assert [day.day for day in request.trade_dates] == [23, 24, 26, 27]


def test_a_batch_size_below_one_is_refused(serve: Serve) -> None:
    _, client = serve(lambda path, query: Answer(SAMPLE))
    with pytest.raises(ValueError, match="batch_size is 0"):
        list(client.stream(SAMPLE_REQUEST, 0))

"""One answer for every expiration: the same rows in fewer requests, whatever goes wrong with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.simulator.answers import Answer, Request, Responder, text_answer
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from pipeline.simulator.v3 import V3
from transforms.fetch import fetch
from transforms.market import calendar
from transforms.market.clock import NEW_YORK
from transforms.model import GreeksRequest, Trailer
from transforms.model.requests import RequestGrid
from transforms.thetadata import RetryPolicy, ThetaClient
from transforms.thetadata.errors import Stopped
from transforms.thetadata.shared_answers import SharedAnswers
from transforms.thetadata.shared_days import SharedDays
from transforms.workers.stop import NEVER, Stop, StopSignal

MARKET = Market()
WEEK = tuple(calendar.trading_days(date(2024, 3, 11), date(2024, 3, 15)))
SOON = RetryPolicy(attempts=4, backoff=0.001, jitter=0)
ORDERS = ("eod", "open_interest")


def requests_of(
    order: str, *, reach: int = 12, by_day: bool = False, days: tuple[date, ...] = WEEK
) -> list[GreeksRequest]:
    listed = [("SPXW", day) for day in MARKET.expirations("SPXW")]
    return list(RequestGrid(listed, days, reach=reach, by_day=by_day, terms=[("eod", order)]))


@contextmanager
def sharing(
    server: TerminalServer, requests: list[GreeksRequest], api: str = "v3", stop: Stop = NEVER
) -> Iterator[tuple[ThetaClient, SharedAnswers]]:
    shared = SharedAnswers(SharedDays(requests))
    with ExitStack() as stack:
        stack.callback(shared.close)
        client = ThetaClient(server.url, api=api, policy=SOON, stop=stop, shared_answers=shared)
        yield stack.enter_context(client), shared


def by_themselves(server: TerminalServer, requests: list[GreeksRequest]) -> list[pa.Table]:
    with ThetaClient(server.url, api=server.api, policy=SOON) as client:
        return [client.table(each) for each in requests]


def sent(server: TerminalServer, word: str = "") -> int:
    """How many requests for rows, or for contracts, a Terminal has answered."""
    counted = server.stats()["requests"]
    kinds = ("history", "bulk_hist", "page", "contracts")
    return sum(
        sum(by_status.values())
        for path, by_status in counted.items()
        if word in path and any(kind in path for kind in kinds)
    )


def spied(change: Callable[[Request], Request | Answer]) -> tuple[Responder, list[Request]]:
    """A v3 Terminal behind somebody who changes requests, and what was asked for."""
    terminal, seen = V3(MARKET), list[Request]()

    def respond(request: Request) -> Answer:
        seen.append(request)
        changed = change(request)
        return changed if isinstance(changed, Answer) else terminal(changed)

    return respond, seen


def for_all(request: Request) -> bool:
    return request.parameters.get("expiration") == "*"


def left(shared: SharedAnswers) -> list[Path]:
    return list(shared._folder.iterdir()) if shared._folder else []


@pytest.mark.parametrize("api", ["v3", pytest.param("v2", marks=pytest.mark.slow)])
@pytest.mark.parametrize("by_day", [True, False], ids=["daily", "by expiration"])
@pytest.mark.parametrize("order", ORDERS)
def test_one_request_a_day_gives_each_request_the_very_rows_of_its_own(
    order: str, by_day: bool, api: str
) -> None:
    requests = requests_of(order, by_day=by_day)
    with TerminalServer(MARKET, api=api, tick_limit=3000) as server:
        expected = by_themselves(server, requests)
    with (
        TerminalServer(MARKET, api=api) as server,
        sharing(server, requests, api) as (client, shared),
    ):
        assert [client.table(each) for each in requests] == expected
        assert (
            client.requests == sent(server) == shared.days.requests == len(WEEK) < len(requests) / 2
        )
        assert client.shared == len(requests)
        assert left(shared) == []


@pytest.mark.slow
def test_pages_of_a_shared_v2_answer_may_end_within_a_contract() -> None:
    requests = requests_of("eod", by_day=True)
    with TerminalServer(MARKET, api="v2", tick_limit=701) as server:
        expected = by_themselves(server, requests)
        with sharing(server, requests, "v2") as (client, _):
            assert [client.table(each) for each in requests] == expected
            assert client.requests > 2 * len(WEEK)


@pytest.mark.parametrize(
    ("chosen", "number"),
    [(slice(0, 1), 1), (slice(0, 2), 1), (slice(0, 9), 1)],
    ids=["one", "two", "many"],
)
def test_a_day_is_shared_where_that_saves_a_request(chosen: slice, number: int) -> None:
    requests = requests_of("eod", days=WEEK[:1])[chosen]
    with TerminalServer(MARKET) as server, sharing(server, requests) as (client, shared):
        for each in requests:
            client.table(each)
        assert client.requests == shared.days.requests == number
        assert client.shared == (len(requests) if len(requests) > 1 else 0)


def test_a_month_is_shared_where_that_halves_the_requests_at_least() -> None:
    few, many = requests_of("eod", reach=5), requests_of("eod", reach=12)
    assert len(few) < 2 * len(WEEK) <= len(many)
    for requests, number in ((few, len(few)), (many, len(WEEK))):
        assert SharedDays(requests).requests == number


def test_an_order_that_must_be_requested_by_expiration_is() -> None:
    requests = [
        replace(each, greeks="quote", interval="1h") for each in requests_of("eod", days=WEEK[:1])
    ]
    near = [replace(each, parameters=(("strike_range", "2"),)) for each in requests_of("eod")]
    for asked in (requests, near):
        with TerminalServer(MARKET) as server, sharing(server, asked) as (client, shared):
            for each in asked:
                client.table(each)
            assert client.requests == shared.days.requests == len(asked)


@pytest.mark.parametrize(("hour", "shared"), [(17, False), (18, True)])
def test_a_day_that_may_still_change_is_not_shared(hour: int, shared: bool) -> None:
    requests = requests_of("eod", days=WEEK[:1])
    now = datetime.combine(WEEK[0], time(hour), NEW_YORK)
    found = SharedDays(requests, lambda: now)
    assert (found.requests == 1) is shared
    assert (found.requests == len(requests)) is not shared


def test_an_expiration_that_the_list_of_contracts_lacks_too_is_empty_without_a_request() -> None:
    days = WEEK[:2]
    requests = requests_of("open_interest", reach=60, days=days)
    with TerminalServer(MARKET) as server:
        expected = by_themselves(server, requests)
        assert any(not table.num_rows for table in expected)
        before = sent(server)
        with sharing(server, requests) as (client, shared):
            assert [client.table(each) for each in requests] == expected
            assert shared.days.requests == len(days)
            assert sent(server) - before == client.requests == 2 * len(days)
            assert sent(server, "contracts") == len(days)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(True, id="the list has them"),
        pytest.param(False, id="there is no list", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("by_day", [True, False], ids=["daily", "by expiration"])
def test_an_expiration_that_a_shared_answer_lacks_is_requested_by_itself(
    by_day: bool, listed: bool
) -> None:
    requests = requests_of("eod", by_day=by_day)

    def short(request: Request) -> Request | Answer:
        if "contracts" in request.path and not listed:
            return text_answer(403, "no subscription")
        if for_all(request):
            return replace(request, parameters={**request.parameters, "max_dte": "3"})
        return request

    respond, seen = spied(short)
    with TerminalServer(MARKET) as server:
        expected = by_themselves(server, requests)
    with TerminalServer(responder=respond) as server, sharing(server, requests) as (client, _):
        assert [client.table(each) for each in requests] == expected
    lacking = [each for each in requests if (each.expiration - each.first_trade_date).days > 3]
    own = [each for each in seen if "history" in each.path and not for_all(each)]
    assert 0 < len(own) == len(lacking) < len(requests)


def row(text: str) -> Callable[[str], Answer]:
    head = "symbol,expiration,strike,right,timestamp,open_interest"
    return lambda day: text_answer(200, f"{head}\n{text.format(day=day)}\n")


@pytest.mark.parametrize(
    "answered",
    [
        lambda _: text_answer(400, "Invalid expiration: *"),
        row("SPX,{day},5000.000,CALL,{day}T06:30:00,1"),
        row("SPXW,2024-03-08,5000.000,CALL,{day}T06:30:00,1"),
        row("SPXW,,5000.000,CALL,{day}T06:30:00,1"),
        row("SPXW,{day},5000.000,CALL,2024-03-08T06:30:00,1"),
    ],
    ids=["refused", "another symbol", "expired", "no expiration", "another day"],
)
def test_where_shared_answers_fail_each_expiration_is_requested_by_itself(
    answered: Callable[[str], Answer],
) -> None:
    requests = requests_of("open_interest", by_day=True)
    respond, seen = spied(
        lambda each: answered(each.parameters["start_date"]) if for_all(each) else each
    )
    with TerminalServer(MARKET) as server:
        expected = by_themselves(server, requests)
    with TerminalServer(responder=respond) as server, sharing(server, requests) as (client, shared):
        assert [client.table(each) for each in requests] == expected
        assert left(shared) == []
    failed = {each.parameters["start_date"] for each in seen if for_all(each)}
    assert len(failed) == 3, "trade dates that failed before no further one is shared"


def test_cut_and_restated_shared_answers_lose_and_double_nothing() -> None:
    requests = requests_of("eod", by_day=True)
    with TerminalServer(MARKET) as server:
        expected = by_themselves(server, requests)
    chaos = "cut:0.7,reset:0.2,500:0.2,malformed:0.2"
    with (
        TerminalServer(MARKET, chaos=chaos) as server,
        sharing(server, requests) as (client, shared),
    ):
        assert [client.table(each) for each in requests] == expected
        assert client.requests > shared.days.requests == len(WEEK)
        assert client.shared == len(requests)


def test_threads_share_each_answer_and_stay_within_their_slots() -> None:
    requests = requests_of("eod", by_day=True)
    tables: dict[GreeksRequest, pa.Table] = {}
    rest = iter(requests)
    lock = threading.Lock()
    shared = SharedAnswers(SharedDays(requests))

    def work(url: str) -> None:
        with ThetaClient(url, policy=SOON, shared_answers=shared) as client:
            while True:
                with lock:
                    request = next(rest, None)
                if request is None:
                    return
                tables[request] = client.table(request)

    with TerminalServer(MARKET, latency=0.01, slots=4, queue=0) as server:
        workers = [threading.Thread(target=work, args=(server.url,)) for _ in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        assert sent(server) == len(WEEK)
        assert 1 < server.stats()["history"]["most_in_flight"] <= 4
        assert left(shared) == []
        assert [tables[each] for each in requests] == by_themselves(server, requests)
    shared.close()


def test_a_stop_wakes_who_fetches_and_who_waits_for_it(tmp_path: Path) -> None:
    requests = requests_of("eod", days=WEEK[:1])
    stop = StopSignal(str(tmp_path / "stop"))
    asked, ended = threading.Event(), list[Trailer]()

    def hang(request: Request) -> Request:
        asked.set()
        stop_seen.wait(60)
        return request

    stop_seen = threading.Event()
    respond, _ = spied(hang)
    shared = SharedAnswers(SharedDays(requests))

    def work(request: GreeksRequest, url: str) -> None:
        with ThetaClient(url, stop=stop, shared_answers=shared) as client:
            (trailer,) = fetch(client, request)
            assert isinstance(trailer, Trailer)
            ended.append(trailer)

    with TerminalServer(responder=respond) as server:
        workers = [threading.Thread(target=work, args=(each, server.url)) for each in requests[:2]]
        for each in workers:
            each.start()
        asked.wait(30)
        stop.set()
        for each in workers:
            each.join()
        stop_seen.set()
    assert [each.interrupted for each in ended] == [True, True]
    assert left(shared) == []
    shared.close()


def test_rows_are_not_read_on_after_a_stop(tmp_path: Path) -> None:
    requests = requests_of("eod", days=WEEK[:1])
    stop = StopSignal(str(tmp_path / "stop"))
    with TerminalServer(MARKET) as server, sharing(server, requests, stop=stop) as (client, _):
        rows = client.stream(requests[0], 10)
        next(rows)
        stop.set()
        with pytest.raises(Stopped):
            list(rows)

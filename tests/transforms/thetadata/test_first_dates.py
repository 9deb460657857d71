"""Trade dates before an expiration's first quote are not asked for, once that is proven."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from tests.support.answers import HEADER
from tests.support.market import NO_DATA
from tests.support.scripted import Answer, Script, scripted_server
from transforms.market.calendar import trading_days
from transforms.model import GreeksRequest
from transforms.thetadata import RetryPolicy, ThetaClient

DAYS = tuple(trading_days(date(2024, 1, 2), date(2024, 3, 15)))
BEGINS = date(2024, 3, 4)
REQUEST = GreeksRequest("SPXW", DAYS[-1], DAYS)
WITH_ROWS = [day for day in DAYS if day >= BEGINS]
HISTORY, LIST = "/v3/option/history/greeks/first_order", "/v3/option/list/dates/quote"
ERROR = Answer(b"Not here", status=404, content_type="text/plain")


def listing(*days: date) -> Answer:
    return Answer("\r\n".join(["date", *map(str, days), ""]).encode())


def terminal(listed: Answer, with_rows: Sequence[date] = WITH_ROWS) -> Script:
    """A Terminal with a row on some dates, and what it lists."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == LIST:
            assert query == {"symbol": "SPXW", "expiration": "2024-03-15", "format": "csv"}
            return listed
        if date.fromisoformat(query["date"]) not in with_rows:
            return NO_DATA
        stamp = f"{query['date']}T09:30:00"
        row = f"SPXW,2024-03-15,5000.000,CALL,{stamp},1,2{',0' * 6},0.2,0,{stamp},5010"
        return Answer("\r\n".join([HEADER, row, ""]).encode())

    return answer


def dates_of(client: ThetaClient, requests: Sequence[GreeksRequest]) -> list[date]:
    tables = [client.table(each) for each in requests]
    return [stamp.date() for table in tables for stamp in table["timestamp"].to_pylist()]


DAILY = [replace(REQUEST, trade_dates=(day,)) for day in DAYS]


@pytest.mark.parametrize("requests", [[REQUEST], DAILY], ids=["one", "daily"])
def test_no_date_before_the_first_quote_is_asked_for_after_two_without_data(
    requests: list[GreeksRequest],
) -> None:
    script = terminal(listing(*reversed(WITH_ROWS)))
    with scripted_server(script) as server, ThetaClient(server.url) as client:
        assert dates_of(client, requests) == WITH_ROWS
    asked = [(path, query.get("date")) for path, query in server.seen]
    proof = ["2024-01-02", "2024-01-03", None, "2024-03-01"]
    assert [day for _, day in asked] == [*proof, *map(str, WITH_ROWS)]
    assert [path for path, _ in asked].count(LIST) == 1


def test_an_expiration_without_any_data_costs_four_requests() -> None:
    with scripted_server(terminal(NO_DATA, ())) as server, ThetaClient(server.url) as client:
        assert dates_of(client, DAILY) == []
    asked = [query.get("date") for _, query in server.seen]
    assert asked == ["2024-01-02", "2024-01-03", None, "2024-03-15"]


WRONG = {
    "later than the first quote": listing(*WITH_ROWS[1:]),
    "empty": NO_DATA,
    "not there": ERROR,
    "no list": Answer(b"<html>"),
    "no date": Answer(b"date\r\nsoon\r\n"),
    "before a date without data": listing(DAYS[0], *WITH_ROWS),
    "after the expiration": listing(date(2024, 3, 18)),
    "of another age": listing(date(1, 1, 1)),
    "far ahead": listing(date(9999, 12, 31)),
}


@pytest.mark.parametrize("listed", list(WRONG.values()), ids=list(WRONG))
@pytest.mark.parametrize("requests", [[REQUEST], DAILY], ids=["one", "daily"])
def test_a_list_that_is_wrong_loses_no_row_and_fails_nothing(
    listed: Answer, requests: list[GreeksRequest]
) -> None:
    once = RetryPolicy(attempts=1)
    with (
        scripted_server(terminal(listed)) as server,
        ThetaClient(server.url, policy=once) as client,
    ):
        assert dates_of(client, requests) == WITH_ROWS
    history = [query["date"] for path, query in server.seen if path == HISTORY]
    assert set(history) == set(map(str, DAYS))


def test_an_expiration_that_has_not_ended_may_still_get_its_first_quote() -> None:
    later = GreeksRequest("SPXW", date(2035, 1, 5), DAYS)
    script = terminal(NO_DATA, ())

    def answer(path: str, query: dict[str, str]) -> Answer:
        return NO_DATA if path == LIST else script(path, query)

    with scripted_server(answer) as server, ThetaClient(server.url) as client:
        assert client.table(later).num_rows == 0
    assert len([path for path, _ in server.seen if path == HISTORY]) == len(DAYS)

"""What goes wrong on request: each kind of fault over HTTP, and that it is always the same."""

import http.client
import json
import random
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from pipeline.simulator.faults.chaos import TEXTS
from pipeline.simulator.faults.rules import Rule, parse_rules
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.pipeline.simulator.reading import get

MARKET = Market(symbols=("SPXW",))
FIRST_ORDER = "/v3/option/history/greeks/first_order"
SMALL = {
    "symbol": "SPXW",
    "expiration": "2024-03-15",
    "date": "2024-03-14",
    "strike": "5150",
    "right": "call",
    "interval": "1h",
}
LARGE = SMALL | {"right": "both", "interval": "5m", "strike_range": "4"}
del LARGE["strike"]
V2_GREEKS = "/v2/bulk_hist/option/greeks"
V2_ASKED = {
    "root": "SPXW",
    "exp": "20240315",
    "start_date": "20240314",
    "end_date": "20240314",
    "ivl": "3600000",
    "use_csv": "true",
}
NO_DATA = "No data found for your request"
NO_DATA_V2 = ":No data for the specified timeframe & contract."


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def numbered(asked: dict[str, str], number: int) -> dict[str, str]:
    """Another request for the same rows: what the Terminal does not know it ignores."""
    return asked | {"number": str(number)}


def truth(asked: dict[str, str]) -> bytes:
    with TerminalServer(MARKET) as terminal:
        return get(terminal, FIRST_ORDER, asked).body


def beginning(terminal: TerminalServer, path: str, asked: dict[str, str]) -> tuple[bytes, str]:
    """What arrives of an answer that breaks off, and how it was framed."""
    connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=30)
    connection.request("GET", f"{path}?{urlencode(asked)}")
    response = connection.getresponse()
    framing = "chunks" if response.chunked else "length"
    try:
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
    finally:
        response.close()
        connection.close()
    return caught.value.partial, framing


def test_rules_are_read() -> None:
    assert parse_rules("429:0.1, cut:0.05,474:3,471!:0.02,") == (
        Rule("429", probability=0.1),
        Rule("cut", probability=0.05),
        Rule("474", first=3),
        Rule("471", probability=0.02, permanent=True),
    )
    assert parse_rules("") == ()
    first, second = date(2024, 3, 13), date(2024, 3, 14)
    assert parse_rules("472:2024-03-13,472:2024-03-14,norows!:2024-03-14") == (
        Rule("472", trade_date=first),
        Rule("472", trade_date=second),
        Rule("norows", trade_date=second, permanent=True),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fire:0.1", "'fire' is neither a status from 400 to 599, nor reset, cut, slow"),
        ("200:1", "'200' is neither"),
        ("429", "neither a probability below 1 nor a whole number"),
        ("429:", "neither a probability"),
        ("429:1.5", "neither a probability"),
        ("429:-1", "neither a probability"),
        ("429:nan", "neither a probability"),
        ("429:inf", "neither a probability"),
        ("472:2024-02-30", "nor a trade date such as 2024-03-14"),
        ("429:0.1,429:3", "429 is there twice"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_text(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_rules(text)


@pytest.mark.parametrize("status", [*TEXTS, 472, 502])
def test_every_status_can_be_had_with_its_text(status: int) -> None:
    with TerminalServer(MARKET, chaos=f"{status}:1") as terminal:
        reply = get(terminal, FIRST_ORDER, SMALL)
        texts = TEXTS | {472: NO_DATA, 502: "Error 502"}
        assert (reply.status, reply.text) == (status, texts[status])
        assert reply.headers["content-type"] == "text/plain"
        assert get(terminal, FIRST_ORDER, SMALL).status == 200
        assert terminal.stats()["faults"] == {str(status): 1}
        assert terminal.stats()["requests"] == {FIRST_ORDER: {str(status): 1, "200": 1}}


def test_the_words_of_the_terminal_itself_are_byte_exact() -> None:
    assert TEXTS[474] == "Connection lost to Theta Data MDDS."
    assert TEXTS[571] == "SERVER_STARTING"
    assert len(NO_DATA) == 30


@pytest.mark.parametrize(("api", "text"), [("v3", NO_DATA), ("v2", NO_DATA_V2)])
def test_no_data_can_come_as_a_success_in_the_words_of_its_generation(api: str, text: str) -> None:
    path, asked = (FIRST_ORDER, SMALL) if api == "v3" else (V2_GREEKS, V2_ASKED)
    with TerminalServer(MARKET, api=api, chaos="nodata200:1,472:1") as terminal:
        replies = [get(terminal, path, asked) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 472, 200]
    assert [reply.text for reply in replies[:2]] == [text, text]
    assert len(replies[2].text) > 500


@pytest.mark.parametrize("seconds", [0, 1])
def test_429_says_when_to_come_back_if_told_to(seconds: int) -> None:
    with TerminalServer(MARKET, chaos="429:1,503:1", retry_after=seconds) as terminal:
        assert get(terminal, FIRST_ORDER, SMALL).headers["retry-after"] == str(seconds)
        assert "retry-after" not in get(terminal, FIRST_ORDER, SMALL).headers
    with TerminalServer(MARKET, chaos="429:1") as terminal:
        assert "retry-after" not in get(terminal, FIRST_ORDER, SMALL).headers


def test_only_requests_for_rows_are_hit() -> None:
    with TerminalServer(MARKET, chaos="500:1") as terminal:
        assert get(terminal, "/v3/option/list/expirations", {"symbol": "SPXW"}).status == 200
        assert get(terminal, "/v3/terminal/mdds/status").status == 200
        assert get(terminal, "/v3/calendar/today").status == 200
        assert get(terminal, "/v3/option/history/greeks/eod", SMALL).status == 500


def test_the_first_requests_are_hit_one_rule_after_the_other() -> None:
    with TerminalServer(MARKET, chaos="474:2,571:3", chaos_limit=9) as terminal:
        statuses = [get(terminal, FIRST_ORDER, SMALL).status for _ in range(7)]
    assert statuses == [474, 474, 571, 571, 571, 200, 200]


def outcomes(seed: int, numbers: list[int], workers: int) -> dict[int, list[int]]:
    def thrice(number: int) -> tuple[int, list[int]]:
        asked = numbered(SMALL, number)
        # In any order, the parameters make the same request.
        shuffled = dict(random.Random(number).sample(list(asked.items()), len(asked)))
        return number, [get(terminal, FIRST_ORDER, shuffled).status for _ in range(3)]

    chaos = "429:0.3,500:0.2,471!:0.1"
    with (
        TerminalServer(Market(seed, ("SPXW",)), chaos=chaos) as terminal,
        ThreadPoolExecutor(workers) as pool,
    ):
        return dict(pool.map(thrice, numbers))


def test_what_goes_wrong_depends_on_the_seed_and_the_request_alone() -> None:
    numbers = list(range(60))
    one = outcomes(0, numbers, 1)
    assert one == outcomes(0, numbers[::-1], 6)
    assert one != outcomes(1, numbers, 6)
    first = [statuses[0] for statuses in one.values()]
    assert 8 <= first.count(429) <= 28
    assert 2 <= first.count(500) <= 18
    # Another attempt is another chance.
    assert len({tuple(statuses) for statuses in one.values()}) > 5
    permanent = [statuses for statuses in one.values() if 471 in statuses]
    assert permanent
    assert all(set(statuses[statuses.index(471) :]) <= {471, 429, 500} for statuses in permanent)


@pytest.mark.parametrize(("limit", "faults"), [(3, 3), (1, 1), (0, 0)])
def test_a_request_that_is_made_often_enough_is_answered(limit: int, faults: int) -> None:
    with TerminalServer(MARKET, chaos="500:0.999", chaos_limit=limit) as terminal:
        statuses = [get(terminal, FIRST_ORDER, SMALL).status for _ in range(5)]
        other = get(terminal, FIRST_ORDER, numbered(SMALL, 1)).status
    assert statuses == [500] * faults + [200] * (5 - faults)
    assert other == (500 if limit else 200)


def test_a_permanent_fault_stays_and_hits_only_some_requests() -> None:
    with TerminalServer(MARKET, chaos="471!:0.3", chaos_limit=1) as terminal:
        seen = [
            {get(terminal, FIRST_ORDER, numbered(SMALL, n)).status for _ in range(5)}
            for n in range(30)
        ]
    assert all(len(statuses) == 1 for statuses in seen)
    assert 2 < seen.count({471}) < 20
    with TerminalServer(MARKET, chaos="471!:2") as terminal:
        order = [0, 0, 1, 2, 1, 0, 2]
        statuses = [get(terminal, FIRST_ORDER, numbered(SMALL, n)).status for n in order]
    assert statuses == [471, 471, 471, 200, 471, 471, 200]


@pytest.mark.parametrize("asked", [SMALL, LARGE], ids=["content-length", "chunks"])
def test_a_cut_answer_is_never_taken_for_a_whole_one(
    session: requests.Session, asked: dict[str, str]
) -> None:
    def read(number: int) -> None:
        parameters = numbered(asked, number)
        with session.get(
            terminal.url + FIRST_ORDER, params=parameters, stream=True, timeout=30
        ) as response:
            assert response.status_code == 200
            for _ in response.iter_content(1 << 16):
                pass

    with TerminalServer(MARKET, chaos="cut:40") as terminal:
        for number in range(40):
            with pytest.raises(requests.exceptions.RequestException):
                read(number)
        reply = session.get(terminal.url + FIRST_ORDER, params=asked, timeout=30)
        assert terminal.stats()["faults"] == {"cut": 40}
        assert terminal.stats()["broken_off"] == 0
    assert reply.content == truth(asked)


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_answers_are_cut_in_every_place(framing: str) -> None:
    asked = SMALL if framing == "length" else LARGE
    whole = truth(asked)
    header = whole.index(b"\n") + 1
    places = set()
    with TerminalServer(MARKET, chaos="cut:60") as terminal:
        for number in range(60):
            part, framed = beginning(terminal, FIRST_ORDER, numbered(asked, number))
            assert framed == framing
            assert whole.startswith(part)
            assert len(part) < len(whole)
            if len(part) < header:
                places.add("header")
            elif part.endswith(b"\n"):
                places.add("between")
            elif whole.count(b"\n") - part.count(b"\n") == 1:
                places.add("last row")
            else:
                places.add("row")
            if len(part) == len(whole) - 1:
                places.add("last byte")
    assert places == {"header", "row", "between", "last row", "last byte"}


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_other_formats_are_cut_as_well(form: str) -> None:
    asked = LARGE | {"format": form}
    whole = truth(asked)
    with TerminalServer(MARKET, chaos="cut:10") as terminal:
        for number in range(10):
            part, _ = beginning(terminal, FIRST_ORDER, numbered(asked, number))
            assert whole.startswith(part)


def test_a_reset_connection_has_no_status(session: requests.Session) -> None:
    with TerminalServer(MARKET, chaos="reset:1") as terminal:
        with pytest.raises(requests.ConnectionError, match="reset by peer"):
            session.get(terminal.url + FIRST_ORDER, params=SMALL, timeout=30)
        assert session.get(terminal.url + FIRST_ORDER, params=SMALL, timeout=30).ok
        assert terminal.stats()["requests"] == {FIRST_ORDER: {"reset": 1, "200": 1}}


def test_a_hanging_request_is_over_when_the_reader_goes() -> None:
    with TerminalServer(MARKET, chaos="hang:1") as terminal:
        host, port = urlsplit(terminal.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(f"GET {FIRST_ORDER}?{urlencode(SMALL)} HTTP/1.1\r\n\r\n".encode())
            deadline = time.monotonic() + 30
            while terminal.stats()["faults"] != {"hang": 1}:
                assert time.monotonic() < deadline
            assert select.select([connection], [], [], 0) == ([], [], [])
            assert terminal.stats()["history"]["last_end"] is None
        while terminal.stats()["history"]["last_end"] is None:
            assert time.monotonic() < deadline
        assert get(terminal, FIRST_ORDER, SMALL).status == 200


def test_the_end_of_the_server_ends_a_hanging_request() -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        with TerminalServer(MARKET, chaos="hang:1") as terminal:
            waiting = pool.submit(get, terminal, FIRST_ORDER, SMALL)
            while terminal.stats()["faults"] != {"hang": 1}:
                assert time.monotonic() < began + 30
        assert waiting.exception() is not None
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("asked", [SMALL, LARGE], ids=["content-length", "chunks"])
def test_a_slow_answer_is_whole(asked: dict[str, str]) -> None:
    with TerminalServer(MARKET, chaos="slow:1") as terminal:
        assert get(terminal, FIRST_ORDER, asked).body == truth(asked)
        assert terminal.stats()["faults"] == {"slow": 1}


def test_a_malformed_answer_has_one_broken_row_in_the_middle() -> None:
    right = truth(LARGE).splitlines()
    ways = set()
    with TerminalServer(MARKET, chaos="malformed:20") as terminal:
        for number in range(20):
            reply = get(terminal, FIRST_ORDER, numbered(LARGE, number))
            lines = reply.body.splitlines()
            assert reply.status == 200
            assert len(lines) == len(right)
            ((place, line),) = [(n, line) for n, line in enumerate(lines) if line != right[n]]
            assert len(lines) // 5 < place < len(lines) * 4 // 5
            missing = right[place].count(b",") - line.count(b",")
            assert missing == 2 or (missing == 0 and line.count(b"?") == 1)
            ways.add(missing)
        assert get(terminal, FIRST_ORDER, LARGE).body.splitlines() == right
    assert ways == {0, 2}


def test_a_malformed_json_does_not_parse_or_lacks_something() -> None:
    asked = SMALL | {"format": "json"}
    right = json.loads(truth(asked))
    ways = set()
    with TerminalServer(MARKET, chaos="malformed:8") as terminal:
        for number in range(8):
            text = get(terminal, FIRST_ORDER, numbered(asked, number)).text
            try:
                sizes = [len(row) for row in json.loads(text)["response"][0]["data"]]
            except json.JSONDecodeError:
                ways.add("does not parse")
            else:
                ways.add("lacks something")
                assert min(sizes) == len(right["response"][0]["data"][0]) - 2
    assert ways == {"does not parse", "lacks something"}


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_a_restated_answer_differs_in_an_early_row_and_breaks_off_late(api: str) -> None:
    path, asked = (FIRST_ORDER, LARGE) if api == "v3" else (V2_GREEKS, V2_ASKED)
    with TerminalServer(MARKET, api=api, chaos="restate:5") as terminal:
        parts = [beginning(terminal, path, numbered(asked, n))[0] for n in range(5)]
        whole = [get(terminal, path, numbered(asked, n)).body.splitlines() for n in range(5)]
    assert all(lines == whole[0] for lines in whole)
    for part in parts:
        lines = part.splitlines()[:-1]
        assert len(whole[0]) // 2 <= len(lines) < len(whole[0])
        ((place, line),) = [(n, line) for n, line in enumerate(lines) if line != whole[0][n]]
        assert 1 <= place <= 5
        cells, right = line.split(b","), whole[0][place].split(b",")
        (changed,) = [n for n, cell in enumerate(cells) if cell != right[n]]
        assert changed == (len(cells) - 2 if api == "v2" else len(cells) - 1)
        assert abs(float(cells[changed]) - float(right[changed])) < 10


def test_what_is_not_an_answer_with_rows_is_not_damaged() -> None:
    with TerminalServer(MARKET, chaos="cut:1,malformed:1,restate:1") as terminal:
        for text in ("No data found for your request",) * 3:
            assert get(terminal, FIRST_ORDER, SMALL | {"date": "20240316"}).text == text
        assert terminal.stats()["faults"] == {}


def test_pages_go_wrong_by_what_they_hold_and_not_by_their_ids() -> None:
    def statuses(before: int) -> list[list[int]]:
        chaos = "500:0.4,429:0.2"
        found = []
        with TerminalServer(
            MARKET, api="v2", tick_limit=500, chaos=chaos, chaos_limit=99
        ) as terminal:
            for _ in range(before):  # takes some ids
                get(terminal, V2_GREEKS, V2_ASKED | {"ivl": "1800000"})
            path, asked = V2_GREEKS, V2_ASKED
            while path != "null":
                tries = [get(terminal, path, asked)]
                while tries[-1].status != 200:
                    tries.append(get(terminal, path, asked))
                found.append([reply.status for reply in tries])
                path = tries[-1].headers["next-page"].removeprefix(terminal.url)
                asked = {}
        return found

    one = statuses(0)
    assert one == statuses(4)
    assert len(one) > 4
    assert any(len(tries) > 1 for tries in one[1:])


def test_a_page_that_was_cut_can_be_fetched_again() -> None:
    with TerminalServer(MARKET, api="v2", tick_limit=1000) as terminal:
        reply = get(terminal, V2_GREEKS, V2_ASKED)
        right = get(terminal, reply.headers["next-page"].removeprefix(terminal.url)).body
    with TerminalServer(MARKET, api="v2", tick_limit=1000, chaos="slow:1,cut:1") as terminal:
        reply = get(terminal, V2_GREEKS, V2_ASKED)
        path = reply.headers["next-page"].removeprefix(terminal.url)
        part, _ = beginning(terminal, path, {})
        assert right.startswith(part)
        assert get(terminal, path).body == right


def test_a_trade_date_has_a_status_of_its_own() -> None:
    with TerminalServer(MARKET, chaos="472:2024-03-14", chaos_limit=1) as terminal:
        assert get(terminal, FIRST_ORDER, SMALL | {"date": "2024-03-13"}).status == 200
        assert get(terminal, FIRST_ORDER, SMALL).status == 472
        assert get(terminal, FIRST_ORDER, SMALL).body == truth(SMALL)


@pytest.mark.parametrize("rule", ["norows!:2024-03-14", "norows!:0.999999999"])
def test_a_trade_date_without_rows_leaves_the_names_of_the_columns(rule: str) -> None:
    with TerminalServer(MARKET, chaos=rule) as terminal:
        header, end = truth(SMALL).splitlines(keepends=True)[0], get(terminal, FIRST_ORDER, SMALL)
        assert (end.status, end.body) == (200, header)


@pytest.mark.parametrize("rule", ["norows!:2024-03-13", "norows!:0.999999999"])
def test_a_range_lacks_the_rows_of_one_trade_date_and_always_the_same(rule: str) -> None:
    week = {**SMALL, "start_date": "2024-03-11", "end_date": "2024-03-15"}
    del week["date"]
    whole = truth(week)
    with TerminalServer(MARKET, chaos=rule) as terminal:
        bodies = {get(terminal, FIRST_ORDER, week).body for _ in range(3)}
    (body,) = bodies
    left_out = set(whole.splitlines()) - set(body.splitlines())
    assert body == b"".join(
        line for line in whole.splitlines(keepends=True) if line.strip() not in left_out
    )
    assert len({line.split(b",")[4][:10] for line in left_out}) == 1


def test_every_page_lacks_the_rows_that_its_answer_lacks() -> None:
    week = V2_ASKED | {"start_date": "20240312"}

    def pages(chaos: str, limit: int) -> list[list[bytes]]:
        read: list[list[bytes]] = []
        options = {"api": "v2", "chaos": chaos, "tick_limit": limit}
        with TerminalServer(MARKET, **options) as terminal:  # type: ignore[arg-type]  # -- mixed
            address = V2_GREEKS
            asked = week
            while True:
                reply = get(terminal, address, asked)
                read.append(reply.body.splitlines())
                following = reply.headers["next-page"]
                if following == "null":
                    return read
                address, asked = urlsplit(following).path, {}

    whole = [line for page in pages("", 500) for line in page]
    lacking = pages("norows!:2024-03-13", 500)
    assert len(lacking) > 2
    kept = [line for line in whole if not line.endswith(b",20240313")]
    assert [line for page in lacking for line in page] == kept
    assert len(kept) < len(whole)

"""The stand-in as a v2 Terminal, over HTTP: its words, its numbers, its pages."""

import json
import re
from collections.abc import Iterator
from datetime import date

import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.pipeline.simulator.reading import Clock, Reply, get

MARKET = Market(symbols=("SPXW", "SPX"))
BULK = "/v2/bulk_hist/option"
GREEKS = f"{BULK}/greeks"
ASKED = {
    "root": "SPXW",
    "exp": "20240315",
    "start_date": "20240314",
    "end_date": "20240314",
    "ivl": "3600000",
}
CSV = ASKED | {"use_csv": "true"}
FIRST = "delta,theta,vega,rho,epsilon,lambda"
SECOND = "gamma,vanna,charm,vomma,veta"
THIRD = "speed,zomma,color,ultima"
END = "implied_vol,iv_error,ms_of_day2,underlying_price,date"
COLUMNS = {
    "greeks": f"ms_of_day,bid,ask,{FIRST},{END}",
    "greeks_second_order": f"ms_of_day,bid,ask,{SECOND},{END}",
    "greeks_third_order": f"ms_of_day,bid,ask,{THIRD},{END}",
    "all_greeks": f"ms_of_day,bid,ask,{FIRST},{SECOND},vera,{THIRD},d1,d2,dual_delta,dual_gamma,"
    f"{END}",
    "eod_greeks": "ms_of_day,open,high,low,close,volume,count,bid_size,bid_exchange,bid,"
    "bid_condition,ask_size,ask_exchange,ask,ask_condition,"
    f"{FIRST},{SECOND},vera,{THIRD},d1,d2,{END}",
}
V3 = {
    "greeks": "first_order",
    "greeks_second_order": "second_order",
    "greeks_third_order": "third_order",
    "all_greeks": "all",
}


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(MARKET, api="v2") as server:
        yield server


@pytest.fixture(scope="module")
def newer() -> Iterator[TerminalServer]:
    with TerminalServer(MARKET) as server:
        yield server


@pytest.mark.parametrize("which", ["mdds", "fpss"])
def test_the_status_is_plain_text(terminal: TerminalServer, which: str) -> None:
    reply = get(terminal, f"/v2/system/{which}/status")
    assert (reply.status, reply.body) == (200, b"CONNECTED")
    assert reply.headers["content-type"] == "text/plain"


def test_lists_are_flat_and_their_nulls_are_words(terminal: TerminalServer) -> None:
    reply = get(terminal, "/v2/list/expirations", {"root": "SPXW"})
    assert reply.headers["content-type"] == "application/json"
    answer = json.loads(reply.text)
    header = answer["header"]
    assert list(header) == ["id", "latency_ms", "error_type", "error_msg", "next_page", "format"]
    assert [header[name] for name in ("error_type", "error_msg", "next_page")] == ["null"] * 3
    assert header["format"] == ["date"]
    days = MARKET.expirations("SPXW")
    assert answer["response"] == [int(f"{day:%Y%m%d}") for day in days]
    strikes = json.loads(get(terminal, "/v2/list/strikes", ASKED).text)
    assert strikes["header"]["format"] == ["strike"]
    assert strikes["response"] == MARKET.strikes("SPXW", date(2024, 3, 15))
    roots = json.loads(get(terminal, "/v2/list/roots/option").text)
    assert roots["response"] == ["SPX", "SPXW"]


def test_lists_in_json_have_a_value_a_line(terminal: TerminalServer) -> None:
    text = get(terminal, "/v2/list/expirations", {"root": "SPXW"}).text
    lines = text.splitlines()
    assert lines[0].endswith('"format":["date"]},"response":[')
    numbers = [int(line.rstrip(",")) for line in lines if line.rstrip(",").isdigit()]
    assert numbers == json.loads(text)["response"]
    assert lines[-1] == "]}"
    assert len(lines) == len(numbers) + 2


@pytest.mark.parametrize("kind", ["quote", "trade"])
def test_dates_are_those_of_v3(terminal: TerminalServer, newer: TerminalServer, kind: str) -> None:
    path = f"list/dates/option/{kind}"
    asked = {"symbol": "SPXW", "expiration": "20240315"}
    expected = [
        int(row["date"].replace("-", ""))
        for row in get(newer, f"/v3/option/list/dates/{kind}", asked).rows
    ]
    answer = json.loads(get(terminal, f"/v2/{path}", ASKED).text)
    assert answer["header"]["format"] == ["date"]
    assert answer["response"] == expected
    contract = ASKED | {"strike": "5150000", "right": "C"}
    later = json.loads(get(terminal, f"/v2/{path}", contract).text)["response"]
    assert set(later) <= set(expected)
    assert later[-1] == 20240315
    assert get(terminal, f"/v2/{path}", contract | {"strike": "1"}).status == 472
    assert get(terminal, f"/v2/{path}", contract | {"strike": "51.5"}).status == 473


def test_a_path_that_is_not_served_is_answered_with_those_that_are(
    terminal: TerminalServer,
) -> None:
    reply = get(terminal, "/v2/hist/option/greeks", ASKED)
    first, _, *served = reply.text.splitlines()
    assert (reply.status, first) == (404, "Not found: /v2/hist/option/greeks")
    assert "/v2/list/dates/option/quote" in served
    assert all(get(terminal, path).status != 404 for path in served)


def test_lists_in_csv_have_a_name_and_one_value_a_line(terminal: TerminalServer) -> None:
    reply = get(terminal, "/v2/list/expirations", {"root": "SPX", "use_csv": "true"})
    assert reply.text.startswith("date\r\n20120616\r\n20120721\r\n")
    assert reply.headers["content-type"] == "text/csv"
    lines = get(terminal, "/v2/list/strikes", CSV).text.split("\r\n")
    assert lines[0] == "strike"
    assert "5150000" in lines
    assert get(terminal, "/v2/list/roots/option", CSV).text == "root\r\nSPX\r\nSPXW\r\n"


@pytest.mark.parametrize("name", COLUMNS)
def test_json_has_the_documented_columns_and_the_contract_beside_its_ticks(
    terminal: TerminalServer, name: str
) -> None:
    answer = json.loads(get(terminal, f"{BULK}/{name}", ASKED).text)
    assert answer["header"]["format"] == COLUMNS[name].split(",")
    assert answer["header"]["next_page"] == "null"
    first = answer["response"][0]
    assert list(first) == ["ticks", "contract"]
    assert list(first["contract"]) == ["root", "expiration", "strike", "right"]
    assert first["contract"]["expiration"] == 20240315
    assert first["contract"]["right"] == "C"
    assert len(first["ticks"]) == (1 if name == "eod_greeks" else 7)
    assert all(len(tick) == len(answer["header"]["format"]) for tick in first["ticks"])
    assert all(tick[-1] == 20240314 for tick in first["ticks"])


@pytest.mark.parametrize("name", COLUMNS)
def test_csv_has_the_contract_before_the_documented_columns(
    terminal: TerminalServer, name: str
) -> None:
    reply = get(terminal, f"{BULK}/{name}", CSV)
    assert reply.text.split("\r\n")[0] == f"root,expiration,strike,right,{COLUMNS[name]}"
    assert reply.headers["next-page"] == "null"
    row = reply.rows[-1]
    assert row["root"] == "SPXW"
    assert row["expiration"] == "20240315"
    assert row["right"] == "P"
    assert row["date"] == "20240314"


@pytest.mark.parametrize("name", COLUMNS)
def test_numbers_are_as_short_as_they_can_be(terminal: TerminalServer, name: str) -> None:
    rows = get(terminal, f"{BULK}/{name}", CSV).rows
    shortest = re.compile(r"(?!-0$)-?(0|[1-9]\d*)(\.\d{0,3}[1-9])?")
    for row in rows:
        for column, text in row.items():
            assert column in ("root", "right") or shortest.fullmatch(text), (column, text)
    assert any("." in row["bid"] for row in rows)
    assert any("." not in row["bid"] for row in rows)


def test_the_opening_row_reads_as_published_rows_do(terminal: TerminalServer) -> None:
    lines = get(terminal, GREEKS, CSV).text.split("\r\n")
    contract = "SPXW,20240315,5150000,P,"
    opening = next(line for line in lines if line.startswith(contract))
    assert opening == f"{contract}34200000,0,0,-1,0,0,0,0,0,0,100,34200000,5147.13,20240314"
    assert "SPXW,20240315,5150000,C,37800000," in "\n".join(lines)


@pytest.mark.parametrize("name", V3)
@pytest.mark.parametrize(
    ("expiration", "first", "last"), [("0314", "0314", "0314"), ("0328", "0312", "0314")]
)
def test_the_rows_are_the_same_numbers_as_those_of_version_1_of_v3(
    terminal: TerminalServer,
    newer: TerminalServer,
    name: str,
    expiration: str,
    first: str,
    last: str,
) -> None:
    dates = {"start_date": f"2024{first}", "end_date": f"2024{last}"}
    old = get(terminal, f"{BULK}/{name}", CSV | dates | {"exp": f"2024{expiration}"}).rows
    asked = {"symbol": "SPXW", "expiration": f"2024{expiration}", "interval": "1h", "version": "1"}
    new = get(newer, f"/v3/option/history/greeks/{V3[name]}", asked | dates).rows
    assert len(old) == len(new) > 1000
    for v2, v3 in zip(old, new, strict=True):
        for column in COLUMNS[name].split(","):
            unsolved = float(v3["implied_vol"]) == float(v3.get("d1", 1)) == 0
            if column == "delta" and unsolved:
                assert float(v2["delta"]) == 0 == abs(float(v3["delta"])) % 1
            elif column in v3:
                assert float(v2[column]) == float(v3[column])
        assert int(v2["strike"]) == float(v3["strike"]) * 1000
        assert v2["right"] == v3["right"][0]
        for clock, stamp in (("ms_of_day", "timestamp"), ("ms_of_day2", "underlying_timestamp")):
            hours, minutes, seconds = v3[stamp][11:].split(":")
            milliseconds = (int(hours) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000
            assert int(v2[clock]) == milliseconds
        assert v2["date"] == v3["timestamp"][:10].replace("-", "")


@pytest.mark.parametrize("name", ["greeks", "eod_greeks"])
def test_json_holds_the_same_rows_as_csv(terminal: TerminalServer, name: str) -> None:
    answer = json.loads(get(terminal, f"{BULK}/{name}", ASKED).text)
    flat = [
        [str(cell) for cell in (*contract["contract"].values(), *tick)]
        for contract in answer["response"]
        for tick in contract["ticks"]
    ]
    lines = get(terminal, f"{BULK}/{name}", CSV).text.split("\r\n")[1:-1]
    assert [",".join(cells) for cells in flat] == lines


def test_a_window_and_other_terms_are_heeded(terminal: TerminalServer) -> None:
    window = {"start_time": "36000000", "end_time": "36120000", "ivl": "60000", "rth": "false"}
    rows = get(terminal, GREEKS, CSV | window).rows
    times = ["36000000", "36060000", "36120000"]
    assert [row["ms_of_day"] for row in rows[:6]] == times * 2
    tick = {"start_time": "36000000", "end_time": "36002000", "ivl": "0"}
    assert len(get(terminal, GREEKS, CSV | tick).rows) == len(rows)
    plain = get(terminal, GREEKS, CSV).body
    for changes in ({"rate_value": "0.2"}, {"annual_div": "80"}):
        assert get(terminal, GREEKS, CSV | changes).body != plain


@pytest.mark.parametrize("path", ["eod_greeks", "open_interest"])
def test_rows_of_a_day_can_be_had_for_every_expiration_one_day_at_a_time(
    terminal: TerminalServer, path: str
) -> None:
    day = date(2024, 3, 14)
    every = get(terminal, f"{BULK}/{path}", CSV | {"exp": "0"}).rows
    found = [
        row
        for expiration in MARKET.expirations("SPXW")
        if day <= expiration
        for row in get(terminal, f"{BULK}/{path}", CSV | {"exp": f"{expiration:%Y%m%d}"}).rows
    ]
    assert every == found
    two = get(terminal, f"{BULK}/{path}", CSV | {"exp": "0", "end_date": "20240315"})
    assert (two.status, two.text.split(" must")[1]) == (473, " be one day at a time.")


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"exp": "0"}, 473, "Invalid exp: 0"),
        ({"exp": "*"}, 473, "Invalid exp: *"),
        ({"exp": "2024-03-15"}, 473, "Invalid exp: 2024-03-15"),
        ({"exp": ""}, 473, "Missing parameter: exp"),
        ({"root": ""}, 473, "Missing parameter: root"),
        ({"start_date": "20240315"}, 473, "Invalid date range: 2024-03-15 is after 2024-03-14"),
        (
            {"start_date": "20240201"},
            570,
            "Large request: 2024-02-01 to 2024-03-14 is more than one month",
        ),
        ({"ivl": "1m"}, 473, "Invalid ivl: 1m"),
        ({"rate": "sofr"}, 473, "Invalid rate: sofr"),
        ({"rate_value": "nan"}, 473, "Invalid rate_value: nan"),
        ({"use_csv": "yes"}, 473, "Invalid use_csv: yes"),
        ({"pretty_time": "true"}, 473, "Invalid pretty_time: this stand-in has none"),
        ({"root": "NDX"}, 472, ":No data for the specified timeframe & contract."),
        (
            {"end_date": "20240316", "start_date": "20240316"},
            472,
            ":No data for the specified timeframe & contract.",
        ),
    ],
)
def test_a_bad_request_is_refused_with_a_text(
    terminal: TerminalServer, changes: dict[str, str], status: int, text: str
) -> None:
    reply = get(terminal, GREEKS, ASKED | changes)
    assert (reply.status, reply.text) == (status, text)
    assert reply.headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    "path", ["/v3/option/list/symbols", "/v3/terminal/mdds/status", "/v2/nothing", "/", "/v2"]
)
def test_other_paths_are_not_found(terminal: TerminalServer, path: str) -> None:
    assert get(terminal, path, {"symbol": "SPX"}).status == 404


def pages_of(terminal: TerminalServer, path: str, asked: dict[str, str]) -> Iterator[Reply]:
    reply = get(terminal, path, asked)
    yield reply
    while reply.headers["next-page"] != "null":
        assert reply.headers["next-page"].startswith(f"{terminal.url}/v2/page/")
        reply = get(terminal, reply.headers["next-page"].removeprefix(terminal.url))
        yield reply


@pytest.mark.parametrize("limit", [1000, 700, 7, 999_999])
def test_pages_make_up_the_answer_wherever_they_are_cut(
    terminal: TerminalServer, limit: int
) -> None:
    window = CSV | {"start_time": "50000000"} if limit < 100 else CSV
    whole = get(terminal, GREEKS, window).text
    count = whole.count("\n") - 1
    with TerminalServer(MARKET, api="v2", tick_limit=limit) as paged:
        pages = list(pages_of(paged, GREEKS, window))
        assert paged.stats()["rows"] == count
    assert "".join(page.text for page in pages) == whole
    lines = [page.text.count("\n") - (n == 0) for n, page in enumerate(pages)]
    assert lines == [limit] * (count // limit) + [count % limit] * bool(count % limit)


def test_a_page_may_end_within_a_contract() -> None:
    with TerminalServer(MARKET, api="v2", tick_limit=1000) as terminal:
        first, second = list(pages_of(terminal, GREEKS, CSV))[:2]
    last, next_ = first.rows[-1], second.text.split(",", 5)
    assert [last[name] for name in ("root", "expiration", "strike", "right")] == next_[:4]


def test_pages_repeat_the_names_of_the_columns_if_asked_to() -> None:
    with TerminalServer(MARKET, api="v2", tick_limit=1000, page_header=True) as terminal:
        pages = list(pages_of(terminal, GREEKS, CSV))
    assert len(pages) > 2
    assert all(page.text.startswith("root,expiration,strike,right,ms_of_day,") for page in pages)


def test_pages_of_json_name_the_next_one_in_their_header() -> None:
    with TerminalServer(MARKET, api="v2", tick_limit=1000) as terminal:
        pages = list(pages_of(terminal, GREEKS, ASKED))
        answers = [json.loads(page.text) for page in pages]
    assert [answer["header"]["next_page"] for answer in answers] == [
        page.headers["next-page"] for page in pages
    ]
    ticks = [sum(len(part["ticks"]) for part in answer["response"]) for answer in answers]
    assert ticks[:-1] == [1000] * (len(pages) - 1)
    # The contract at the seam is there twice.
    assert answers[0]["response"][-1]["contract"] == answers[1]["response"][0]["contract"]


def test_the_ids_of_pages_count_up_whatever_the_request() -> None:
    with TerminalServer(MARKET, api="v2", tick_limit=1000) as terminal:
        ids = [
            get(terminal, path, ASKED).headers["next-page"].rpartition("/")[2]
            for path in (GREEKS, f"{BULK}/all_greeks", GREEKS)
        ]
    assert ids == ["1", "2", "3"]


def test_a_page_is_gone_once_nobody_has_fetched_it_for_long() -> None:
    clock = Clock()
    with TerminalServer(MARKET, api="v2", tick_limit=1000, clock=clock) as terminal:
        path = get(terminal, GREEKS, CSV).headers["next-page"].removeprefix(terminal.url)
        clock.now += 10.0
        assert get(terminal, path).status == 200
        clock.now += 10.0
        assert get(terminal, path).status == 200  # that it was fetched made it young again
        clock.now += 10.1
        reply = get(terminal, path)
        assert (reply.status, reply.text) == (477, "No page found")
        assert terminal.stats()["requests"]["/v2/page"] == {"200": 2, "477": 1}


@pytest.mark.parametrize("path", ["/v2/page/1", "/v2/page/", "/v2/page/x"])
def test_a_page_that_never_was_is_not_found(terminal: TerminalServer, path: str) -> None:
    assert get(terminal, path).status == 477

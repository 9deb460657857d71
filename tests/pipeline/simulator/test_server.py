"""The stand-in over HTTP: bytes as in published answers, refusals, queue, streaming."""

import csv
import http.client
import io
import json
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from urllib.parse import urlencode, urlsplit

import pytest

from pipeline.simulator.answers import Answer, Request, text_answer
from pipeline.simulator.formats import LIVE
from pipeline.simulator.market.greeks import COLUMNS
from pipeline.simulator.server import TerminalServer
from tests.pipeline.simulator.reading import Clock, Reply, get
from tests.support.oracle import Market
from transforms.orders import ORDERS

MARKET = Market(symbols=("SPXW", "SPX", "AAPL"))
FIRST_ORDER = "/v3/option/history/greeks/first_order"
CONTRACT = {
    "symbol": "SPXW",
    "expiration": "2024-03-15",
    "date": "2024-03-14",
    "strike": "5150",
    "right": "call",
    "interval": "1h",
}


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(MARKET) as server:
        yield server


@pytest.mark.parametrize("which", ["mdds", "fpss"])
def test_the_status_is_nine_bytes_of_plain_text(terminal: TerminalServer, which: str) -> None:
    reply = get(terminal, f"/v3/terminal/{which}/status")
    assert (reply.status, reply.body) == (200, b"CONNECTED")
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers["content-length"] == "9"
    assert reply.headers["server"] == "Jetty(12.0.14)"
    assert reply.headers["date"].endswith(" GMT")


def test_the_first_expirations_of_aapl_read_as_documented(terminal: TerminalServer) -> None:
    reply = get(terminal, "/v3/option/list/expirations", {"symbol": "AAPL"})
    assert reply.headers["content-type"] == "text/csv"
    assert reply.body.startswith(
        b"symbol,expiration\r\nAAPL,2012-06-01\r\nAAPL,2012-06-08\r\nAAPL,2012-06-16\r\n"
        b"AAPL,2012-06-22\r\nAAPL,2012-06-29\r\n"
    )


def test_expirations_of_several_symbols_come_in_one_answer(terminal: TerminalServer) -> None:
    text = get(terminal, "/v3/option/list/expirations", {"symbol": "SPX,SPXW"}).text
    assert text == get(terminal, "/v3/option/list/expirations", {"symbol": "spx,spxw"}).text
    assert {line.split(",")[0] for line in text.splitlines()[1:]} == {"SPX", "SPXW"}
    every = get(terminal, "/v3/option/list/expirations", {"symbol": "*"}).text
    assert {line.split(",")[0] for line in every.splitlines()[1:]} == {"SPX", "SPXW", "AAPL"}


def test_json_lists_are_laid_out_as_recorded(terminal: TerminalServer) -> None:
    reply = get(terminal, "/v3/option/list/expirations", {"symbol": "AAPL", "format": "json"})
    assert reply.headers["content-type"] == "application/json"
    assert reply.body.startswith(
        b'{\n\t"response": [\n\t\t{"symbol":"AAPL","expiration":"2012-06-01"},\n'
    )
    assert reply.body.endswith(b'"}\n\t]\n}\n\n')
    assert len(json.loads(reply.text)["response"]) == len(MARKET.expirations("AAPL"))


def test_ndjson_lists_have_an_object_a_line(terminal: TerminalServer) -> None:
    reply = get(terminal, "/v3/option/list/symbols", {"format": "ndjson"})
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert reply.text == '{"symbol":"AAPL"}\n{"symbol":"SPX"}\n{"symbol":"SPXW"}\n'


def test_strikes_have_three_decimals_and_no_order(terminal: TerminalServer) -> None:
    text = get(
        terminal, "/v3/option/list/strikes", {"symbol": "AAPL", "expiration": "20240315"}
    ).text
    header, *lines = text.splitlines()
    assert header == "symbol,strike"
    strikes = [line.removeprefix("AAPL,") for line in lines]
    assert "172.500" in strikes
    assert strikes != sorted(strikes, key=float)


@pytest.mark.parametrize("symbols", ["SPX,SPXW", "*"])
def test_strikes_of_several_symbols_come_in_one_answer(
    terminal: TerminalServer, symbols: str
) -> None:
    day = "2024-04-19"
    text = get(terminal, "/v3/option/list/strikes", {"symbol": symbols, "expiration": day}).text
    wanted = MARKET.symbols if symbols == "*" else symbols.split(",")
    apart = [
        get(terminal, "/v3/option/list/strikes", {"symbol": symbol, "expiration": day}).text
        for symbol in wanted
    ]
    assert len(apart) > 1
    header = "symbol,strike\r\n"
    expected = "".join(part.removeprefix(header) for part in apart if part.startswith(header))
    assert text == header + expected


@pytest.mark.parametrize("kind", ["quote", "trade"])
def test_dates_are_those_on_which_the_expiration_has_rows(
    terminal: TerminalServer, kind: str
) -> None:
    path = f"/v3/option/list/dates/{kind}"
    asked = {"symbol": "SPXW", "expiration": "20240315", "strike": "*", "right": "both"}
    reply = get(terminal, path, asked)
    assert reply.body.startswith(b"date\r\n2023-")
    listed = [row["date"] for row in reply.rows]
    assert listed == sorted(listed)
    assert listed[-1] == "2024-03-15"
    end_of_day = {"symbol": "SPXW", "expiration": "20240315"}
    eod = "/v3/option/history/greeks/eod"
    month = get(terminal, eod, end_of_day | {"start_date": "20240215", "end_date": "20240315"}).rows
    assert sorted({row["timestamp"][:10] for row in month}) == [
        day for day in listed if day >= "2024-02-15"
    ]
    strike = max(month, key=lambda row: float(row["strike"]))["strike"]
    alone = get(terminal, path, asked | {"strike": strike}).rows
    assert [row["date"] for row in alone][-1] == "2024-03-15"
    assert len(alone) < len(listed)


def test_dates_in_json_are_laid_out_as_recorded(terminal: TerminalServer) -> None:
    reply = get(
        terminal,
        "/v3/option/list/dates/quote",
        {"symbol": "AAPL", "expiration": "20240419", "format": "json"},
    )
    assert reply.body.startswith(b'{\n\t"response": [\n\t\t{"date":"2023-')
    assert json.loads(reply.text)["response"][-1] == {"date": "2024-04-19"}


@pytest.mark.parametrize("kind", ["quote", "trade"])
def test_contracts_are_those_that_have_rows_on_the_date(
    terminal: TerminalServer, kind: str
) -> None:
    path = f"/v3/option/list/contracts/{kind}"
    day = {"date": "20240314"}
    reply = get(terminal, path, day | {"symbol": "SPXW,SPX", "max_dte": "40"})
    assert reply.body.startswith(b"symbol,expiration,strike,right\r\nSPXW,2024-03-14,")
    contracts = {tuple(row.values()) for row in reply.rows}
    assert len(contracts) == len(reply.rows)
    eod = "/v3/option/history/greeks/eod"
    served = set()
    for symbol in ("SPXW", "SPX"):
        rows = get(
            terminal,
            eod,
            {"symbol": symbol, "expiration": "*", "start_date": "20240314"}
            | {"end_date": "20240314", "max_dte": "40"},
        ).rows
        served |= {(symbol, row["expiration"], row["strike"], row["right"]) for row in rows}
    assert contracts == served
    every = get(terminal, path, day | {"max_dte": "1"}).rows
    assert {row["symbol"] for row in every} == {"SPXW", "SPX", "AAPL"}
    assert {row["expiration"] for row in every} == {"2024-03-14", "2024-03-15"}


@pytest.mark.parametrize(
    ("path", "asked", "status", "text"),
    [
        ("list/contracts/quote", {}, 400, "Missing required parameter: date"),
        ("list/contracts/quote", {"date": "20240316"}, 472, "No data found for your request"),
        ("list/contracts/quote", {"date": "20270104"}, 472, "No data found for your request"),
        ("list/contracts/quote", {"date": "00010101"}, 472, "No data found for your request"),
        ("list/dates/quote", {"symbol": "SPXW"}, 400, "Missing required parameter: expiration"),
        ("list/dates/quote", {"symbol": "X", "expiration": "20240315"}, 472, None),
        (
            "list/dates/quote",
            {"symbol": "SPXW", "expiration": "20240315", "right": "*"},
            400,
            "Invalid right: *",
        ),
        (
            "list/dates/quote",
            {"symbol": "SPXW", "expiration": "20240315", "strike": "1"},
            472,
            "No data found for your request",
        ),
    ],
)
def test_a_list_refuses_what_it_cannot_answer(
    terminal: TerminalServer, path: str, asked: dict[str, str], status: int, text: str | None
) -> None:
    reply = get(terminal, f"/v3/option/{path}", asked)
    assert (reply.status, reply.text) == (status, text or "No data found for your request")


def test_holidays_end_with_the_year_after_today(terminal: TerminalServer) -> None:
    years = [get(terminal, "/v3/calendar/year_holidays", {"year": y}) for y in ("2027", "2028")]
    assert [reply.status for reply in years] == [200, 472]
    assert years[0].text.splitlines()[1] == "2027-01-01,full_close,,"


def test_a_path_that_is_not_served_is_answered_with_those_that_are(
    terminal: TerminalServer,
) -> None:
    reply = get(terminal, "/v3/option/history/trade", CONTRACT)
    first, second, *served = reply.text.splitlines()
    assert reply.status == 404
    assert first == "Not found: /v3/option/history/trade"
    assert second == "This stand-in serves:"
    assert "/v3/option/list/contracts/quote" in served
    assert all(get(terminal, path).status not in (404, 410) for path in served)


def test_the_holidays_read_as_documented_blank_lines_and_all(terminal: TerminalServer) -> None:
    body = get(terminal, "/v3/calendar/year_holidays", {"year": "2024"}).body
    assert body.startswith(b"date,type,open,close\r\n2024-01-01,full_close,,\r\n")
    assert body.endswith(
        b"2024-12-24,early_close,09:30:00,13:00:00\r\n\r\n2024-12-25,full_close,,\r\n"
    )
    reply = get(terminal, "/v3/calendar/year_holidays", {"year": "2024", "format": "json"})
    assert json.loads(reply.text)["response"][-1] == {
        "date": "2024-12-25",
        "type": "full_close",
        "open": None,
        "close": None,
    }


@pytest.mark.parametrize(
    ("day", "line"),
    [
        ("20251225", "full_close,,"),
        ("2024-03-14", "open,09:30:00,16:00:00"),
        ("2024-12-24", "early_close,09:30:00,13:00:00"),
        ("2024-03-16", "weekend,,"),
    ],
)
def test_the_hours_of_a_day_read_as_documented(
    terminal: TerminalServer, day: str, line: str
) -> None:
    body = get(terminal, "/v3/calendar/on_date", {"date": day}).body
    assert body == f"type,open,close\r\n{line}\r\n".encode()


def test_today_is_the_markets_last_date(terminal: TerminalServer) -> None:
    body = get(terminal, "/v3/calendar/today").body
    assert body == b"type,open,close\r\nopen,09:30:00,16:00:00\r\n"


def test_greeks_read_as_documented(terminal: TerminalServer) -> None:
    reply = get(terminal, FIRST_ORDER, CONTRACT)
    header, opening, *rest = reply.text.split("\r\n")
    assert header == (
        "symbol,expiration,strike,right,timestamp,bid,ask,delta,theta,vega,rho,epsilon,lambda,"
        "implied_vol,iv_error,underlying_timestamp,underlying_price"
    )
    assert opening.startswith("SPXW,2024-03-15,5150.000,CALL,2024-03-14T09:30:00,0.00,0.00,0.0")
    assert ",100.0000,2024-03-14T09:30:00,51" in opening
    assert len(rest) == 6 + 1
    assert rest[-1] == ""
    row = rest[0].split(",")
    assert [len(cell.split(".")[1]) for cell in row[5:15]] == [2, 2] + [4] * 8
    assert len(row[16].split(".")[1]) == 2
    assert int(reply.headers["content-length"]) == len(reply.body)


@pytest.mark.parametrize(
    ("order", "columns"),
    [
        ("second_order", "bid,ask,gamma,vanna,charm,vomma,veta,implied_vol,iv_error"),
        ("third_order", "bid,ask,speed,zomma,color,ultima,implied_vol,iv_error"),
        (
            "all",
            "bid,ask,delta,theta,vega,rho,epsilon,lambda,gamma,vanna,charm,vomma,veta,vera,speed,"
            "zomma,color,ultima,d1,d2,dual_delta,dual_gamma,implied_vol,iv_error",
        ),
        (
            "implied_volatility",
            "bid,bid_implied_vol,midpoint,implied_vol,ask,ask_implied_vol,iv_error",
        ),
    ],
)
def test_each_order_has_the_documented_header(
    terminal: TerminalServer, order: str, columns: str
) -> None:
    text = get(terminal, f"/v3/option/history/greeks/{order}", CONTRACT).text
    assert text.split("\r\n")[0] == (
        f"symbol,expiration,strike,right,timestamp,{columns},underlying_timestamp,underlying_price"
    )


def test_live_style_has_quoted_text_and_milliseconds() -> None:
    with TerminalServer(MARKET, style=LIVE) as terminal:
        lines = get(terminal, FIRST_ORDER, CONTRACT).body.split(b"\n")
        assert lines[0].startswith(b"symbol,expiration,strike,right,timestamp,")
        assert lines[1].startswith(
            b'"SPXW","2024-03-15",5150.000,"CALL",2024-03-14T09:30:00.000,0.00,0.00,'
        )
        assert not any(line.endswith(b"\r") for line in lines)
        hours = get(terminal, "/v3/calendar/on_date", {"date": "2024-03-14"})
        assert hours.body == b'type,open,close\n"open","09:30:00","16:00:00"\n'


def test_fractions_of_a_second_lose_their_zeros(terminal: TerminalServer) -> None:
    window = {"interval": "500ms", "start_time": "10:00:00", "end_time": "10:00:01.000"}
    lines = get(terminal, FIRST_ORDER, CONTRACT | window).text.split("\r\n")[1:-1]
    assert [line.split(",")[4][11:] for line in lines] == ["10:00:00", "10:00:00.5", "10:00:01"]
    assert [line.split(",")[15][11:] for line in lines] == ["10:00:00", "10:00:00", "10:00:01"]


@pytest.mark.parametrize("order", [each.name for each in ORDERS.values() if each.has_interval])
@pytest.mark.parametrize("interval", ["1h", "5m"])
def test_the_served_text_denotes_the_markets_rows(
    terminal: TerminalServer, order: str, interval: str
) -> None:
    day = date(2024, 3, 14)
    expected = MARKET.rows("SPXW", day, day, interval, order).to_pydict()
    reply = get(
        terminal,
        f"/v3/option/history/{ORDERS[order].v3.path}",
        {"symbol": "SPXW", "expiration": "20240314", "date": "20240314", "interval": interval},
    )
    served = list(csv.DictReader(io.StringIO(reply.text)))
    assert len(served) == len(expected["right"]) > 1000
    assert [*served[0]] == [*expected]
    assert [row["right"][0] for row in served] == expected["right"]
    for name in expected.keys() - {"symbol", "expiration", "right"}:
        if name.endswith("timestamp"):
            stamps = [f"{stamp:%Y-%m-%dT%H:%M:%S}" for stamp in expected[name]]
            assert [row[name] for row in served] == stamps
        else:
            assert [float(row[name]) for row in served] == expected[name]


# As public clients ask: what of a contract, a date or a format is left out differs from one to the
# other. Of each, the times of a contract's rows.
AAPL: dict[str, str] = {"symbol": "AAPL", "expiration": "2024-03-15"}
A_WEEK = {"start_date": "2024-03-11", "end_date": "2024-03-14"}
CLIENTS: list[tuple[str, dict[str, str], int]] = [
    (
        "greeks/first_order",
        AAPL | {"strike": "*", "right": "both", "date": "2024-03-14", "interval": "5m"},
        79,
    ),
    (
        "greeks/implied_volatility",
        AAPL | {"strike": "172.5", "right": "C", "date": "2024-03-14", "interval": "30m"},
        14,
    ),
    (
        "greeks/all",
        {"symbol": "AAPL", "expiration": "20240315", "date": "20240314", "interval": "1m"}
        | {"right": "both", "strike_range": "70", "format": "csv"},
        391,
    ),
    ("greeks/eod", AAPL | {"strike": "*", "right": "both"} | A_WEEK, 4),
    (
        "greeks/eod",
        AAPL
        | {"expiration": "*", "right": "both", "max_dte": "60", "format": "csv"}
        | {"start_date": "20240314", "end_date": "20240314"},
        1,
    ),
    ("open_interest", {"symbol": "AAPL", "expiration": "*", "date": "20240314"}, 1),
]


@pytest.mark.parametrize(("path", "asked", "times"), CLIENTS, ids=[path for path, *_ in CLIENTS])
def test_what_public_clients_ask_has_every_time_of_every_contract(
    terminal: TerminalServer, path: str, asked: dict[str, str], times: int
) -> None:
    reply = get(terminal, f"/v3/option/history/{path}", asked)
    assert reply.status == 200
    contracts = Counter((row["expiration"], row["strike"], row["right"]) for row in reply.rows)
    assert len(contracts) > 100 or asked.get("strike") == "172.5"
    assert set(contracts.values()) == {times}


def test_json_and_ndjson_hold_the_same_rows_as_csv(terminal: TerminalServer) -> None:
    both = CONTRACT | {"right": "both", "strike_range": "3", "strike": "*"}
    rows = list(csv.DictReader(io.StringIO(get(terminal, FIRST_ORDER, both).text)))
    lines = get(terminal, FIRST_ORDER, both | {"format": "ndjson"}).text.splitlines()
    nested = json.loads(get(terminal, FIRST_ORDER, both | {"format": "json"}).text)["response"]
    flat = [contract["contract"] | row for contract in nested for row in contract["data"]]
    assert len(rows) == len(lines) == len(flat) == 7 * 2 * 7
    for row, line, member in zip(rows, lines, flat, strict=True):
        assert json.loads(line) == member
        assert {name: str(value) for name, value in member.items() if isinstance(value, str)} == {
            name: row[name] for name, value in member.items() if isinstance(value, str)
        }
        assert all(float(row[name]) == member[name] for name in COLUMNS["first_order"])


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"right": "*"}, 400, "Invalid right: *"),
        ({"interval": "3600000"}, 400, "Invalid interval: 3600000"),
        ({"expiration": "*"}, 400, "Invalid expiration: *"),
        ({"interval": "60000"}, 400, "Invalid interval: 60000"),
        ({"expiration": "2024-02-30"}, 400, "Invalid expiration: 2024-02-30"),
        ({"date": "14.3.2024"}, 400, "Invalid date: 14.3.2024"),
        ({"strike": "x"}, 400, "Invalid strike: x"),
        ({"strike": "nan"}, 400, "Invalid strike: nan"),
        ({"start_time": "9:30"}, 400, "Invalid start_time: 9:30"),
        ({"strike_range": "0"}, 400, "Invalid strike_range: 0"),
        ({"version": "2"}, 400, "Invalid version: 2"),
        ({"rate_type": "SOFR"}, 400, "Invalid rate_type: SOFR"),
        ({"symbol": ""}, 400, "Missing required parameter: symbol"),
        ({"date": "2024-03-16"}, 472, "No data found for your request"),
        ({"symbol": "NDX"}, 472, "No data found for your request"),
        ({"strike": "5151"}, 472, "No data found for your request"),
    ],
)
def test_a_bad_request_is_refused_with_a_text(
    terminal: TerminalServer, changes: dict[str, str], status: int, text: str
) -> None:
    reply = get(terminal, FIRST_ORDER, CONTRACT | changes)
    assert (reply.status, reply.text) == (status, text)
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers["content-length"] == str(len(text))


def test_no_data_is_thirty_bytes(terminal: TerminalServer) -> None:
    assert len(get(terminal, FIRST_ORDER, CONTRACT | {"symbol": "X"}).body) == 30


def test_more_than_a_month_is_too_large(terminal: TerminalServer) -> None:
    span = {name: value for name, value in CONTRACT.items() if name != "date"}
    month = get(terminal, FIRST_ORDER, span | {"start_date": "20240213", "end_date": "20240315"})
    more = get(terminal, FIRST_ORDER, span | {"start_date": "20240212", "end_date": "20240315"})
    assert (month.status, more.status) == (200, 570)
    backwards = span | {"start_date": "20240315", "end_date": "20240314"}
    assert get(terminal, FIRST_ORDER, backwards).status == 400


def test_less_than_a_minute_is_refused_for_several_days(terminal: TerminalServer) -> None:
    span = {name: value for name, value in CONTRACT.items() if name != "date"}
    span |= {"start_date": "20240313", "end_date": "20240314"}
    assert get(terminal, FIRST_ORDER, span | {"interval": "30s"}).status == 400
    assert get(terminal, FIRST_ORDER, span | {"interval": "1m"}).status == 200


def test_a_single_row_beyond_the_limit_is_too_large() -> None:
    with TerminalServer(MARKET, row_limit=13) as terminal:
        assert get(terminal, FIRST_ORDER, CONTRACT).status == 200
        reply = get(terminal, FIRST_ORDER, CONTRACT | {"right": "both"})
        assert (reply.status, reply.text) == (570, "Large request: 14 rows are more than 13")
        days = {"start_date": "20240304", "end_date": "20240314"}
        eod = "/v3/option/history/greeks/eod"
        assert get(terminal, eod, CONTRACT | days | {"right": "P"}).status == 200
        assert get(terminal, eod, CONTRACT | days | {"right": "both"}).status == 570


@pytest.mark.parametrize("order", ORDERS)
def test_the_parts_of_an_answer_by_right_and_strike_make_up_the_whole(
    terminal: TerminalServer, order: str
) -> None:
    path = f"/v3/option/history/{ORDERS[order].v3.path}"
    whole = CONTRACT | {"start_date": "20240314", "end_date": "20240314", "strike_range": "2"}
    del whole["strike"], whole["right"]
    rows = get(terminal, path, whole).rows
    strikes = sorted({row["strike"] for row in rows})
    assert len(strikes) == 5
    for right, name in (("call", "CALL"), ("C", "CALL"), ("put", "PUT"), ("P", "PUT")):
        half = get(terminal, path, whole | {"right": right}).rows
        assert half == [row for row in rows if row["right"] == name]
        single = [
            row
            for strike in strikes
            for row in get(terminal, path, whole | {"right": right, "strike": strike}).rows
        ]
        assert single == half


def test_an_unknown_format_is_refused_with_the_known_ones(terminal: TerminalServer) -> None:
    reply = get(terminal, FIRST_ORDER, CONTRACT | {"format": "html"})
    assert reply.status == 400
    assert reply.text == "Invalid format: html (this stand-in has csv, json, ndjson)"


def test_unknown_parameters_are_ignored(terminal: TerminalServer) -> None:
    assert (
        get(terminal, FIRST_ORDER, CONTRACT | {"colour": "red"}).body
        == get(terminal, FIRST_ORDER, CONTRACT).body
    )


@pytest.mark.parametrize("path", ["/v2/list/roots/option", "/", "/v3x"])
def test_a_path_outside_v3_is_gone(terminal: TerminalServer, path: str) -> None:
    reply = get(terminal, path)
    assert reply.status == 410
    assert reply.body == (
        b"We have upgraded to API v3. Please use API v3 instead. Update your endpoint URLs to "
        b"/v3/* format. Consult API v3 documentation for more information: "
        b"https://docs.thetadata.us/"
    )


def test_a_v2_parameter_is_gone(terminal: TerminalServer) -> None:
    asked = {"symbol": "AAPL", "exp": "20250221", "format": "json"}
    reply = get(terminal, "/v3/option/list/strikes", asked)
    assert reply.status == 410
    assert reply.headers["content-length"] == "198"
    assert reply.body == (
        b"We have upgraded to API v3. Please use API v3 query parameters instead. \n"
        b"Deprecated query parameters:\n\texp -> expiration\n"
        b"Consult API v3 documentation for more information: https://docs.thetadata.us/"
    )


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("annual_div", "annual_dividend"),
        ("exp", "expiration"),
        ("ivl", "interval"),
        ("rate", "rate_type"),
        ("root", "symbol"),
        ("under_price", "stock_price"),
        ("use_csv", "format"),
        ("sec", "*path parameter*"),
        ("perf_boost", "*unnecessary*"),
        ("pretty_time", "*unnecessary*"),
        ("rth", "*unnecessary*"),
    ],
)
def test_every_v2_parameter_is_gone(terminal: TerminalServer, name: str, instead: str) -> None:
    reply = get(terminal, FIRST_ORDER, CONTRACT | {name: "1"})
    assert reply.status == 410
    assert reply.text == (
        "We have upgraded to API v3. Please use API v3 query parameters instead. \n"
        f"Deprecated query parameters:\n\t{name} -> {instead}\n"
        "Consult API v3 documentation for more information: https://docs.thetadata.us/"
    )


def test_an_unknown_v3_path_is_not_found(terminal: TerminalServer) -> None:
    assert get(terminal, "/v3/option/history/nothing").status == 404


def test_the_rate_dividend_and_version_of_a_request_count(terminal: TerminalServer) -> None:
    plain = get(terminal, FIRST_ORDER, CONTRACT | {"expiration": "20240314"}).body
    for changes in ({"rate_value": "0.2"}, {"annual_dividend": "80"}, {"version": "1"}):
        asked = CONTRACT | {"expiration": "20240314"} | changes
        assert get(terminal, FIRST_ORDER, asked).body != plain


def test_a_small_answer_has_a_length_and_a_large_one_is_chunked(terminal: TerminalServer) -> None:
    small = get(terminal, FIRST_ORDER, CONTRACT)
    large = get(terminal, FIRST_ORDER, CONTRACT | {"strike": "*"})
    assert "transfer-encoding" not in small.headers
    assert large.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in large.headers
    assert len(large.body) > 1 << 15


def test_a_reader_without_chunks_gets_the_same_body(terminal: TerminalServer) -> None:
    asked = CONTRACT | {"strike": "*"}
    connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=30)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    connection.request("GET", f"{FIRST_ORDER}?{urlencode(asked)}")
    reply = Reply(connection.getresponse())
    connection.close()
    assert "transfer-encoding" not in reply.headers
    assert reply.body == get(terminal, FIRST_ORDER, asked).body


def test_connections_are_kept_alive(terminal: TerminalServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=30)
    sockets = []
    for _ in range(2):
        connection.request("GET", "/v3/terminal/mdds/status")
        connection.getresponse().read()
        sockets.append(connection.sock)
    connection.close()
    assert sockets[0] is sockets[1]


def test_the_statistics_count_requests_and_rows() -> None:
    with TerminalServer(MARKET) as terminal:
        get(terminal, FIRST_ORDER, CONTRACT)
        get(terminal, FIRST_ORDER, CONTRACT | {"right": "both"})
        get(terminal, FIRST_ORDER, CONTRACT | {"right": "*"})
        get(terminal, "/v3/option/list/expirations", {"symbol": "SPXW"})
        stats = json.loads(get(terminal, "/stats").text)
        assert stats == terminal.stats()
        del stats["history"]
        assert stats == {
            "stand_in": True,
            "seed": 0,
            "api": "v3",
            "requests": {
                FIRST_ORDER: {"200": 2, "400": 1},
                "/v3/option/list/expirations": {"200": 1},
            },
            "rows": 21,
            "broken_off": 0,
            "faults": {},
            "most_in_flight": 1,
        }


def test_the_statistics_tell_how_busy_the_readers_kept_it() -> None:
    clock = Clock()

    def responder(request: Request) -> Answer:
        clock.now += 2.0
        return text_answer(200, "late")

    with TerminalServer(MARKET, responder=responder, clock=clock) as terminal:
        get(terminal, "/v3/option/list/symbols")
        assert terminal.stats()["history"]["first_start"] is None
        for _ in range(3):
            get(terminal, FIRST_ORDER)
            clock.now += 1.0
        deadline = time.monotonic() + 30
        while terminal.stats()["history"]["last_end"] is None:
            assert time.monotonic() < deadline
        history = terminal.stats()["history"]
    assert (history["requests"], history["most_in_flight"]) == (3, 1)
    assert history["first_start"] == 2.0
    assert history["busy_seconds"] >= 6.0
    assert history["last_end"] >= 10.0


@pytest.mark.parametrize("chaos", ["", "500:0.3,reset:0.3,cut:0.3"])
def test_who_asks_one_after_the_other_is_never_seen_with_two_in_flight(chaos: str) -> None:
    with TerminalServer(MARKET, chaos=chaos) as terminal:
        for number in range(150):
            try:
                asked = CONTRACT | {"strike": "*", "strike_range": str(1 + number % 40)}
                get(terminal, FIRST_ORDER, asked | {"number": str(number)})
            except (http.client.HTTPException, ConnectionError):
                continue
        stats = terminal.stats()
    assert stats["most_in_flight"] == stats["history"]["most_in_flight"] == 1
    assert stats["history"]["requests"] == 150
    assert bool(stats["faults"]) == bool(chaos)


class Held:
    """A responder that lets nothing through until it may."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, request: Request) -> Answer:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.release.wait(30)
        with self.lock:
            self.inside -= 1
        return text_answer(200, "late")


def test_requests_beyond_slots_and_queue_are_turned_away_at_once() -> None:
    held = Held()
    server = TerminalServer(MARKET, slots=2, queue=3, responder=held)
    with server as terminal, ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(get, terminal, "/v3/option/list/symbols") for _ in range(5)]
        deadline = time.monotonic() + 30
        while json.loads(get(terminal, "/stats").text)["most_in_flight"] < 5:
            assert time.monotonic() < deadline
        assert get(terminal, "/v3/option/list/symbols").status == 429
        held.release.set()
        assert [reply.result().status for reply in waiting] == [200] * 5
        # Once they are answered there is room again.
        assert get(terminal, "/v3/option/list/symbols").status == 200
        stats = terminal.stats()
    assert held.most == 2
    assert stats["most_in_flight"] == 5
    assert stats["requests"] == {"/v3/option/list/symbols": {"200": 6, "429": 1}}


def test_the_status_is_answered_while_all_slots_are_taken() -> None:
    held = Held()

    def responder(request: Request) -> Answer:
        return text_answer(200, "CONNECTED") if "status" in request.path else held(request)

    server = TerminalServer(MARKET, slots=1, queue=0, responder=responder)
    with server as terminal, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(get, terminal, "/v3/option/list/symbols")
        deadline = time.monotonic() + 30
        while not held.inside:
            assert time.monotonic() < deadline
        assert get(terminal, "/v3/terminal/mdds/status").text == "CONNECTED"
        held.release.set()
        assert waiting.result().status == 200


def test_a_reader_that_goes_away_is_counted_and_does_no_harm() -> None:
    with TerminalServer(MARKET) as terminal:
        connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=30)
        asked = CONTRACT | {"strike": "*", "right": "both", "interval": "1m"}
        connection.request("GET", f"{FIRST_ORDER}?{urlencode(asked)}")
        response = connection.getresponse()
        response.read(1000)
        response.close()
        connection.close()
        deadline = time.monotonic() + 30
        while not terminal.stats()["broken_off"]:
            assert time.monotonic() < deadline
        assert get(terminal, FIRST_ORDER, CONTRACT).status == 200


def test_stopping_wakes_a_request_that_waits_out_the_latency() -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        with TerminalServer(MARKET, latency=60) as terminal:
            waiting = pool.submit(get, terminal, "/v3/option/list/symbols")
            deadline = time.monotonic() + 30
            while not terminal.stats()["most_in_flight"]:
                assert time.monotonic() < deadline
        waiting.exception()  # whether it still got its answer or not
    assert time.monotonic() - began < 30


def test_memory_does_not_grow_with_the_answer() -> None:
    asked = CONTRACT | {"strike": "*", "right": "both", "strike_range": "20", "interval": "10s"}
    with TerminalServer(MARKET) as terminal:
        connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=60)
        tracemalloc.start()
        try:
            connection.request("GET", f"{FIRST_ORDER}?{urlencode(asked)}")
            response = connection.getresponse()
            size = 0
            while block := response.read(1 << 16):
                size += len(block)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            connection.close()
    assert size > 25_000_000
    assert peak < 12_000_000

"""The end of the day: its text in both generations, and what the market says of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.simulator.formats import LIVE
from pipeline.simulator.market.greeks import COLUMNS, EOD, EOD_V2, Query
from pipeline.simulator.server import TerminalServer
from tests.pipeline.simulator.reading import get
from tests.support.oracle import Market
from transforms.orders import ORDERS, schema_of
from transforms.orders.schema import ALL_GREEKS
from transforms.pricing.black_scholes import greeks
from transforms.pricing.conventions import midpoint
from transforms.pricing.implied_volatility import implied_volatility

MARKET = Market(symbols=("SPXW", "SPX"))
EXPIRATION, FIRST, LAST = date(2024, 3, 22), date(2024, 3, 12), date(2024, 3, 22)
PATH = "/v3/option/history/greeks/eod"
ASKED = {
    "symbol": "SPXW",
    "expiration": "2024-03-22",
    "start_date": "2024-03-12",
    "end_date": "2024-03-22",
}
HEADER = (
    "symbol,expiration,strike,right,timestamp,open,high,low,close,volume,count,bid_size,"
    "bid_exchange,bid,bid_condition,ask_size,ask_exchange,ask,ask_condition,delta,theta,vega,rho,"
    "epsilon,lambda,gamma,vanna,charm,vomma,veta,vera,speed,zomma,color,ultima,d1,d2,dual_delta,"
    "dual_gamma,implied_vol,iv_error,underlying_timestamp,underlying_price"
)


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(MARKET) as server:
        yield server


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return MARKET.rows("SPXW", EXPIRATION, FIRST, greeks=EOD, last_date=LAST)


def column(rows: pa.Table, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(rows[name].to_numpy())


@pytest.mark.parametrize("greeks", ORDERS)
def test_the_oracle_has_the_schema_of_the_files(greeks: str) -> None:
    schema = MARKET.rows("SPXW", EXPIRATION, FIRST, "1h", greeks).schema
    assert schema.names == schema_of(greeks).names
    assert schema.types == schema_of(greeks).types


def test_the_text_reads_as_documented(terminal: TerminalServer) -> None:
    body = get(terminal, PATH, ASKED | {"strike": "5150", "right": "call"}).text
    header, *lines = body.split("\r\n")
    assert header == HEADER
    assert len(lines) == 9 + 1
    row = lines[0].split(",")
    assert row[:4] == ["SPXW", "2024-03-22", "5150.000", "CALL"]
    decimals = [len(cell.partition(".")[2]) for cell in row]
    assert decimals[5:19] == [2, 2, 2, 2, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0]
    assert decimals[19:41] == [4] * 22
    assert row[41].startswith("2024-03-12T17:15:")
    assert decimals[42] == 3  # unlike everywhere else


def test_live_style_has_quoted_text_and_milliseconds() -> None:
    with TerminalServer(MARKET, style=LIVE) as terminal:
        text = get(terminal, PATH, ASKED | {"strike": "3000", "right": "put"}).text
    line = text.split("\n")[1]
    assert line.startswith('"SPXW","2024-03-22",3000.000,"PUT",2024-03-12T00:00:00.000,0.00,0.00,')


def test_the_served_text_denotes_the_markets_rows(terminal: TerminalServer, rows: pa.Table) -> None:
    served = get(terminal, PATH, ASKED).rows
    expected = rows.to_pydict()
    assert len(served) == rows.num_rows > 2000
    for name in (*COLUMNS[EOD], "strike", "underlying_price"):
        assert [float(row[name]) for row in served] == expected[name]
    assert [row["right"][0] for row in served] == expected["right"]
    for name in ("timestamp", "underlying_timestamp"):
        stamps = [f"{stamp:%Y-%m-%dT%H:%M:%S.%f}"[:-3] for stamp in expected[name]]
        trimmed = [stamp.rstrip("0").rstrip(".") if "." in stamp else stamp for stamp in stamps]
        assert [row[name] for row in served] == trimmed


def test_json_and_ndjson_hold_the_same_rows(terminal: TerminalServer) -> None:
    asked = ASKED | {"strike_range": "2"}
    lines = get(terminal, PATH, asked | {"format": "ndjson"}).text.splitlines()
    nested = json.loads(get(terminal, PATH, asked | {"format": "json"}).text)["response"]
    flat = [contract["contract"] | row for contract in nested for row in contract["data"]]
    assert [json.loads(line) for line in lines] == flat
    rows = get(terminal, PATH, asked).rows
    for row, member in zip(rows, flat, strict=True):
        assert all(float(row[name]) == member[name] for name in COLUMNS[EOD])
        assert row["timestamp"] == member["timestamp"]


def test_there_is_a_row_for_each_contract_and_trade_date(rows: pa.Table) -> None:
    days = pc.cast(pc.local_timestamp(rows["timestamp"]), pa.date32()).to_pylist()
    keys = list(zip(rows["strike"].to_pylist(), rows["right"].to_pylist(), days, strict=True))
    assert keys == sorted(set(keys))
    assert set(days) == {date(2024, 3, n) for n in (12, 13, 14, 15, 18, 19, 20, 21, 22)}
    for day in (FIRST, date(2024, 3, 15), LAST):
        listed = MARKET.rows("SPXW", EXPIRATION, day, "1h").num_rows / 7
        assert days.count(day) == listed
    assert MARKET.rows("SPXW", EXPIRATION, date(2024, 3, 16), greeks=EOD).num_rows == 0


def test_a_range_of_dates_is_made_of_its_days(rows: pa.Table) -> None:
    day = date(2024, 3, 19)
    days = pc.cast(pc.local_timestamp(rows["timestamp"]), pa.date32())
    assert rows.filter(pc.equal(days, day)).equals(MARKET.rows("SPXW", EXPIRATION, day, greeks=EOD))


def test_a_contract_without_a_trade_has_zeros_and_midnight(rows: pa.Table) -> None:
    untraded = rows.filter(pc.equal(rows["volume"], 0))
    traded = rows.filter(pc.greater(rows["volume"], 0))
    assert untraded.num_rows > 100
    assert traded.num_rows > 100
    for name in ("open", "high", "low", "close", "count"):
        assert set(untraded[name].to_pylist()) == {0}
        assert min(traded[name].to_pylist()) > 0
    times = {f"{stamp:%H:%M:%S.%f}" for stamp in untraded["timestamp"].to_pylist()}
    assert times == {"00:00:00.000000"}
    hours = [f"{stamp:%H:%M:%S}" for stamp in traded["timestamp"].to_pylist()]
    assert "09:30:00" < min(hours) <= max(hours) < "16:00:00"
    # They have quotes and Greeks all the same.
    assert max(untraded["ask"].to_pylist()) > 100
    assert max(untraded["vega"].to_pylist()) > 100


def test_trades_are_in_order(rows: pa.Table) -> None:
    open_, high, low, close = (column(rows, name) for name in ("open", "high", "low", "close"))
    assert (low <= np.minimum(open_, close)).all()
    assert (high >= np.maximum(open_, close)).all()
    assert (high > low).any()
    assert (column(rows, "count") <= column(rows, "volume")).all()


def test_an_early_close_ends_the_trades() -> None:
    day = date(2024, 7, 3)
    rows = MARKET.rows("SPXW", date(2024, 7, 5), day, greeks=EOD)
    stamps = [stamp for stamp in rows["timestamp"].to_pylist() if stamp.hour]
    assert "12:" < max(f"{stamp:%H:%M}" for stamp in stamps) < "13:00"
    assert f"{rows['underlying_timestamp'][0].as_py():%H:%M}" == "17:15"


def test_the_quote_is_the_last_one_of_the_session() -> None:
    intraday = MARKET.rows("SPXW", EXPIRATION, FIRST, "5m")
    last = intraday.filter(pc.equal(pc.hour(pc.local_timestamp(intraday["timestamp"])), 16))
    day = MARKET.rows("SPXW", EXPIRATION, FIRST, greeks=EOD)
    for name in ("strike", "right", "bid", "ask", "underlying_price", "delta", "implied_vol"):
        assert day[name].to_pylist() == last[name].to_pylist()


@pytest.mark.parametrize("order", [EOD, EOD_V2])
def test_greeks_follow_from_the_midpoint_in_v3_and_from_the_close_in_v2(order: str) -> None:
    day = FIRST
    rows = MARKET.rows("SPXW", EXPIRATION, day, greeks=order)
    bid, ask, spot = (column(rows, name) for name in ("bid", "ask", "underlying_price"))
    price = column(rows, "close") if order == EOD_V2 else midpoint(bid, ask)
    years = (EXPIRATION - day).days / 365
    is_call = np.array(rows["right"].to_pylist()) == "C"
    strike = column(rows, "strike")
    rate = 0.0531
    found = implied_volatility(price, spot, strike, years, rate, is_call)
    np.testing.assert_allclose(column(rows, "implied_vol"), found.volatility, atol=1.1e-4)
    np.testing.assert_allclose(column(rows, "iv_error"), found.error, atol=1.1e-4, rtol=1e-6)
    solved = found.volatility > 0
    names = [name for name in ALL_GREEKS if name in COLUMNS[order]]
    values = greeks(spot, strike, years, rate, found.volatility, is_call, names=names)
    for name in names:
        np.testing.assert_allclose(
            column(rows, name)[solved], values[name][solved], atol=1.1e-4, rtol=1e-6
        )
    unsolved = column(rows, "delta")[~solved]
    assert set(unsolved) <= ({0.0} if order == EOD_V2 else {1.0, -1.0})
    assert len(unsolved) > 10


def test_on_the_last_day_an_hour_is_left() -> None:
    rows = MARKET.rows("SPXW", EXPIRATION, EXPIRATION, greeks=EOD)
    near = rows.filter(pc.and_(pc.greater(rows["bid"], 0.5), pc.greater(rows["implied_vol"], 0)))
    row = near.slice(0, 1).to_pylist()[0]
    volatility = row["implied_vol"]
    d1_minus_d2 = row["d1"] - row["d2"]
    assert d1_minus_d2 == pytest.approx(volatility * np.sqrt(1 / 24 / 365), abs=2e-4)


def test_v2_lacks_two_greeks_which_are_null_in_the_oracle(rows: pa.Table) -> None:
    old = MARKET.rows("SPXW", EXPIRATION, FIRST, greeks=EOD_V2, last_date=LAST)
    assert old.schema == rows.schema
    for name in ("dual_delta", "dual_gamma"):
        assert old[name].null_count == old.num_rows == rows.num_rows
    same = (*COLUMNS[EOD][:14], "timestamp", "underlying_timestamp", "underlying_price")
    assert old.select(same).equals(rows.select(same))


def test_the_text_of_v2_denotes_the_oracles_rows() -> None:
    asked = {"root": "SPXW", "exp": "20240322", "start_date": "20240312", "end_date": "20240322"}
    with TerminalServer(MARKET, api="v2", tick_limit=1500) as terminal:
        reply = get(terminal, "/v2/bulk_hist/option/eod_greeks", asked | {"use_csv": "true"})
    served = reply.rows
    table = MARKET.rows("SPXW", EXPIRATION, FIRST, greeks=EOD_V2, last_date=LAST)
    expected = table.slice(0, 1500).to_pydict()
    assert len(served) == 1500
    for name in (*COLUMNS[EOD_V2], "underlying_price"):
        assert [float(row[name]) for row in served] == expected[name]
    times = [datetime.strptime(row["date"], "%Y%m%d") for row in served]  # noqa: DTZ007 -- local
    for day, row, stamp in zip(times, served, expected["timestamp"], strict=True):
        local = stamp.replace(tzinfo=None)
        assert day + timedelta(milliseconds=int(row["ms_of_day"])) == local


def test_every_expiration_can_be_had_one_day_at_a_time(terminal: TerminalServer) -> None:
    every = ASKED | {"expiration": "*"}
    reply = get(terminal, PATH, every)
    assert reply.status == 400
    assert reply.body == (
        b"Option history requests without a specific expiration must be one day at a time."
    )
    day = every | {"start_date": "2024-03-14", "end_date": "2024-03-14", "right": "call"}
    rows = get(terminal, PATH, day).rows
    found = {row["expiration"] for row in rows}
    assert {"2024-03-14", "2024-03-15", "2024-04-19", "2024-06-21"} <= found
    near = get(terminal, PATH, day | {"max_dte": "4"}).rows
    assert {row["expiration"] for row in near} == {"2024-03-14", "2024-03-15", "2024-03-18"}
    today = get(terminal, PATH, day | {"max_dte": "0"}).rows
    assert {row["expiration"] for row in today} == {"2024-03-14"}
    one = [row for row in rows if row["expiration"] == "2024-03-18"]
    assert get(terminal, PATH, day | {"expiration": "2024-03-18"}).rows == one


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"end_date": ""}, 400),
        ({"end_date": "2024-04-12"}, 200),
        ({"end_date": "2024-04-13"}, 570),
        ({"end_date": "2024-03-11"}, 400),
        ({"right": "*"}, 400),
        ({"interval": "3600000"}, 200),  # not known here, hence ignored
        ({"start_date": "2024-03-23", "end_date": "2024-03-29"}, 472),
    ],
)
def test_requests_are_checked(
    terminal: TerminalServer, changes: dict[str, str], status: int
) -> None:
    assert get(terminal, PATH, ASKED | {"strike": "5150"} | changes).status == status


def test_a_query_for_rows_from_the_middle_gets_them(rows: pa.Table) -> None:
    query = Query("SPXW", EXPIRATION, FIRST, LAST, EOD)
    assert MARKET.size(query) == rows.num_rows
    assert MARKET.size(replace(query, rights=("PUT",))) == rows.num_rows // 2
    for first, end in ((0, 5), (4, 20), (1000, 1001), (1799, 2300)):
        blocks = list(MARKET.blocks(query, first, end))
        assert sum(block.rows for block in blocks) == end - first
        strikes = [
            strike / 1000
            for block in blocks
            for strike, _ in block.contracts
            for _ in block.at.days
        ]
        assert strikes == rows["strike"].to_pylist()[first:end]

"""The answers that ThetaData publishes, retyped: each order parses to its exact values."""

import io
from datetime import date, datetime
from typing import Any

import pytest

from transforms.model import GreeksRequest
from transforms.orders import ORDERS, schema_of
from transforms.orders.schema import ZONE
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Dialect, Part
from transforms.thetadata.errors import NotServed
from transforms.thetadata.v2 import V2, milliseconds
from transforms.thetadata.v3 import V3

V3_KEY = "AAPL,2024-11-08,262.500,CALL,2024-11-04T09:40:00,0.00,0.02"
V3_TAIL = "0.5874,0.0455,2024-11-04T09:40:00,220.56"
FIRST = "0.0026,-0.0138,0.1873,0.0062,-0.0063,55.3974"
TRADE = (
    "AAPL,2024-11-08,262.500,CALL,2024-11-04T09:53:54.069,156249981,255,255,255,255,125,1,9,0.01"
)
TRADE_TAIL = "0.5749,0.0132,2024-11-04T09:53:54,221.33"
OF_TRADE = "0.0025,-0.0134,0.1858,0.0061,-0.0062,56.6408"
V3_ROWS = {
    "first_order": f"{V3_KEY},{FIRST},{V3_TAIL}",
    "second_order": "AAPL,2024-11-08,262.500,CALL,2024-11-04T10:30:00,0.00,0.01,0.0000,0.0000,"
    "0.0000,0.0000,0.0000,0.2500,100.0000,2024-11-04T10:30:00,221.73",
    "third_order": "AAPL,2024-11-08,262.500,CALL,2024-11-04T10:30:00,0.00,0.01,0.0000,0.0000,"
    "0.0000,0.0002,0.2500,100.0000,2024-11-04T10:30:00,221.73",
    "all": f"{V3_KEY},{FIRST},0.0005,0.0393,-1.0623,2.5389,0.0136,0.0000,0.0000,0.0000,-0.0005,"
    f"21.4427,-2.7911,-2.8526,-0.0021,0.0000,{V3_TAIL}",
    "implied_volatility": "AAPL,2024-11-08,220.000,CALL,2024-11-04T09:35:00,3.75,0.3640,3.80,"
    "0.3693,3.85,0.3747,0.0000,2024-11-04T09:35:00,220.66",
    "eod": "AAPL,2024-11-08,220.000,CALL,2024-11-04T15:59:59.828,3.90,4.85,3.35,4.15,7425,1511,9,"
    "11,4.10,50,12,5,4.25,50,0.6083,-0.3892,8.9221,1.4334,-1.4791,32.3623,0.0495,-0.2765,3.6779,"
    "1.7667,0.0149,0.0000,0.0000,0.0000,-0.0163,-15.6407,0.2750,0.2401,-0.5945,0.0000,0.3334,"
    "0.0001,2024-11-04T17:15:28.71,221.870",
    # A live row of snapshot/open_interest, in the documented order of history/open_interest.
    "open_interest": '"AAPL","2026-07-10",375.000,"CALL",2026-07-02T06:30:25.000,38',
    "ohlc": "AAPL,2023-11-03,170.000,CALL,2023-11-03T09:30:00,4.48,7.05,3.60,4.00,147,24,4.39",
    "quote": "AAPL,2024-11-08,220.000,CALL,2024-11-04T09:31:00,598,5,4.55,50,424,9,4.70,50",
    "trade_first_order": f"{TRADE},{OF_TRADE},{TRADE_TAIL}",
    "trade_second_order": f"{TRADE},0.0006,0.0398,-1.0514,2.5798,0.0137,{TRADE_TAIL}",
    # These three are not published with values that are known: the trade of the former ones.
    "trade_third_order": f"{TRADE},0.0000,0.0000,-0.0005,21.6,{TRADE_TAIL}",
    "trade_all": f"{TRADE},{OF_TRADE},0.0006,0.0398,-1.0514,2.5798,0.0137,0.0000,0.0000,0.0000,"
    f"-0.0005,21.6,-2.79,-2.85,-0.0021,0.0000,{TRADE_TAIL}",
    "trade_implied_volatility": f"{TRADE},{TRADE_TAIL}",
}

V2_HEADERS = {
    "first_order": "bid,ask,delta,theta,vega,rho,epsilon,lambda,implied_vol,iv_error",
    "second_order": "bid,ask,gamma,vanna,charm,vomma,veta,implied_vol,iv_error",
    "third_order": "bid,ask,speed,zomma,color,ultima,implied_vol,iv_error",
    "all": "bid,ask,delta,theta,vega,rho,epsilon,lambda,gamma,vanna,charm,vomma,veta,vera,speed,"
    "zomma,color,ultima,d1,d2,dual_delta,dual_gamma,implied_vol,iv_error",
}
V2_ROWS = {
    "first_order": "114.95,115.05,0.9988,-0.0393,0.0708,0.7094,-1.9697,1.5629,3.3828,0",
    "second_order": "114.95,115.05,0,-0.003,0.4629,0.1727,0.0032,3.3828,0",
    "third_order": "114.95,115.05,0,0.0001,-0.0011,0.2671,3.3828,0",
    "all": "8.7,8.75,0.8848,-0.1968,3.6244,1.6325,-1.7281,18.0818,0.0269,-0.5823,10.02,13.032,"
    "-0.0149,0,0,0,-0.0075,-54.2783,1.1996,1.1591,-0.8762,0,0.3867,0.0001",
}


def parse(body: str, request: GreeksRequest, dialect: Dialect) -> dict[str, Any]:
    part = Part(request.first_trade_date, request.last_trade_date)
    (batch,) = CsvReader(request, part, dialect).batches(io.BytesIO(body.encode()).read, 1000)
    assert batch.schema == schema_of(request.greeks)
    (row,) = batch.to_pylist()
    assert isinstance(row, dict)
    return row


def local(text: str) -> datetime:
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize("order", list(ORDERS))
def test_a_v3_sample_of_every_order(order: str) -> None:
    _, expiration, _, _, timestamp, *_ = V3_ROWS[order].replace('"', "").split(",")
    days = (date.fromisoformat(timestamp[:10]),)
    interval = ORDERS[order].interval("5m")
    request = GreeksRequest("AAPL", date.fromisoformat(expiration), days, interval, order)
    body = f"{','.join(schema_of(order).names)}\r\n{V3_ROWS[order]}\r\n"
    row = parse(body, request, V3())
    cells = V3_ROWS[order].replace('"', "").split(",")
    for name, cell in zip(schema_of(order).names, cells, strict=True):
        if name in ("timestamp", "underlying_timestamp"):
            seconds, _, fraction = cell.partition(".")
            at = local(seconds).replace(microsecond=int((fraction or "0").ljust(6, "0")))
            assert row[name] == at, name
        elif name in ("symbol", "expiration"):
            assert str(row[name]) == cell
        elif name == "right":
            assert row[name] == "C"
        else:
            assert row[name] == float(cell), name


@pytest.mark.parametrize("order", list(V2_ROWS))
def test_a_v2_sample_of_every_order(order: str) -> None:
    request = GreeksRequest("AAPL", date(2023, 9, 15), (date(2023, 9, 11),), "1m", order)
    body = (
        f"root,expiration,strike,right,ms_of_day,{V2_HEADERS[order]},ms_of_day2,underlying_price,"
        f"date\nAAPL,20230915,65000,C,34290000,{V2_ROWS[order]},34289992,179.94,20230911\n"
    )
    row = parse(body, request, V2())
    assert (row["symbol"], row["expiration"]) == ("AAPL", date(2023, 9, 15))
    assert (row["strike"], row["right"], row["underlying_price"]) == (65.0, "C", 179.94)
    assert row["timestamp"] == local("2023-09-11T09:31:30")
    assert row["underlying_timestamp"] == local("2023-09-11T09:31:29.992000")
    names = V2_HEADERS[order].split(",")
    for name, cell in zip(names, V2_ROWS[order].split(","), strict=True):
        assert row[name] == float(cell), name


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ("34290000|86400000", "86400000 where milliseconds of a day"),
        ("20230911|20230931", "day is out of range"),
        (",C,|,X,", "X where C or P"),
        ("20230915|20230916", "2023-09-16 where 2023-09-15"),
    ],
)
def test_a_v2_row_with_an_impossible_value_is_an_error(bad: str, expected: str) -> None:
    from transforms.thetadata import MalformedResponse

    request = GreeksRequest("AAPL", date(2023, 9, 15), (date(2023, 9, 11),), "1m")
    body = (
        f"root,expiration,strike,right,ms_of_day,{V2_HEADERS['first_order']},ms_of_day2,"
        f"underlying_price,date\nAAPL,20230915,65000,C,34290000,{V2_ROWS['first_order']},34289992,"
        "179.94,20230911\n"
    )
    old, _, new = bad.partition("|")
    with pytest.raises(MalformedResponse, match=f"line 2 .*{expected}"):
        parse(body.replace(old, new), request, V2())


def test_intervals_are_milliseconds_in_v2() -> None:
    found = [milliseconds(interval) for interval in ("tick", "10ms", "1s", "30s", "5m", "1h")]
    assert found == [0, 10, 1000, 30_000, 300_000, 3_600_000]


def v2_query(order: str, *parameters: tuple[str, str]) -> dict[str, str]:
    interval = "eod" if order == "eod" else "5m"
    days = (date(2023, 9, 11),)
    request = GreeksRequest("AAPL", date(2023, 9, 15), days, interval, order, parameters)
    return V2().history(request, Part(days[0], days[0]))[1]


def test_parameters_have_their_v2_names_and_values() -> None:
    query = v2_query(
        "first_order",
        ("annual_dividend", "1.5"),
        ("end_time", "10:00:00"),
        ("rate_type", "treasury_m1"),
        ("start_time", "09:30:00.500"),
    )
    assert (query["annual_div"], query["rate"]) == ("1.5", "TREASURY_M1")
    assert (query["start_time"], query["end_time"]) == ("34200500", "36000000")
    assert "ivl" not in v2_query("eod")


@pytest.mark.parametrize(
    ("order", "parameter"),
    [("first_order", "version"), ("first_order", "strike_range"), ("all", "start_time")],
)
def test_what_v2_does_not_have_is_told(order: str, parameter: str) -> None:
    with pytest.raises(NotServed, match=f"does not have the parameter '{parameter}'"):
        v2_query(order, (parameter, "09:30:00"))
    with pytest.raises(NotServed, match="no bulk implied_volatility"):
        v2_query("implied_volatility")

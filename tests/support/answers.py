"""Rows in the Terminal's words, retyped from ThetaData's documentation, and more of their kind."""

from datetime import date

from transforms.market.clock import clock_ms
from transforms.model import GreeksRequest

HEADER = (
    "symbol,expiration,strike,right,timestamp,bid,ask,delta,theta,vega,rho,epsilon,lambda,"
    "implied_vol,iv_error,underlying_timestamp,underlying_price"
)

# The documented answer of /v3/option/history/greeks/first_order.
SAMPLE_ROWS = (
    "AAPL,2024-11-08,262.500,CALL,2024-11-04T09:30:00,0.00,0.00,0.0000,0.0000,0.0000,0.0000,"
    "0.0000,261.9304,0.2500,100.0000,2024-11-04T09:30:00,221.00",
    "AAPL,2024-11-08,262.500,CALL,2024-11-04T09:35:00,0.00,0.02,0.0026,-0.0141,0.1913,0.0063,"
    "-0.0064,55.2930,0.5874,0.0721,2024-11-04T09:35:00,220.66",
    "AAPL,2024-11-08,262.500,CALL,2024-11-04T09:40:00,0.00,0.02,0.0026,-0.0138,0.1873,0.0062,"
    "-0.0063,55.3974,0.5874,0.0455,2024-11-04T09:40:00,220.56",
)
SAMPLE = "\r\n".join([HEADER, *SAMPLE_ROWS, ""]).encode()
SAMPLE_REQUEST = GreeksRequest("AAPL", date(2024, 11, 8), (date(2024, 11, 4),))


def rows_of(request: GreeksRequest, day: date, rows: int, step: float = 0.0001) -> bytes:
    """Returns an answer with `rows` rows, no two alike, for one trade date of a request."""
    lines = [HEADER]
    for number in range(rows):
        minute = number % 390
        stamp = f"{day}T{9 + (30 + minute) // 60:02d}:{(30 + minute) % 60:02d}:00"
        greek = f"{number * step:.4f}"
        lines.append(
            f"{request.symbol},{request.expiration},{5000 + 5 * (number // 390)}.000,"
            f"{'PUT' if number % 2 else 'CALL'},{stamp},{number % 97}.10,{number % 97}.30,"
            f"{greek},-{greek},1.0000,0.0000,-0.0000,12.3456,0.2500,0.0010,{stamp}.5,5123.45"
        )
    return "\r\n".join([*lines, ""]).encode()


def as_v2(body: bytes) -> bytes:
    """Returns a first-order answer of a v3 Terminal as a v2 one gives it."""
    header, *lines = body.decode().removesuffix("\r\n").split("\r\n")
    greeks = ",".join(header.split(",")[5:-2])
    rows = [f"root,expiration,strike,right,ms_of_day,{greeks},ms_of_day2,underlying_price,date"]
    for line in lines:
        symbol, expiration, strike, right, time, *numbers, priced, price = line.split(",")
        day, clock = time.split("T")
        clocks = [clock_ms(each) for each in (clock, priced.split("T")[1])]
        rows.append(
            f"{symbol},{expiration.replace('-', '')},{round(float(strike) * 1000)},{right[0]},"
            f"{clocks[0]},{','.join(numbers)},{clocks[1]},{price},{day.replace('-', '')}"
        )
    return "\n".join([*rows, ""]).encode()


PIECES = (
    *(b"", b",", b'"', b'""', b"\n", b"\r", b"\r\n", b"\x00", b"-", b".", b"0", b"9", b"e5"),
    *(b"nan", b"inf", b" ", b"\xff", b"PUT", b"CAL", b"AAPLE", b"2024-11-05", b"2024-02-30"),
    *(b"24:00:00", b":60", b"+1", b"1.", b".5", b"9" * 20, b"0.1234567890123456789", b".1234"),
    *(b"2024-11-03T01:30:00", b"\x00" * 10, b"e", b"E5", b"NaN", b",NaN,", b",Infinity,"),
    *(b",-Infinity,", b",null,", b"CALL", b"AAPL", b"2024-11-04T09:30:00", b"bid", b"\xe2\x82\xac"),
    *(b"<html>", b"{", b"\n\n", b",,", b"1e400", b"-0.0", b"T25:00:00"),
)
"""What a damaged answer may have in it."""

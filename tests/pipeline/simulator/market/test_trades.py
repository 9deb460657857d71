"""The simulated trades: one by one, as bars and at the end of the day they are the same."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.simulator.market.greeks import Query
from pipeline.simulator.server import TerminalServer
from tests.pipeline.simulator.reading import get
from tests.support.oracle import Market
from transforms.arrays import Ints

MARKET = Market()
DAY, HALF_DAY = date(2024, 3, 14), date(2024, 7, 3)
Row = dict[str, Any]


def by_contract(table: pa.Table) -> dict[tuple[float, str], list[Row]]:
    found: dict[tuple[float, str], list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault((row["strike"], row["right"]), []).append(row)
    return found


def summed(rows: list[Row]) -> tuple[Any, ...]:
    prices = [row["price"] for row in rows]
    size = sum(row["size"] for row in rows)
    return prices[0], max(prices), min(prices), prices[-1], size, len(rows), rows[-1]["timestamp"]


@pytest.mark.parametrize(
    ("expiration", "day"), [(date(2024, 3, 15), DAY), (DAY, DAY), (date(2024, 7, 5), HALF_DAY)]
)
def test_the_end_of_the_day_sums_the_trades_up(expiration: date, day: date) -> None:
    trades = by_contract(MARKET.rows("SPXW", expiration, day, greeks="trade_implied_volatility"))
    names = ("open", "high", "low", "close", "volume", "count", "timestamp")
    ends = {
        (row["strike"], row["right"]): tuple(row[name] for name in names)
        for row in MARKET.rows("SPXW", expiration, day, greeks="eod").to_pylist()
        if row["count"]
    }
    assert {contract: summed(rows) for contract, rows in trades.items()} == ends
    for rows in trades.values():
        times = [(row["timestamp"], row["sequence"]) for row in rows]
        assert times == sorted(set(times))


@pytest.mark.parametrize("interval", ["100ms", "1m", "1h"])
def test_bars_sum_the_trades_up(interval: str) -> None:
    expiration, width = date(2024, 3, 15), {"100ms": 100, "1m": 60_000, "1h": 3_600_000}[interval]
    trades = by_contract(MARKET.rows("SPXW", expiration, DAY, greeks="trade_first_order"))
    strike = 5150.0
    for right, word in (("C", "CALL"), ("P", "PUT")):
        query = Query(
            "SPXW", expiration, DAY, DAY, "ohlc", width, rights=(word,), strike=int(strike * 1000)
        )
        blocks = list(MARKET.blocks(query))
        numbers: dict[str, Ints] = {
            name: np.concatenate([block.numbers[name].ravel() for block in blocks])
            for name in blocks[0].numbers
        }
        begins = np.concatenate([block.at.milliseconds for block in blocks])
        bars: dict[int, list[Row]] = {}
        for row in trades[strike, right]:
            stamp = row["timestamp"]
            of_day = ((stamp.hour * 60 + stamp.minute) * 60 + stamp.second) * 1000
            of_day += stamp.microsecond // 1000
            bars.setdefault((of_day - 34_200_000) // width, []).append(row)
        paid = volume = 0.0
        for n in range(len(begins)):
            found = tuple(int(numbers[name][n]) for name in ("open", "high", "low", "close"))
            if n not in bars:
                assert not any(values[n] for values in numbers.values())
                continue
            first, high, low, last, size, count, _ = summed(bars[n])
            assert found == tuple(round(price * 100) for price in (first, high, low, last))
            assert (numbers["volume"][n], numbers["count"][n]) == (size, count)
            paid += sum(row["price"] * row["size"] for row in bars[n])
            volume += size
            assert abs(numbers["vwap"][n] - paid / volume * 100) < 0.51
        assert volume == sum(row["size"] for row in trades[strike, right])


def test_an_answer_in_pages_has_every_trade_once() -> None:
    query = Query("SPXW", DAY, DAY, DAY, "trade_second_order_v2")
    rows = MARKET.size(query)
    whole = [n for block in MARKET.blocks(query) for n in block.numbers["sequence"].ravel()]
    pages = [
        n
        for first in range(0, rows, 997)
        for block in MARKET.blocks(query, first, first + 997)
        for n in block.numbers["sequence"].ravel()
    ]
    assert len(whole) == rows
    assert pages == whole


def test_the_times_of_day_bound_the_trades() -> None:
    query = Query("SPXW", DAY, DAY, DAY, "trade_all", start=12 * 3_600_000, end=13 * 3_600_000)
    times = np.concatenate([block.at.milliseconds for block in MARKET.blocks(query)])
    assert 0 < len(times) < MARKET.size(Query("SPXW", DAY, DAY, DAY, "trade_all"))
    assert times.min() >= query.start
    assert times.max() <= query.end


@pytest.mark.parametrize("order", ["quote", "trade_greeks/first_order"])
def test_quotes_and_trades_of_every_expiration_can_be_had_one_day_at_a_time(order: str) -> None:
    path, asked = f"/v3/option/history/{order}", {"symbol": "SPXW", "date": "2024-03-14"}
    asked |= {"interval": "1h", "right": "call", "strike": "5150"}
    with TerminalServer(MARKET) as terminal:
        near = get(terminal, path, asked | {"expiration": "*", "max_dte": "4"}).rows
        assert {row["expiration"] for row in near} == {"2024-03-14", "2024-03-15", "2024-03-18"}
        one = get(terminal, path, asked | {"expiration": "2024-03-15"}).rows
        assert [row for row in near if row["expiration"] == "2024-03-15"] == one
        bars = "/v3/option/history/ohlc"
        assert get(terminal, bars, asked | {"expiration": "*"}).status == 400

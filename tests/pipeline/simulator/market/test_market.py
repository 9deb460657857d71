"""The simulated market: its listings, its grid, its rows, and that it is always the same one."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.simulator.market import listing
from pipeline.simulator.market.greeks import COLUMNS, EOD_V2, INTERVALS, Query
from pipeline.simulator.market.underlying import Underlying, sofr
from tests.support.oracle import Market, table
from transforms.market.clock import EPOCH
from transforms.orders import ORDERS, schema_of
from transforms.pricing.black_scholes import greeks, years_to_expiration
from transforms.pricing.conventions import midpoint
from transforms.pricing.implied_volatility import implied_volatility

ROOT = Path(__file__).parents[4]
TRADE_DATE = date(2024, 3, 14)
TOMORROW = date(2024, 3, 15)
MARKET = Market(symbols=("SPXW", "SPX", "AAPL"))


def near(symbol: str, days: int) -> list[date]:
    last = TRADE_DATE + timedelta(days=days)
    return [day for day in MARKET.expirations(symbol) if TRADE_DATE <= day <= last]


def test_of_one_quote_first_order_prints_its_middles_error_and_implied_volatility_the_mean() -> (
    None
):
    """As in a frame of v3: .0015 where the bid's error is .0046 and first_order prints 0.0."""
    first, each = (
        MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1h", order)
        for order in ("first_order", "implied_volatility")
    )
    keys = ["strike", "right", "timestamp", "bid", "ask"]
    assert first.select(keys) == each.select(keys)
    middle, mean = (table["iv_error"].to_numpy() for table in (first, each))
    # Below what a call is worth at once, the bid has no volatility, and so an error.
    unsolved = each["bid_implied_vol"].to_numpy() == 0
    (places,) = np.nonzero(unsolved & (middle == 0) & (mean > 0) & (mean < 0.01))
    assert len(places) > 10
    assert each["ask_implied_vol"].to_numpy()[places].all()


def test_spxw_expires_every_trading_day_since_may_2022() -> None:
    assert [day.day for day in near("SPXW", 18)] == [14, 15, 18, 19, 20, 21, 22, 25, 26, 27, 28, 1]


def test_spxw_expired_on_mondays_wednesdays_and_fridays_before() -> None:
    found = [day for day in MARKET.expirations("SPXW") if day < date(2022, 5, 16)]
    # A Tuesday follows a Monday without trading, a Thursday stands for Good Friday.
    weekdays = Counter(day.strftime("%a") for day in found)
    assert weekdays.pop("Tue") + weekdays.pop("Thu") < 70
    assert set(weekdays) == {"Mon", "Wed", "Fri"}
    assert date(2021, 4, 1) in found
    assert date(2021, 5, 31) not in found
    assert date(2021, 6, 1) in found


def test_spx_expires_monthly_on_the_third_friday_and_once_on_saturdays() -> None:
    found = [day for day in MARKET.expirations("SPX") if day.year in (2012, 2024)]
    assert found[:2] == [date(2012, 6, 16), date(2012, 7, 21)]
    assert date(2024, 3, 15) in found
    assert len([day for day in found if day.year == 2024]) == 12


def test_stocks_have_weeklies_as_the_documentation_lists_them_for_aapl() -> None:
    expected = [date(2012, 6, day) for day in (1, 8, 16, 22, 29)]
    assert list(MARKET.expirations("AAPL")[:5]) == expected


def test_an_expiration_on_a_day_of_mourning_stays_listed_and_has_no_rows_that_day() -> None:
    day = date(2025, 1, 9)
    assert day in MARKET.expirations("SPXW")
    assert MARKET.rows("SPXW", day, day).num_rows == 0
    assert MARKET.rows("SPXW", day, date(2025, 1, 8)).num_rows > 0


def test_expirations_end_about_a_year_after_the_last_date() -> None:
    market = Market(last_date=date(2024, 3, 14))
    listed = market.expirations("SPXW")
    assert date(2024, 4, 25) in listed
    assert date(2025, 2, 21) in listed
    assert date(2025, 2, 20) not in listed
    assert listed[-1] < date(2025, 3, 31)


def test_strikes_are_unordered_and_the_same_each_time() -> None:
    found = MARKET.strikes("SPXW", TOMORROW)
    assert found != sorted(found)
    assert found == Market().strikes("SPXW", TOMORROW)
    assert len(set(found)) == len(found) > 150


def test_every_strike_that_is_served_is_listed() -> None:
    rows = MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1h")
    served = {round(strike * 1000) for strike in rows["strike"].to_pylist()}
    assert served <= set(MARKET.strikes("SPXW", TOMORROW))


def test_near_expirations_have_several_times_the_rows_of_distant_ones() -> None:
    sizes = [MARKET.rows("SPXW", day, TRADE_DATE, "1h").num_rows for day in near("SPXW", 30)]
    assert sizes[0] > 3 * sizes[-1]


def test_a_days_five_minute_download_has_some_hundred_thousand_rows() -> None:
    expirations = near("SPXW", 30)
    contracts = sum(MARKET.rows("SPXW", day, TRADE_DATE, "1h").num_rows for day in expirations) / 7
    assert 20 <= len(expirations) <= 30
    assert 150_000 <= contracts * 79 <= 500_000


@pytest.mark.parametrize(("interval", "rows"), [("1m", 391), ("5m", 79), ("1h", 7), ("30m", 14)])
def test_a_contract_has_a_row_for_each_step_from_09_30_to_16_00(interval: str, rows: int) -> None:
    served = MARKET.rows("SPXW", near("SPXW", 40)[-1], TRADE_DATE, interval)
    counts = served.group_by(["strike", "right"]).aggregate([("timestamp", "count")])
    assert set(counts["timestamp_count"].to_pylist()) == {rows}
    first = served["timestamp"].slice(0, rows).to_pylist()
    assert first[0].strftime("%H:%M:%S %Z") == "09:30:00 EDT"
    assert first == sorted(first)


def test_rows_go_contract_by_contract_the_call_before_the_put() -> None:
    served = MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1h")
    contracts = list(zip(served["strike"].to_pylist(), served["right"].to_pylist(), strict=True))
    assert contracts[::7] == sorted(set(contracts))


def test_all_intervals_and_orders_show_the_same_market() -> None:
    minutes = MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1m")
    hours = MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1h", "all")
    names = [*COLUMNS["first_order"], "underlying_price"]
    keys = ["strike", "right", "timestamp"]
    every_hour = minutes.filter(pc.is_in(minutes["timestamp"], hours["timestamp"]))
    assert every_hour.select(keys + names).equals(hours.select(keys + names))


def test_expirations_share_one_underlying() -> None:
    spots = [
        MARKET.rows(symbol, day, TRADE_DATE, "1h")["underlying_price"].slice(0, 7)
        for symbol, day in [
            ("SPXW", TOMORROW),
            ("SPXW", near("SPXW", 30)[-1]),
            ("SPX", near("SPX", 60)[-1]),
        ]
    ]
    assert spots[0] == spots[1] == spots[2]


def test_the_underlying_is_near_the_real_index_and_moves_like_one() -> None:
    path = Underlying("SPX", 0).cents(TRADE_DATE) / 100
    assert len(path) == 23_401
    assert 5000 < path.min() < path.max() < 5350
    daily = np.diff(np.log(path)).std() * np.sqrt(len(path))
    assert 0.004 < daily < 0.02


def test_the_opening_row_has_no_quote_and_iv_error_100() -> None:
    served = MARKET.rows("SPXW", TOMORROW, TRADE_DATE)
    opening = served.take(np.arange(0, served.num_rows, 79))
    assert set(opening["bid"].to_pylist()) == set(opening["ask"].to_pylist()) == {0.0}
    # So far out that the model's value is 0, nothing is not far from nothing.
    assert set(opening["iv_error"].to_pylist()) == {0.0, 100.0}
    far = opening.filter(pc.equal(opening["iv_error"], 0))
    assert set(far["delta"].to_pylist()) == set(far["lambda"].to_pylist()) == {0.0}
    assert far.num_rows < opening.num_rows / 10
    # In the money 0, out of the money where the bisection stopped.
    assert {0.0, 0.5, 0.25, 0.125} <= set(opening["implied_vol"].to_pylist())


def test_quotes_are_on_ticks_and_never_crossed() -> None:
    served = MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "15m")
    for side in ("bid", "ask"):
        cents = np.rint(served[side].to_numpy() * 100).astype(int)
        assert not (cents[cents < 300] % 5).any()
        assert not (cents[cents >= 300] % 10).any()
    quoted = served.filter(pc.greater(served["ask"], 0))
    assert pc.all(pc.less(quoted["bid"], quoted["ask"])).as_py()
    assert pc.any(pc.equal(quoted["bid"], 0)).as_py()


def test_a_stock_is_quoted_in_cents_so_that_a_midpoint_can_be_nothing() -> None:
    served = MARKET.rows("AAPL", date(2024, 3, 15), TRADE_DATE)
    nothing = served.filter(pc.and_(pc.equal(served["bid"], 0), pc.equal(served["ask"], 0.01)))
    assert nothing.num_rows > 0
    assert set(nothing["iv_error"].to_pylist()) == {0.0, 100.0}


def test_some_deep_in_the_money_rows_have_no_volatility_and_a_real_quote() -> None:
    served = MARKET.rows("SPXW", TOMORROW, TRADE_DATE)
    unsolved = served.filter(
        pc.and_(pc.equal(served["implied_vol"], 0), served["bid"].cast("bool"))
    )
    assert 0.05 < unsolved.num_rows / served.num_rows < 0.4
    assert set(unsolved["delta"].to_pylist()) <= {1.0, -1.0}
    assert set(unsolved["lambda"].to_pylist()) == {0.0}


def test_the_greeks_follow_from_the_served_quotes_by_thetadatas_conventions() -> None:
    for expiration in (TRADE_DATE, TOMORROW, near("SPXW", 30)[-1]):
        served = MARKET.rows("SPXW", expiration, TRADE_DATE, "30m", "all")
        columns = {
            name: served[name].to_numpy() for name in served.schema.names if name != "timestamp"
        }
        stamps = served["timestamp"].to_pylist()
        seconds = [stamp.hour * 3600 + stamp.minute * 60 for stamp in stamps]
        day = TRADE_DATE.toordinal() - EPOCH
        years = years_to_expiration(np.full(len(seconds), day), seconds, expiration)
        inputs = (columns["underlying_price"], columns["strike"], years, sofr(TRADE_DATE))
        is_call = columns["right"] == "C"
        middle = midpoint(columns["bid"], columns["ask"])
        found = implied_volatility(middle, *inputs, is_call)
        expected = greeks(*inputs, found.volatility, is_call)
        expected["implied_vol"], expected["iv_error"] = found
        for name, values in expected.items():
            off = np.abs(columns[name] - values)
            assert (off <= 1e-4 + np.abs(values) * 1e-6).all(), name


# As rows of live Terminals imply; the rate published before 2024-09-19 is that of the 17th.
@pytest.mark.parametrize(
    ("day", "least", "most"),
    [(date(2024, 9, 17), 0.0538, 0.0541), (date(2024, 9, 19), 0.0480, 0.04825)],
)
def test_the_rate_is_that_of_the_trade_date_itself(day: date, least: float, most: float) -> None:
    assert least <= sofr(day) <= most


def test_numbers_are_float32_cut_to_four_decimals() -> None:
    volatilities = MARKET.rows("SPXW", TOMORROW, TRADE_DATE)["implied_vol"].to_numpy()
    assert (volatilities == np.rint(volatilities * 1e4) / 1e4).all()
    # 0.575 is 0.57499998807… as a float32.
    assert 0.5749 in volatilities


@pytest.mark.parametrize("order", [*ORDERS, EOD_V2])
def test_every_order_has_its_columns_and_no_gaps(order: str) -> None:
    served = MARKET.rows("SPXW", TRADE_DATE, TRADE_DATE, "15m", order)
    assert served.num_rows > 0
    for name in COLUMNS[order]:
        assert np.isfinite(served[name].to_numpy()).all()


def test_first_order_rows_have_the_schema_of_the_files() -> None:
    assert MARKET.rows("SPXW", TOMORROW, TRADE_DATE, "1h").schema.equals(schema_of("first_order"))


@pytest.mark.parametrize(
    ("symbol", "expiration", "day"),
    [
        ("SPXW", TOMORROW, date(2024, 3, 10)),  # a Sunday
        ("SPXW", date(2024, 4, 1), date(2024, 3, 29)),  # Good Friday
        ("SPXW", TRADE_DATE, TOMORROW),  # expired
        ("SPX", date(2024, 3, 15), date(2024, 3, 15)),  # settled at the open
        ("SPXW", date(2024, 3, 16), TRADE_DATE),  # no expiration
        ("SPXW", TOMORROW, date(2023, 1, 3)),  # not yet listed
        ("NDX", TOMORROW, TRADE_DATE),  # no such symbol
    ],
)
def test_there_are_no_rows(symbol: str, expiration: date, day: date) -> None:
    assert MARKET.rows(symbol, expiration, day).num_rows == 0


def test_there_are_no_rows_after_the_last_date() -> None:
    market = Market(last_date=TRADE_DATE)
    assert market.rows("SPXW", date(2024, 3, 18), TRADE_DATE, "1h").num_rows > 0
    assert market.rows("SPXW", date(2024, 3, 18), TOMORROW, "1h").num_rows == 0


def test_spx_has_rows_on_the_day_before_its_expiration() -> None:
    assert MARKET.rows("SPX", TOMORROW, TRADE_DATE, "1h").num_rows > 0


def test_after_an_early_close_the_grid_runs_on_with_the_last_quote() -> None:
    served = MARKET.rows("SPXW", date(2024, 12, 27), date(2024, 12, 24))
    contract = served.slice(served.num_rows // 2 // 79 * 79, 79)
    assert contract["timestamp"][-1].as_py().hour == 16
    after = contract.slice(42)
    assert after["underlying_timestamp"][0].as_py().hour == 13
    for name in ("bid", "ask", "underlying_price", "underlying_timestamp"):
        assert len(set(after[name].to_pylist())) == 1


def test_several_days_are_served_contract_by_contract() -> None:
    query = Query(
        "SPXW", date(2024, 3, 22), date(2024, 3, 12), TRADE_DATE, interval=INTERVALS["1h"]
    )
    served = table(MARKET.blocks(query), "first_order")
    keys = list(
        zip(*(served[name].to_pylist() for name in ("strike", "right", "timestamp")), strict=True)
    )
    assert keys == sorted(keys)
    for day in (date(2024, 3, 12), date(2024, 3, 13), TRADE_DATE):
        one = MARKET.rows("SPXW", date(2024, 3, 22), day, "1h")
        there = served.filter(
            pc.equal(pc.cast(pc.local_timestamp(served["timestamp"]), pa.date32()), day)
        )
        assert there.equals(one)


def test_strikes_that_were_listed_later_have_no_earlier_rows() -> None:
    expiration = date(2024, 3, 22)
    found = [
        set(MARKET.rows("SPXW", expiration, day, "1h")["strike"].to_pylist())
        for day in (date(2024, 3, 4), TRADE_DATE, date(2024, 3, 21))
    ]
    assert found[0] < found[1] < found[2]


def test_a_query_narrows_rights_strikes_and_times() -> None:
    whole = Query("SPXW", TOMORROW, TRADE_DATE, TRADE_DATE)
    served = table(
        MARKET.blocks(
            replace(whole, rights=("PUT",), strike_range=2, start=36_000_000, end=36_600_000)
        ),
        "first_order",
    )
    assert set(served["right"].to_pylist()) == {"P"}
    assert len(set(served["strike"].to_pylist())) == 5
    assert served.num_rows == 5 * 3
    one = table(MARKET.blocks(replace(whole, strike=5_150_000)), "first_order")
    assert one.num_rows == 2 * 79


def test_another_seed_is_another_market() -> None:
    one, other = (Market(seed).rows("SPXW", TOMORROW, TRADE_DATE, "1h") for seed in (0, 1))
    assert not one.equals(other)


DIGEST = """
import hashlib
from datetime import date
from pipeline.simulator.formats import DOCUMENTED
from pipeline.simulator.rows import greeks
from pipeline.simulator.market.greeks import Query
from pipeline.simulator.market.market import Market
day = date(2024, 3, 14)
digest = hashlib.sha256()
for text, rows in greeks(
    Market(7).blocks(Query("SPXW", date(2024, 3, 18), day, day, "all")), "all", "csv", DOCUMENTED
):
    digest.update(text)
print(digest.hexdigest(), Market(7).strikes("SPXW", day)[:3])
"""


def test_another_process_has_the_same_market_whatever_its_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(outputs) == 1


def test_an_expiration_that_is_not_listed_has_no_strikes() -> None:
    root = listing.root_of("SPXW")
    assert (
        listing.strikes(
            listing.Expiration(root, Underlying("SPX", 0), date(2012, 1, 4)), TRADE_DATE
        )
        == ()
    )
    assert MARKET.strikes("NDX", TOMORROW) == []

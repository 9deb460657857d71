"""Black-Scholes against QuantLib, against finite differences, and against published rows.

The rows are from the examples in ThetaData's documentation, v2 and v3, all made before late 2025.
Until then ThetaData served other values for vera, veta, speed, zomma, color and dual_gamma, and
cut ultima at ±100, so these columns are compared with QuantLib or finite differences only.
"""

from datetime import date
from typing import Any

import numpy as np
import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.market import clock_ms
from transforms.market.clock import EPOCH
from transforms.orders.schema import ALL_GREEKS, FIRST_ORDER
from transforms.pricing.black_scholes import greeks, price, years_to_expiration
from transforms.pricing.conventions import midpoint
from transforms.pricing.implied_volatility import implied_volatility, mean_error

# The rate is the one that fits all rows of that day; time is whole days over 365.
V2: dict[str, Any] = {"years": 4 / 365, "rate": 0.0530}  # 2023-09-11, AAPL expiring 2023-09-15
V3: dict[str, Any] = {"years": 4 / 365, "rate": 0.0482}  # 2024-11-04, AAPL expiring 2024-11-08

CASES = [
    # spot, strike, years, rate, volatility, dividend yield
    (5150.0, 5150.0, 1 / 8760, 0.0531, 0.11, 0.0),
    (5150.0, 4800.0, 1 / 365, 0.0531, 0.27, 0.0),
    (5150.0, 5400.0, 30 / 365, 0.0531, 0.12, 0.014),
    (221.0, 262.5, 4 / 365, 0.0482, 0.5874, 0.0),
    (180.0, 120.0, 1.5, 0.01, 0.35, 0.02),
    (20.0, 25.0, 0.25, 0.0, 0.9, 0.005),
]


def ql_values(
    spot: float,
    strike: float,
    years: float,
    rate: float,
    volatility: float,
    dividend_yield: float,
    *,
    is_call: bool,
) -> dict[str, float]:
    kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
    forward = spot * np.exp((rate - dividend_yield) * years)
    deviation, discount = volatility * np.sqrt(years), np.exp(-rate * years)
    option = QuantLib.BlackCalculator(
        QuantLib.PlainVanillaPayoff(kind, strike), forward, deviation, discount
    )
    return {
        "price": option.value(),
        "delta": option.delta(spot),
        "gamma": option.gamma(spot),
        "theta": option.theta(spot, years) / 365,
        "vega": option.vega(years),
        "rho": option.rho(years),
        "epsilon": option.dividendRho(years),
        "lambda": option.elasticity(spot),
        "dual_delta": option.strikeSensitivity(),
        "dual_gamma": option.strikeGamma(),
    }


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_values_equal_those_of_quantlib(case: tuple[float, ...], is_call: bool) -> None:
    spot, strike, years, rate, volatility, dividend_yield = case
    expected = ql_values(*case, is_call=is_call)
    ours = greeks(spot, strike, years, rate, volatility, is_call, dividend_yield)
    ours["price"] = price(spot, strike, years, rate, volatility, is_call, dividend_yield)
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-7, abs=1e-12), name


# Greek: (what is differentiated, by which argument, the sign of that argument's step)
DERIVATIVES = {
    "delta": ("price", "spot", 1),
    "vega": ("price", "volatility", 1),
    "rho": ("price", "rate", 1),
    "epsilon": ("price", "dividend_yield", 1),
    "dual_delta": ("price", "strike", 1),
    "gamma": ("delta", "spot", 1),
    "vanna": ("delta", "volatility", 1),
    "charm": ("delta", "years", -1),
    "vomma": ("vega", "volatility", 1),
    "veta": ("vega", "years", 1),
    "vera": ("rho", "volatility", 1),
    "speed": ("gamma", "spot", 1),
    "zomma": ("gamma", "volatility", 1),
    "color": ("gamma", "years", 1),
    "ultima": ("vomma", "volatility", 1),
    "dual_gamma": ("dual_delta", "strike", 1),
}

inputs = st.fixed_dictionaries(
    {
        "spot": st.floats(50, 150),
        "strike": st.floats(60, 140),
        "years": st.floats(0.05, 2),
        "rate": st.floats(0, 0.1),
        "volatility": st.floats(0.1, 0.9),
        "dividend_yield": st.floats(0, 0.05),
        "is_call": st.booleans(),
    }
)


@settings(max_examples=60)
@given(inputs)
def test_each_greek_is_the_derivative_that_its_name_says(arguments: dict[str, Any]) -> None:
    ours = greeks(**arguments)
    for name, (function, argument, sign) in DERIVATIVES.items():
        step = max(abs(arguments[argument]), 0.05) * 1e-5

        def at(value: float, function: str = function, argument: str = argument) -> float:
            moved = arguments | {argument: value}
            return float(price(**moved) if function == "price" else greeks(**moved)[function])

        middle = arguments[argument]
        slope = sign * (at(middle + step) - at(middle - step)) / (2 * step)
        scale = max(1.0, abs(at(middle)) / step * 1e-10)
        assert float(ours[name]) == pytest.approx(slope, rel=2e-5, abs=1e-6 * scale), name


@settings(max_examples=60)
@given(inputs)
def test_theta_is_the_loss_of_a_calendar_day(arguments: dict[str, Any]) -> None:
    step = 1e-6
    later = price(**arguments | {"years": arguments["years"] - step})
    sooner = price(**arguments | {"years": arguments["years"] + step})
    expected = float(later - sooner) / (2 * step) / 365
    assert float(greeks(**arguments)["theta"]) == pytest.approx(expected, rel=1e-5, abs=1e-7)


@given(inputs)
def test_put_call_parity_holds(arguments: dict[str, Any]) -> None:
    call = price(**arguments | {"is_call": True})
    put = price(**arguments | {"is_call": False})
    grown = arguments["spot"] * np.exp(-arguments["dividend_yield"] * arguments["years"])
    discounted = arguments["strike"] * np.exp(-arguments["rate"] * arguments["years"])
    assert call - put == pytest.approx(grown - discounted, abs=1e-9)


@given(inputs)
def test_a_call_and_a_put_share_gamma_vega_and_what_follows_from_them(
    arguments: dict[str, Any],
) -> None:
    shared = ("gamma", "vega", "vomma", "veta", "speed", "zomma", "color", "ultima", "dual_gamma")
    call = greeks(**arguments | {"is_call": True})
    put = greeks(**arguments | {"is_call": False})
    assert {name: call[name] for name in shared} == {name: put[name] for name in shared}


@given(inputs)
def test_the_solver_stops_less_than_a_tenth_of_a_cent_from_the_price(
    arguments: dict[str, Any],
) -> None:
    paid = price(**arguments)
    rest = {name: value for name, value in arguments.items() if name != "volatility"}
    found, error = implied_volatility(paid, **rest)
    if found > 0:
        off = price(**rest, volatility=found) - paid
        assert abs(off) < 0.001
        assert error == 100 or error * paid == pytest.approx(off, abs=1e-12)


@pytest.mark.parametrize(
    ("spot", "strike", "bid", "ask", "volatility"),
    [
        (179.94, 65, 114.95, 115.05, 3.3828),
        (180.06, 65, 115.05, 115.20, 3.3828),
        (179.94, 70, 109.95, 110.05, 3.1015),
        (179.94, 170, 10.30, 10.40, 0.4086),
        (180.06, 170, 10.35, 10.50, 0.3945),
        (178.21, 170, 8.70, 8.75, 0.3867),
        (178.00, 170, 8.50, 8.55, 0.3823),
    ],
)
def test_v2_rows_have_the_published_volatility(
    spot: float, strike: float, bid: float, ask: float, volatility: float
) -> None:
    found = implied_volatility(midpoint(bid, ask), spot, strike, is_call=True, **V2)
    assert truncated(found.volatility) == volatility
    assert found.error == pytest.approx(0, abs=2e-4)


@pytest.mark.parametrize(
    ("spot", "strike", "cents", "volatility", "error"),
    [
        (220.66, 262.5, 1, 0.5874, 0.0721),
        (220.56, 262.5, 1, 0.5874, 0.0455),
        (220.86, 262.5, 1, 0.5812, 0.0075),
        (221.20, 262.5, 1, 0.5749, -0.0199),
        (222.06, 262.5, 1, 0.5625, -0.0299),
        (220.66, 220.0, 380, 0.3693, 0.0),
        (220.66, 220.0, 375, 0.3640, 0.0),
        (220.66, 220.0, 385, 0.3747, 0.0),
        (220.56, 220.0, 375, 0.3698, 0.0),
        (220.86, 220.0, 385, 0.3627, 0.0),
        (221.20, 220.0, 390, 0.3474, 0.0),
    ],
)
def test_v3_rows_have_the_published_volatility_and_error(
    spot: float, strike: float, cents: int, volatility: float, error: float
) -> None:
    found = implied_volatility(cents / 100, spot, strike, is_call=True, **V3)
    assert truncated(found.volatility) == volatility
    assert found.error == pytest.approx(error, abs=3e-4)


def truncated(value: object) -> float:
    """Returns a number as ThetaData prints it: a float32 cut to 4 decimals."""
    return float(np.trunc(np.float64(np.float32(value)) * 1e4) / 1e4)  # type: ignore[arg-type]


def test_the_v2_row_of_all_greeks_is_reproduced() -> None:
    found = implied_volatility(midpoint(8.7, 8.75), 178.21, 170, is_call=True, **V2).volatility
    ours = greeks(178.21, 170, volatility=found, is_call=True, **V2)
    published = {
        "delta": 0.8848,
        "theta": -0.1968,
        "vega": 3.6244,
        "rho": 1.6325,
        "epsilon": -1.7281,
        "lambda": 18.0818,
        "gamma": 0.0269,
        "vanna": -0.5823,
        "charm": 10.02,
        "vomma": 13.032,
        "ultima": -54.2783,
        "d1": 1.1996,
        "d2": 1.1591,
        "dual_delta": -0.8762,
    }
    for name, value in published.items():
        assert float(ours[name]) == pytest.approx(value, abs=2e-4), name


def test_the_v3_row_of_all_greeks_is_reproduced() -> None:
    found = implied_volatility(midpoint(0.00, 0.02), 220.56, 262.5, is_call=True, **V3).volatility
    ours = greeks(220.56, 262.5, volatility=found, is_call=True, **V3)
    published = {
        "delta": 0.0026,
        "theta": -0.0138,
        "vega": 0.1873,
        "rho": 0.0062,
        "epsilon": -0.0063,
        "lambda": 55.3974,
        "gamma": 0.0005,
        "vanna": 0.0393,
        "charm": -1.0623,
        "vomma": 2.5389,
        "ultima": 21.4427,
        "d1": -2.7911,
        "d2": -2.8526,
        "dual_delta": -0.0021,
    }
    for name, value in published.items():
        assert float(ours[name]) == pytest.approx(value, abs=2e-4), name


def test_a_quote_of_zero_out_of_the_money_has_a_fake_volatility_and_iv_error_100() -> None:
    found = implied_volatility(0.0, 221.0, 262.5, is_call=True, **V3)
    assert (float(found.volatility), float(found.error)) == (0.25, 100.0)
    ours = greeks(221.0, 262.5, volatility=found.volatility, is_call=True, **V3)
    published = {"delta": 0.0, "lambda": 261.9304, "d1": -6.5422, "d2": -6.5683, "ultima": 0.0001}
    for name, value in published.items():
        assert float(ours[name]) == pytest.approx(value, abs=2e-4), name


def test_a_quote_of_zero_in_the_money_has_iv_0_and_iv_error_100() -> None:
    found = implied_volatility(0.0, 221.0, 220.0, is_call=True, **V3)
    assert (float(found.volatility), float(found.error)) == (0.0, 100.0)


def test_a_worthless_option_very_far_out_keeps_the_first_guess() -> None:
    found = implied_volatility(0.0, 221.0, 340.0, is_call=True, **V3)
    assert (float(found.volatility), float(found.error)) == (0.5, 100.0)


def test_a_value_of_exactly_0_has_no_error_and_no_lambda() -> None:
    # 11 deviations out of the money.
    found = implied_volatility(0.0, 221.0, 400.0, is_call=True, **V3)
    assert (float(found.volatility), float(found.error)) == (0.5, 0.0)
    ours = greeks(221.0, 400.0, volatility=found.volatility, is_call=True, **V3)
    assert float(ours["lambda"]) == float(ours["delta"]) == 0
    near = implied_volatility(0.0, 221.0, 340.0, is_call=True, **V3)
    assert greeks(221.0, 340.0, volatility=near.volatility, is_call=True, **V3)["lambda"] > 0


@pytest.mark.parametrize(
    ("errors", "printed"),
    [((0.0046, 0.0, 0.0), 0.0015), ((100.0, 0.0223, -0.0125), 33.3366)],
    ids=["v3", "v2"],
)
def test_the_error_of_three_volatilities_is_their_mean(
    errors: tuple[float, float, float], printed: float
) -> None:
    assert float(mean_error(*errors)) == pytest.approx(printed, abs=1e-4)


def test_a_price_below_discounted_intrinsic_has_no_volatility_and_delta_1() -> None:
    found = implied_volatility(midpoint(110.05, 110.15), 180.06, 70, is_call=True, **V2)
    assert found.volatility == 0
    assert found.error == pytest.approx(0.0006457 / 110.1, rel=1e-3)
    ours = greeks(180.06, 70, volatility=found.volatility, is_call=True, **V2)
    assert {name: float(ours[name]) for name in FIRST_ORDER} == {
        "delta": 1,
        "theta": 0,
        "vega": 0,
        "rho": 0,
        "epsilon": 0,
        "lambda": 0,
    }
    assert float(ours["d1"]) == float(ours["d2"]) == 0


def test_an_unsolved_put_has_delta_minus_1() -> None:
    ours = greeks(180.06, 270, volatility=0.0, is_call=False, **V2)
    assert {name: float(ours[name]) for name in ALL_GREEKS if ours[name] != 0} == {"delta": -1}


def test_a_price_that_no_volatility_reaches_is_not_solved() -> None:
    found = implied_volatility(101.0, 100.0, 100.0, 1.0, 0.0, is_call=True)
    assert found.volatility == 0


@pytest.mark.parametrize(
    ("bid", "ask", "middle"),
    [
        (8.70, 8.75, 8.72),
        (0.0, 0.01, 0.0),
        (3.75, 3.85, 3.80),
        (0.0, 0.05, 0.02),
        (1.1, 2.2, 1.65),
        (3.0, 3.05, 3.02),
    ],
)
def test_the_midpoint_is_cut_to_the_cent(bid: float, ask: float, middle: float) -> None:
    assert midpoint(bid, ask) == middle


def days_left(
    trade_date: date, expiration: date, at: str = "12:00", version: str = "latest"
) -> Any:
    day = trade_date.toordinal() - EPOCH
    return years_to_expiration(day, clock_ms(at) / 1000, expiration, version) * 365


def test_a_week_or_more_is_counted_in_whole_days() -> None:
    week = date(2024, 3, 14), date(2024, 3, 21)
    assert days_left(*week, "09:30") == days_left(*week, "16:00") == pytest.approx(7)


# Read from rows of live Terminals as rho divided by strike and dual_delta.
@pytest.mark.parametrize(
    ("trade_date", "expiration", "days"),
    [
        (date(2026, 3, 4), date(2026, 3, 13), 8),
        (date(2025, 12, 9), date(2026, 3, 20), 100),
        (date(2025, 12, 12), date(2027, 9, 17), 643),
        (date(2025, 12, 12), date(2026, 12, 18), 371),
        (date(2025, 12, 11), date(2026, 12, 18), 372),
        (date(2024, 10, 25), date(2024, 11, 15), 21),
    ],
    ids=["fortnight", "quarter", "two years", "both changes", "both, a day more", "november"],
)
@pytest.mark.parametrize("version", ["latest", "1"])
def test_a_span_across_the_clock_change_of_march_alone_loses_a_day(
    trade_date: date, expiration: date, days: int, version: str
) -> None:
    assert days_left(trade_date, expiration, version=version) == pytest.approx(days, abs=1e-9)


# Rows of MSTR, August 2026.
@pytest.mark.parametrize(
    ("trade_date", "at", "days"),
    [
        (date(2026, 8, 19), "11:41", 2.18),
        (date(2026, 8, 18), "11:27", 3.19),
        (date(2026, 8, 17), "10:58", 4.21),
    ],
)
def test_less_than_a_week_is_the_real_time_to_16_00(trade_date: date, at: str, days: float) -> None:
    assert days_left(trade_date, date(2026, 8, 21), at) == pytest.approx(days, abs=0.005)


def test_the_last_hour_lasts_an_hour() -> None:
    day = date(2024, 3, 14)
    left = [days_left(day, day, at) * 24 for at in ("14:00", "15:30", "16:00")]
    assert left == pytest.approx([2, 1, 1])


@pytest.mark.parametrize("at", ["09:30", "15:59"])
def test_version_1_takes_whole_days_and_0_15_of_the_last_one(at: str) -> None:
    last = date(2024, 10, 18)
    days = [date(2024, 10, 15), date(2024, 10, 16), date(2024, 10, 17), last]
    left = [days_left(day, last, at, "1") for day in days]
    assert left == pytest.approx([3, 2, 1, 0.15])


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version '2' is neither"):
        days_left(date(2024, 3, 14), date(2024, 3, 15), version="2")


def test_arguments_broadcast() -> None:
    strikes = np.array([[90.0], [100.0], [110.0]])
    spots = np.array([95.0, 105.0])
    paid = price(spots, strikes, 0.1, 0.05, 0.3, is_call=True)
    found = implied_volatility(paid, spots, strikes, 0.1, 0.05, is_call=True)
    ours = greeks(spots, strikes, 0.1, 0.05, found.volatility, True, names=["delta", "vera"])
    assert found.volatility.shape == ours["delta"].shape == ours["vera"].shape == (3, 2)
    assert found.volatility == pytest.approx(0.3, abs=0.01)


def test_many_options_are_solved_as_each_one_alone() -> None:
    strikes = np.linspace(60, 160, 41)
    paid = np.round(price(100.0, strikes, 0.05, 0.05, 0.35, strikes > 100), 2)
    together = implied_volatility(paid, 100.0, strikes, 0.05, 0.05, strikes > 100)
    for n, strike in enumerate(strikes):
        alone = implied_volatility(paid[n], 100.0, strike, 0.05, 0.05, strike > 100)
        assert together.volatility[n] == alone.volatility
        assert together.error[n] == alone.error

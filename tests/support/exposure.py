"""Gamma exposure and max pain of the simulated market, row by row in plain Python."""

from datetime import date, time

from tests.support.oracle import Market

MARKET = Market()


def interest_of(expiration: date, day: date) -> dict[tuple[float, str], int]:
    """Returns the open interest of each contract, by strike and right."""
    rows = MARKET.rows("SPXW", expiration, day, greeks="open_interest").to_pylist()
    return {(row["strike"], row["right"]): row["open_interest"] for row in rows}


def exposure_of(expiration: date, day: date, at: time = time(10)) -> dict[float, float]:
    """Returns the dollars of the underlying to trade when it moves by 1 %, by strike."""
    interest = interest_of(expiration, day)
    exposure: dict[float, float] = {}
    for row in MARKET.rows("SPXW", expiration, day, "30m", "second_order").to_pylist():
        solved = row["implied_vol"] > 0 and abs(row["iv_error"]) < 100
        if row["timestamp"].time() == at and solved and row["bid"] + row["ask"] >= 0.015:
            sign = 1 if row["right"] == "C" else -1
            held = interest[row["strike"], row["right"]]
            worth = sign * row["gamma"] * held * 100 * row["underlying_price"] ** 2 * 0.01
            exposure[row["strike"]] = exposure.get(row["strike"], 0.0) + worth
    return exposure


def pain_of(expiration: date, day: date) -> tuple[float, float]:
    """Returns the strike at which the open options are worth least, and what they are worth."""
    interest = interest_of(expiration, day)

    def paid(at: float) -> float:
        each = (
            held * 100 * max(at - strike if right == "C" else strike - at, 0)
            for (strike, right), held in interest.items()
        )
        return float(sum(each))

    least = min({strike for strike, _ in interest}, key=lambda at: (paid(at), at))
    return least, paid(least)

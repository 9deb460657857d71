"""An independent recomputation: implied volatility and every Greek from a row's own inputs.

The inputs are the quote, the strike, the underlying's price, the time and the expiration; the
formulas are those of `black_scholes` and `implied_volatility`, which are themselves compared with
QuantLib and with the rows that ThetaData publishes. The rate is not in a row; it is given, or it is
what the rows of a trade date imply (`vendor_rate`).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.audit.vendor_rate import ImpliedRate, Priced, vendor_rate
from transforms.market.calendar import CLOSE_MS
from transforms.market.clock import EPOCH
from transforms.pricing.black_scholes import Floats, greeks, price, years_to_expiration
from transforms.pricing.conventions import SOLVER_TOLERANCE
from transforms.pricing.implied_volatility import implied_volatility
from transforms.quality.block import Block, Flags, arrays

PRINTED = 1e-4
"""Numbers are cut to four decimals, so that two may differ by one in the last."""


@dataclass(frozen=True)
class Recomputed:
    """What a block of rows should say.

    Attributes:
        price: what the volatility is solved for, in dollars.
        years: to expiration.
        rate: of each row.
        doubt: by how much that may be off.
        dividend_yield: of each row.
        implied_vol: solved from the price; 0 where it has none.
        solved: the rows that have a volatility, here and there: only these have Greeks to compare.
        right_iv: whether the vendor's volatility is one that its solver may stop at.
        volatility: what the Greeks are computed from: ours, or the vendor's own where both are
            right but differ, for the solver stops anywhere within a tenth of a cent.
        greeks: by name, those that the rows have.
    """

    price: Floats
    years: Floats
    rate: Floats
    doubt: Floats
    dividend_yield: Floats
    implied_vol: Floats
    solved: Flags
    right_iv: Flags
    volatility: Floats
    greeks: dict[str, Floats]


def rates_of(
    block: Block, price_: Floats, years: Floats, told: float | None, dividend_yield: Floats
) -> dict[int, ImpliedRate | None]:
    """Returns the rate of each trade date, by days since 1970; None where no row implies one."""
    days = np.unique(block.day).tolist()
    if told is not None:
        return dict.fromkeys(days, ImpliedRate(told, 0.0))
    error = block["iv_error"] if "iv_error" in block.names else np.zeros(len(block))
    rows = Priced(
        price_,
        error,
        block["underlying_price"],
        block["strike"],
        years,
        block["implied_vol"],
        block.is_call,
        dividend_yield,
    )
    return {day: vendor_rate(rows.pick(np.flatnonzero(block.day == day))) for day in days}


def years_of(block: Block, version: str = "latest") -> Floats:
    """Returns the time to expiration of each row; end of day rows count from 16:00."""
    days = block.expiration.toordinal() - EPOCH - block.day
    clock = np.full(len(block), CLOSE_MS) if block.daily else block.clock
    return years_to_expiration(np.maximum(days, 0), clock / 1000, version)


def recompute_block(
    block: Block, rate: float | None = None, version: str = "latest"
) -> tuple[Recomputed, dict[int, ImpliedRate | None]]:
    """Returns what a block's rows should say, and the rate of each trade date.

    Args:
        block: rows of one expiration, with strike, right, timestamp, underlying_price,
            implied_vol and a quote.
        rate: per year, or None for what each trade date's rows imply.
        version: how time is counted, `latest` or `1`.
    """
    spot, strike, call = block["underlying_price"], block["strike"], block.is_call
    spot = np.where(spot > 0, spot, np.nan)
    paid, years = block.price, years_of(block, version)
    dividend_yield = block.annual_dividend / spot
    rates = rates_of(block, paid, years, rate, dividend_yield)
    days, places = np.unique(block.day, return_inverse=True)
    used, doubt = (
        np.array([(rates[day] or ImpliedRate(0.0, 1.0))[n] for day in days.tolist()])[places]
        for n in (0, 1)
    )
    theirs = block["implied_vol"]
    usable = np.isfinite(paid) & np.isfinite(spot) & np.isfinite(theirs) & (paid >= 0)
    usable &= strike > 0
    index = np.flatnonzero(usable)
    ours = np.zeros(len(block))
    ours[index] = implied_volatility(
        paid[index],
        spot[index],
        strike[index],
        years[index],
        used[index],
        call[index],
        dividend_yield[index],
    ).volatility
    solved = usable & (theirs > 0)
    right = np.abs(ours - theirs) <= 1.5 * PRINTED
    doubtful = np.flatnonzero(usable & ~right)
    fits = np.zeros(len(block), np.bool_)
    if len(doubtful):
        arguments = [column[doubtful] for column in (spot, strike, years, used, doubt)]
        fits[doubtful] = _fits(
            arguments,
            paid[doubtful],
            theirs[doubtful],
            ours[doubtful],
            call[doubtful],
            dividend_yield[doubtful],
        )
    # As the vendor's is cut, ours is nearer to what it computed with where both agree.
    volatility = np.where(right & (ours > 0), ours, theirs + PRINTED / 2)
    values = greeks(
        spot,
        strike,
        years,
        used,
        np.where(solved, volatility, 0),
        call,
        dividend_yield,
        block.greeks,
    )
    right_iv = right | fits | ~usable
    ours_all = Recomputed(
        paid, years, used, doubt, dividend_yield, ours, solved, right_iv, volatility, values
    )
    return ours_all, rates


def _fits(
    arguments: list[Floats], paid: Floats, theirs: Floats, ours: Floats, call: Flags, q: Floats
) -> Flags:
    """Returns whether a volatility is worth the price, as nearly as its digits allow."""
    s, k, t, r, doubt = arguments
    sure = np.where(theirs > 0, theirs, 1e-4)
    ends = [price(s, k, t, r, np.maximum(sure + step, 1e-6), call, q) for step in (-PRINTED, 2e-4)]
    slack = 2 * SOLVER_TOLERANCE + k * t * doubt
    worth = (paid >= np.minimum(*ends) - slack) & (paid <= np.maximum(*ends) + slack)
    # No volatility: right where the price is no more than the intrinsic value, as nearly.
    intrinsic = np.maximum(np.where(call, 1, -1) * (s * np.exp(-q * t) - k * np.exp(-r * t)), 0)
    none = (paid <= intrinsic + slack) | (paid >= np.where(call, s, k) - slack)
    return np.where(theirs > 0, worth, none | (ours == 0))


def recompute(
    table: pa.Table,
    *,
    rate: float | None = None,
    annual_dividend: float = 0.0,
    version: str = "latest",
) -> pa.Table:
    """Returns what the rows of one expiration should say, row by row.

    Columns: `price` (USD, what the volatility is solved for), `years`, `rate`, `implied_vol`, and
    each Greek that the rows have; the Greeks are null where the row has no volatility.

    Args:
        table: rows of one expiration, with the columns of an order of Greeks.
        rate: per year, or None for what each trade date's rows imply.
        annual_dividend: that ThetaData was told, in dollars.
        version: how ThetaData counted time, `latest` or `1`.

    Raises:
        ValueError: the rows are of several expirations.
    """
    found = pc.unique(table["expiration"]).to_pylist()
    if len(found) != 1:
        raise ValueError(f"{len(found)} expirations at once; recompute takes one")
    block = Block(arrays(table), found[0], is_daily(table), annual_dividend)
    ours, _ = recompute_block(block, rate, version)
    columns = {
        "price": ours.price,
        "years": ours.years,
        "rate": ours.rate,
        "implied_vol": ours.implied_vol,
    }
    told = {name: pa.array(values) for name, values in columns.items()}
    for name, values in ours.greeks.items():
        told[name] = pa.array(values, mask=~ours.solved)
    return pa.table(told)


def is_daily(table: pa.Table) -> bool:
    """Returns whether the rows are those of the end of a day: they have trades."""
    return {"open", "close", "volume"} <= set(table.column_names)

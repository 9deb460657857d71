"""An independent recomputation: implied volatility and every Greek from a row's own inputs.

The inputs are the quote, the strike, the underlying's price, the time and the expiration; the
formulas are those of `black_scholes` and `implied_volatility`, which are themselves compared with
QuantLib and with the rows that ThetaData publishes. The rate is not in a row; it is given, or it is
what the rows of a trade date imply (`vendor_rate`).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrays import Flags, Floats
from transforms.audit.deviations import beyond
from transforms.audit.printed import PRINTED
from transforms.audit.recognition import VERSIONS, count_of_time, years_of
from transforms.audit.recomputed import Recomputed
from transforms.audit.solutions import Inputs, solution_of
from transforms.audit.vendor_rate import ImpliedRate, Priced, vendor_rate
from transforms.orders import END_OF_DAY, ORDERS
from transforms.pricing.black_scholes import greeks
from transforms.pricing.implied_volatility import mean_error
from transforms.quality.block import Block
from transforms.quality.columns import arrays


def rates_of(
    block: Block,
    price_: Floats,
    years: Floats,
    given: float | ImpliedRate | None,
    dividend_yield: Floats,
) -> dict[int, ImpliedRate | None]:
    """Returns the rate of each trade date, by days since 1970; None where no row implies one."""
    days = np.unique(block.day).tolist()
    if given is not None:
        known = given if isinstance(given, ImpliedRate) else ImpliedRate(given, 0.0)
        return dict.fromkeys(days, known)
    unknown = np.full(len(block), np.nan)
    solutions = [(price_, block["implied_vol"])]
    error = block["iv_error"] if "iv_error" in block.names else unknown
    if block.three:
        # Their one error is a mean, which says nothing of each.
        solutions = [(block.price_by(price), block[name]) for price, name in block.three]
        error = unknown
    spot, strike = block["underlying_price"], block["strike"]
    rows = [
        Priced(paid, error, spot, strike, years, volatility, block.is_call, dividend_yield)
        for paid, volatility in solutions
    ]
    rates = {}
    for day in days:
        index = np.flatnonzero(block.day == day)
        rates[day] = vendor_rate(Priced.of([each.pick(index) for each in rows]))
    return rates


def recompute_block(
    block: Block, rate: float | ImpliedRate | None = None, version: str | None = None
) -> Recomputed:
    """Returns what a block's rows should say.

    Where it is not known which price the volatilities were solved from (`Block.priced_by`), it is
    the one that more rows fit: at the end of the day, v3 takes the quote's middle and v2 the close.
    A few contracts may fit either, at some rate; then it is the one whose Greeks fit as well.

    Likewise for the count of time, where it is neither known nor shown (`count_of_time`). A known
    one that implies a rate that nobody ever paid is not believed if the other implies one.

    Args:
        block: rows of one expiration, with strike, right, timestamp, underlying_price,
            implied_vol and one of `Block.prices`.
        rate: per year, with its doubt or without any; None for what each trade date's rows imply.
        version: how time is counted, `latest` or `1`, where the rows don't show it; None where that
            is not known: then it is the latest, unless the other fits better.
    """
    shown = count_of_time(block)
    usual = shown or version or VERSIONS[0]
    ours = _best_priced(block, rate, usual)
    if shown or (ours.plausible and (version or not _wrong(block, ours))):
        return ours
    (other,) = {*VERSIONS} - {usual}
    if (years_of(block, other) == ours.years).all():
        return ours
    theirs = _best_priced(block, rate, other)
    if version:
        return theirs if theirs.plausible else ours
    return min((ours, theirs), key=lambda one: (not one.plausible, _wrong(block, one)))


def _best_priced(block: Block, rate: float | ImpliedRate | None, version: str) -> Recomputed:
    """Returns the recomputation from the price that fits best."""
    prices = (block.priced_by,) if block.priced_by else block.prices
    fits = [_recomputed(block, block.price_by(name), rate, version) for name in prices]
    most = max(np.count_nonzero(ours.right_iv) for ours in fits)
    fits = [ours for ours in fits if np.count_nonzero(ours.right_iv) == most]
    return fits[0] if len(fits) == 1 else min(fits, key=lambda ours: _wrong(block, ours))


def _wrong(block: Block, ours: Recomputed) -> int:
    """Returns how many numbers of a block are not what they should be."""
    volatilities = [ours.right_iv, *(right for _, right in ours.sides.values())]
    greeks_ = sum(len(beyond(block, ours, name)) for name in block.greeks)
    return greeks_ + sum(int(np.count_nonzero(~right)) for right in volatilities)


def _recomputed(
    block: Block, paid: Floats, rate: float | ImpliedRate | None, version: str
) -> Recomputed:
    years = years_of(block, version)
    spot = np.where(block["underlying_price"] > 0, block["underlying_price"], np.nan)
    strike, call = block["strike"], block.is_call
    dividend_yield = block.annual_dividend / spot
    rates = rates_of(block, paid, years, rate, dividend_yield)
    days, places = np.unique(block.day, return_inverse=True)
    used, doubt = (
        np.array([(rates[day] or ImpliedRate(0.0, 1.0))[n] for day in days.tolist()])[places]
        for n in (0, 1)
    )
    inputs = Inputs(spot, strike, years, used, doubt, call, dividend_yield)
    ours, right = solution_of(inputs, paid, theirs := block["implied_vol"])
    error = ours.error
    sides: dict[str, tuple[Floats, Flags]] = {}
    if block.three:
        errors = []
        for side in ("bid", "ask"):
            name = f"{side}_implied_vol"
            solution, fits = solution_of(inputs, block[side], block[name])
            errors.append(solution.error)
            sides[name] = solution.volatility, fits
        error = mean_error(errors[0], error, errors[1])
    solved = inputs.usable(paid, theirs) & (theirs > 0)
    cut = ours.volatility - theirs
    same = (ours.volatility > 0) & (cut > -0.6 * PRINTED) & (cut < 1.1 * PRINTED)
    # As the vendor's is cut or rounded, ours is nearer to what it computed with where it is that.
    volatility = np.where(same, ours.volatility, theirs + PRINTED / 2)
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
    return Recomputed(
        paid,
        version,
        years,
        used,
        doubt,
        dividend_yield,
        ours.volatility,
        error,
        solved,
        right,
        sides,
        volatility,
        values,
        rates,
    )


def recompute(
    table: pa.Table,
    *,
    rate: float | None = None,
    annual_dividend: float = 0.0,
    version: str | None = None,
) -> pa.Table:
    """Returns what the rows of one expiration should say, row by row.

    Columns: `price` (USD, what the volatility is solved for), `years`, `rate`, `implied_vol`,
    `iv_error`, and each Greek that the rows have; the Greeks are null where the row has no
    volatility. Rows of the order implied_volatility also get `bid_implied_vol` and
    `ask_implied_vol`.

    Args:
        table: rows of one expiration, with the columns of an order of Greeks.
        rate: per year, or None for what each trade date's rows imply.
        annual_dividend: that was requested of ThetaData, in dollars.
        version: how ThetaData counted time, `latest` or `1`, where the rows don't show it; None for
            the latest, unless the other fits better.

    Raises:
        ValueError: the rows are of several expirations, or have no price.
    """
    found = pc.unique(table["expiration"]).to_pylist()
    if len(found) != 1:
        raise ValueError(f"{len(found)} expirations at once; recompute takes one")
    block = Block(arrays(table), found[0], is_daily(table), annual_dividend)
    if not block.prices:
        raise ValueError("the rows have no price: neither bid and ask, nor price, nor close")
    ours = recompute_block(block, rate, version)
    columns = {
        "price": ours.price,
        "years": ours.years,
        "rate": ours.rate,
        "implied_vol": ours.implied_vol,
        "iv_error": ours.iv_error,
    } | {name: values for name, (values, _) in ours.sides.items()}
    recomputed = {name: pa.array(values) for name, values in columns.items()}
    for name, values in ours.greeks.items():
        recomputed[name] = pa.array(values, mask=~ours.solved)
    return pa.table(recomputed)


def interval_of(table: pa.Table, usual: str | None) -> str | None:
    """Returns what is between two rows of a contract: `usual` where the columns don't say it."""
    if is_daily(table):
        return END_OF_DAY
    # Trades come when they come, several in a millisecond.
    return "tick" if "price" in table.column_names else usual


def is_daily(table: pa.Table) -> bool:
    """Returns whether contracts have one row in a trade date: not so of bars, which have `vwap`."""
    names = set(table.column_names)
    daily = any(names == {*order.schema.names} for order in ORDERS.values() if order.daily)
    return daily or ({"open", "close", "volume"} <= names and "vwap" not in names)

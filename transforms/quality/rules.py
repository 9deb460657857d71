"""The rules of a block of rows: what breaks one, no convention explains.

ThetaData's conventions are no findings: at 09:30 there is no quote yet; implied volatility 0 says
that the price has none (it is below the discounted intrinsic value); bids far out of the money
are 0; the price is the quote's middle cut to the cent; Greeks are cut to four decimals; after an
early close the grid goes on with the last quotes.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from transforms.arrays import Flags, Floats, Ints
from transforms.market.calendar import OPEN_MS
from transforms.market.clock import DAY_MS, EPOCH
from transforms.orders import ORDERS
from transforms.pricing.conventions import SOLVER_TOLERANCE
from transforms.quality.block import Block
from transforms.quality.statistics import STALE_MS

AHEAD_MS = 60_000
LAST_MS = (16 * 60 + 15) * 60_000
SETTLED_MS = OPEN_MS + 300_000  # by then every option in the money has a quote
MOST_RATE = 0.10
_DAILY_QUOTES = date(2023, 12, 1).toordinal() - EPOCH  # before, end of day may have no quotes
_LACKING = [(order.daily, order.v2.lacks) for order in ORDERS.values() if order.v2]
_SIZES = ("bid_size", "ask_size", "size", "volume", "count")
_FREE = ("bid", "ask", "price", "low")  # what may be had for nothing
AT_THE_MONEY = 0.0025  # of the underlying's price: a quarter of what it moves in a calm day


class Violations(NamedTuple):
    """Rows of a block that break a rule.

    Attributes:
        rule: its name.
        rows: their places in the block, ascending.
        badness: how bad each is; the worst are shown.
        shown: the columns whose values are shown.
        expected: what a column should say, by its name, where that is known; NaN where it is right.
    """

    rule: str
    rows: Ints
    badness: Floats
    shown: tuple[str, ...]
    expected: Mapping[str, Floats] = MappingProxyType({})


def violations(block: Block, *, maybe_snapshot: bool) -> Iterator[Violations]:
    """Yields what no convention explains, rule by rule: those whose columns are there.

    Args:
        block: the rows.
        maybe_snapshot: whether they may be a snapshot, which pairs each contract's last quote, of
            that quote's own time, with the latest price of the underlying.
    """
    yield from _missing(block)
    yield from _bounds(block)
    if {"bid", "ask"} <= block.names:
        yield from _quotes(block)
    if block.prices and {"implied_vol", "underlying_price"} <= block.names:
        yield from _volatility(block)
    yield from _times(block, maybe_snapshot)


def _where(rule: str, mask: Flags, badness: Floats | None, *shown: str) -> Iterator[Violations]:
    rows = np.flatnonzero(mask)
    if len(rows):
        how_bad = np.ones(len(rows)) if badness is None else badness[rows]
        yield Violations(rule, rows, how_bad, shown)


def _missing(block: Block) -> Iterator[Violations]:
    names = block.measured
    for daily, lacked in _LACKING:
        if daily == block.daily and not any(map(block.has, lacked)):
            names = [name for name in names if name not in lacked]
    wrong = [name for name in names if block.lacks(name)]
    if not wrong:
        return
    mask = np.zeros(len(block), np.bool_)
    for name in wrong:
        empty = block.empty(name)
        if block.daily and name.startswith(("bid", "ask")):
            empty &= block.day >= _DAILY_QUOTES
        mask |= empty
    yield from _where("missing_values", mask, None, *wrong)


def _bounds(block: Block) -> Iterator[Violations]:
    if "delta" in block.names:
        signed = np.where(block.is_call, block["delta"], -block["delta"])
        if not (signed.min() >= 0 and signed.max() <= 1):
            off = np.maximum(signed - 1, -signed)
            yield from _where("delta_bounds", off > 0, off, "delta", "implied_vol")
    for name, rule in (
        ("gamma", "gamma_bounds"),
        ("vega", "vega_bounds"),
        ("implied_vol", "iv_bounds"),
        ("open_interest", "open_interest_bounds"),
        *((name, "size_bounds") for name in _SIZES),
    ):
        if name in block.names and not block[name].min() >= 0:
            shown = dict.fromkeys((name, "implied_vol")).keys() & block.names
            yield from _where(rule, block[name] < 0, -block[name], *sorted(shown))
    if {"open", "high", "low", "close"} <= block.names:
        yield from _bars(block)
    prices = [name for name in (*_FREE, "underlying_price") if name in block.names]
    low = {name: block[name].min() for name in (*prices, "strike")}
    if not all(low[name] >= 0 if name in _FREE else low[name] > 0 for name in low):
        off = np.full(len(block), -1.0)
        for name in low:
            least = -block[name] - (name in _FREE) * 1e-9
            off = np.fmax(off, np.where(least >= 0, least, -1.0))
        yield from _where("price_bounds", off >= 0, off, *prices)


def _bars(block: Block) -> Iterator[Violations]:
    high, low = block["high"], block["low"]
    off = low - high
    for name in ("open", "close"):
        off = np.fmax(off, np.fmax(low - block[name], block[name] - high))
    if off.max() > 0:
        yield from _where("bar_bounds", off > 0, off, "open", "high", "low", "close")


def _quotes(block: Block) -> Iterator[Violations]:
    bid, ask = block["bid"], block["ask"]
    crossed = bid > ask
    if crossed.any():
        yield from _where("crossed_quotes", crossed, bid - ask, "bid", "ask")
    if "underlying_price" not in block.names or block.daily:
        return
    rows = np.flatnonzero((bid == 0) & (block.clock >= SETTLED_MS))
    if len(rows):
        spot, strike = block["underlying_price"][rows], block["strike"][rows]
        inside = np.where(block.is_call[rows], spot - strike, strike - spot) - 0.01 * spot
        # Most of them are far out of the money, where it is no finding.
        near = (inside > 0) | ((inside > -(0.01 + AT_THE_MONEY) * spot) & (spot > 0))
        rows, inside = rows[near], inside[near]
        clock, closes = block.clock[rows], block.closes[rows]
        # At the money an option may have no bid, but never neither: 09:30 is excepted above.
        bad = ((inside > 0) & (clock <= closes)) | ((ask[rows] == 0) & (clock < closes))
        if bad.any():
            yield Violations(
                "zero_bids", rows[bad], inside[bad], ("bid", "ask", "underlying_price")
            )


def _volatility(block: Block) -> Iterator[Violations]:
    iv = block["implied_vol"]
    # What each may be solved from; a row breaks a rule only if it does with every one.
    price, others = block.price, block.other_prices
    for other in others:
        price = np.minimum(price, other)
    rows = np.flatnonzero((iv == 0) & (price > 0))
    solvable = _surely_solvable(block, block.price, rows)
    for other in others:
        solvable = np.minimum(solvable, _surely_solvable(block, other, rows))
    unsolved = rows[solvable > 0]
    sources = [name for name in ("bid", "ask", *block.prices[-1:]) if name in block.names]
    shown = (*sources, "underlying_price", "implied_vol")
    if len(unsolved):
        yield Violations("unsolved_iv", unsolved, solvable[solvable > 0], shown)
    if block.greeks and len(zero := block.all_zero):
        zero = zero[price[zero] > 0]
        bad = np.isin(zero, unsolved) | _near_the_money(block, zero)
        if bad.any():
            yield Violations(
                "zero_greeks", zero[bad], price[zero[bad]], (*shown, *block.greeks[:3])
            )
    if "iv_error" in block.names and block.three:
        off = _mean_error_off(block)
        yield from _where("iv_error", off > 0, off, *shown, "iv_error")
    elif "iv_error" in block.names:
        error = block["iv_error"]
        # The solver stops at an absolute distance; the error is relative, and cut.
        off = np.abs(error) * price - 2 * SOLVER_TOLERANCE - 1.5e-4 * price
        mask = (off > 0) & (iv > 0) & (error < 100)
        yield from _where("iv_error", mask, off, *shown, "iv_error")


def _mean_error_off(block: Block) -> Floats:
    """Returns how far each mean of three errors is from any that their prices allow.

    A price's own error is within the solver's distance from it. That of no price is 100, or 0 far
    from the money, where the model's value is 0, too. A price without a volatility may have any.
    """
    allowed, none = np.full(len(block), 1.5e-4), np.zeros(len(block))
    any_may_be = np.zeros(len(block), np.bool_)
    for price, volatility in block.three:
        priced = block[price] > 0
        allowed += np.where(priced, 2 * SOLVER_TOLERANCE / np.where(priced, block[price], 1), 0) / 3
        none += ~priced
        any_may_be |= priced & ~(block[volatility] > 0)
    error = block["iv_error"]
    off = np.minimum(np.abs(error - none * 100 / 3), np.abs(error)) - allowed
    return np.where(any_may_be, -1.0, off)


def _surely_solvable(block: Block, price: Floats, rows: Ints) -> Floats:
    """Returns by how much each price exceeds any intrinsic value that a rate can make of it.

    Negative if it does not, or if it exceeds what any volatility can give.
    """
    spot, strike, call = block["underlying_price"][rows], block["strike"][rows], block.is_call[rows]
    years, paid = block.years(rows), price[rows]
    least = strike * np.exp(-MOST_RATE * years)
    dividends = block.annual_dividend * years
    intrinsic = np.where(call, spot - least, strike * 1.01**years + dividends - spot)
    most = np.where(call, spot - dividends, least)
    margin = 0.01 + 0.001 * paid
    above = paid - np.maximum(intrinsic, 0) - margin
    return np.where((spot > 0) & (paid < most - margin), above, -1.0)


def _near_the_money(block: Block, rows: Ints) -> Flags:
    """Returns which rows are solved and near enough for some Greek to be 0.0001 or more."""
    spot, strike = block["underlying_price"][rows], block["strike"][rows]
    iv = block["implied_vol"][rows]
    solved = (iv > 0) & (spot > 0)
    days = block.expiration.toordinal() - EPOCH - block.day[rows]
    deviation = iv * np.sqrt(np.maximum(days, 1 / 24) / 365)
    distance = np.log(np.where(solved, spot / np.maximum(strike, 1e-9), 1.0))
    return solved & (np.abs(distance) < 3 * deviation)


def _times(block: Block, maybe_snapshot: bool) -> Iterator[Violations]:
    last = block.expiration.toordinal() - EPOCH
    if block.day.max() > last:
        late = block.day > last
        yield from _where("after_expiration", late, (block.day - last).astype(np.float64))
    if block.grid is not None:
        off = block.grid.lacks(block.clock)
        if off.any():
            yield from _where("off_grid", off, None)
    if not block.daily and not _in_hours(block):
        off = np.maximum(OPEN_MS - block.clock, block.clock - LAST_MS)
        off[(block.day + 3) % 7 >= 5] = DAY_MS
        if off.max() > 0:
            yield from _where("outside_hours", off > 0, off.astype(np.float64))
    if "underlying_timestamp" in block.names and not block.daily:
        age = block.age
        if age.max() > STALE_MS:
            late = age - np.maximum(block.clock - block.closes, 0)
            bad = (late > STALE_MS) & (block.clock > OPEN_MS)
            yield from _where(
                "stale_underlying", bad, late.astype(np.float64), "underlying_timestamp"
            )
        if age.min() < -AHEAD_MS:
            ahead = age < -AHEAD_MS
            if maybe_snapshot:
                # The times of an interval are whole seconds, those of quotes hardly ever.
                ahead &= block.clock % 1000 == 0
            yield from _where(
                "future_underlying", ahead, -age.astype(np.float64), "underlying_timestamp"
            )


def _in_hours(block: Block) -> bool:
    """Returns whether all rows are surely of one weekday's hours, by the first and the last."""
    if block.only_day is None or (block.only_day + 3) % 7 >= 5:
        return False
    midnight = block.only_day * DAY_MS - (block.offset or 0)
    return block.ends[0] - midnight >= OPEN_MS and block.ends[1] - midnight <= LAST_MS

"""Figures of the open interest: by strike, times gamma, and what it is worth when it settles."""

from datetime import date
from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.axes import by_expiration, clock, label, spread_out
from pipeline.reports.figure import Figure, base
from pipeline.reports.last_rows import joined
from pipeline.reports.market_day import MarketDay
from pipeline.reports.rows import Piece
from pipeline.text import count
from transforms.arrays import Floats

_NEAR = 0.12  # of the underlying's price
_SHARES = 100  # of a contract


def interest_figures(day: MarketDay) -> list[Figure]:
    """Returns a figure of the open interest, of gamma exposure and of max pain; none without it."""
    held = {expiration: joined(parts) for expiration, parts in sorted(day.interest.items())}
    return [_interest(day, held), _exposure(day, held), _pain(day, held)] if held else []


def max_pain(held: Piece) -> tuple[Floats, Floats]:
    """Returns the strikes of an expiration, and what its open options are worth at each, in USD.

    The least worth is at the strike of max pain; of equal ones, the lowest, as the catalog has it.
    """
    strikes = np.unique(held.strike)
    inside = np.where(held.is_call, 1, -1) * (strikes[:, None] - held.strike)
    return strikes, np.maximum(inside, 0) @ held.values["open_interest"] * _SHARES


def gamma_exposure(now: Piece, held: Piece) -> tuple[Floats, Floats]:
    """Returns strikes, each once for a call or a put, and USD per 1 % move of the underlying.

    Calls count as bought by dealers, puts as sold: gamma · open interest · 100 · S² · 1 %.
    """
    now = now.where(now.solved)
    signs = np.where(now.is_call, 1, -1)
    known = dict(zip(_contracts(held), held.values["open_interest"].tolist(), strict=True))
    open_interest = np.array([known.get(each, np.nan) for each in _contracts(now)])
    spot = now.values["underlying_price"]
    worth = signs * now.values["gamma"] * open_interest * _SHARES * spot**2 / 100
    there = np.isfinite(worth)
    return now.strike[there], worth[there]


def _contracts(piece: Piece) -> list[tuple[float, bool]]:
    return list(zip(piece.strike.tolist(), piece.is_call.tolist(), strict=True))


def _interest(day: MarketDay, held: dict[date, Piece]) -> Figure:
    strike, is_call, interest = (
        np.concatenate(parts)
        for parts in zip(
            *((each.strike, each.is_call, each.values["open_interest"]) for each in held.values()),
            strict=True,
        )
    )
    rows = _by_strike(day, strike, np.where(is_call, 1, -1) * interest)
    caption = (
        f"All expirations together: {int(interest.sum()):,} in {count(len(strike), 'contract')}; "
        "puts count downwards. What was open when the trading day before had ended, as reported "
        "about 06:30."
    )
    title = f"Open interest by strike on {day.trade_date}"
    return Figure("open_interest", title, caption, _bars("contracts"), rows, wide=True)


def _exposure(day: MarketDay, held: dict[date, Piece]) -> Figure:
    name, title = "gamma_exposure", f"Gamma exposure by strike at {clock(day)}"
    if "gamma" not in day.columns:
        absent = "No row has a gamma: --derive gamma computes it from first-order Greeks."
        return Figure(name, title, absent=absent)
    found = [gamma_exposure(now, held[each]) for each, now in day.now.items() if each in held]
    if not any(len(strike) for strike, _ in found):
        return Figure(name, title, absent="No contract has both a gamma and open interest.")
    strike, worth = (np.concatenate(parts) for parts in zip(*found, strict=True))
    caption = (
        f"All expirations together: {worth.sum() / 1e6:,.0f} million USD to trade when the "
        "underlying moves by 1 %. Calls count as bought by dealers (+), puts as sold by them (-)."
    )
    rows = _by_strike(day, strike, worth / 1e6)
    return Figure(name, title, caption, _bars("million USD per 1 %"), rows, wide=True)


def _pain(day: MarketDay, held: dict[date, Piece]) -> Figure:
    rows: list[dict[str, Any]] = []
    least = []
    for expiration in spread_out(list(held), 3):
        strikes, worth = max_pain(held[expiration])
        named = label(expiration, day.trade_date)
        least.append(f"{named}: {strikes[worth.argmin()]:,g}")
        near = worth <= 4 * np.median(worth)
        rows += [
            {"k": strike, "v": paid / 1e6, "e": named}
            for strike, paid in zip(strikes[near].tolist(), worth[near].tolist(), strict=True)
        ]
    chart = (
        base()
        .mark_line()
        .encode(
            x=alt.X("k:Q", title="strike, USD", scale=alt.Scale(zero=False)),
            y=alt.Y("v:Q", title="million USD"),
            color=by_expiration(rows),
            tooltip=["e:O", alt.Tooltip("k:Q", title="strike"), alt.Tooltip("v:Q", title="worth")],
        )
    )
    caption = (
        "What the open options would be worth if the underlying settled at a strike. Max pain is "
        f"the strike where that is least; {'; '.join(least)}."
    )
    return Figure("max_pain", "Max pain: worth of the open options", caption, chart, rows)


def _by_strike(day: MarketDay, strike: Floats, values: Floats) -> list[dict[str, Any]]:
    """Returns the positive and the negative sum of each strike near the money."""
    spot = float(np.median(list(day.spot.values()))) if day.spot else float(np.median(strike))
    near = np.abs(strike / spot - 1) < _NEAR
    rows = []
    for right, kept in (("call", values > 0), ("put", values < 0)):
        strikes, place = np.unique(strike[near & kept], return_inverse=True)
        sums = np.bincount(place, values[near & kept], len(strikes))
        rows += [
            {"k": k, "v": float(f"{v:.6g}"), "right": right}
            for k, v in zip(strikes.tolist(), sums.tolist(), strict=True)
        ]
    return rows


def _bars(unit: str) -> Any:
    return (
        base()
        .mark_bar(size=2)
        .encode(
            x=alt.X("k:Q", title="strike, USD", scale=alt.Scale(zero=False)),
            y=alt.Y("v:Q", title=unit),
            color=alt.Color("right:N", title=None, sort=["call", "put"]),
            tooltip=["right:N", alt.Tooltip("k:Q", title="strike"), alt.Tooltip("v:Q", title=unit)],
        )
    )

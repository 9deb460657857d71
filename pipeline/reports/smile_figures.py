"""Figures of implied volatility at one time: smiles, term structure and surface."""

from datetime import date
from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.axes import (
    EXPIRATION,
    SEAM,
    VOLATILITY,
    by_expiration,
    clock,
    label,
    no_volatility,
    spread_out,
    volatility_axis,
)
from pipeline.reports.figure import Figure, base
from pipeline.reports.market_day import MarketDay, volatility_at_the_money
from pipeline.reports.moneyness import AXIS, deviations
from pipeline.reports.rows import Piece
from pipeline.text import count
from transforms.arrays import Floats

_SMILES = 6
_WINGS = 6.0  # deviations on either side
_COLUMNS = 61

Smiles = dict[date, tuple[Floats, Floats]]
"""Of each expiration that has one, as `out_of_the_money` returns it."""


def smile_figures(day: MarketDay) -> list[Figure]:
    """Returns the figures of implied volatility on the day."""
    now = day.now
    smiles = {each: out_of_the_money(day, now[each]) for each in now}
    drawn = {each: smile for each, smile in smiles.items() if len(smile[0]) > 2}
    return [
        _smiles(day, drawn, len(now)),
        _term_structure(day, now),
        _surface(day, drawn, len(now)),
    ]


def out_of_the_money(day: MarketDay, piece: Piece) -> tuple[Floats, Floats]:
    """Returns deviations from the forward, ascending, and volatility.

    Of the options that are solved, with a bid, calls above the forward and puts below it.
    """
    above = deviations(day, piece)
    kept = piece.solved & (piece.values["bid"] > 0) & (piece.is_call == (above >= 0))
    kept &= np.isfinite(above)
    order = np.argsort(above[kept], kind="stable")
    return above[kept][order], piece.values["implied_vol"][kept][order]


def _smiles(day: MarketDay, smiles: Smiles, expirations: int) -> Figure:
    title = f"IV smiles at {clock(day)}"
    rows: list[dict[str, Any]] = []
    chosen = spread_out(list(smiles), _SMILES)
    for expiration in chosen:
        above, volatility = smiles[expiration]
        near = np.abs(above) <= _WINGS
        rows += [
            {"e": label(expiration, day.trade_date), "k": round(k, 4), "v": round(v, 5)}
            for k, v in zip(above[near].tolist(), volatility[near].tolist(), strict=True)
        ]
    if not rows:
        return Figure("smiles", title, absent=no_volatility(day), wide=True)
    chart = (
        base()
        .mark_line(point=alt.OverlayMarkDef(size=14))
        .encode(
            x=alt.X("k:Q", title=AXIS),
            y=volatility_axis("implied volatility", ".0%"),
            color=by_expiration(rows),
            tooltip=[
                EXPIRATION,
                alt.Tooltip("k:Q", title="deviations from the forward"),
                VOLATILITY,
            ],
        )
    )
    caption = (
        f"{len(chosen)} of {count(expirations, 'expiration')}. Puts below the forward that calls "
        f"and puts imply, calls above it; solved, with a bid, within {_WINGS:.0f} deviations until "
        "expiration. A step at 0 is a dividend or a rate that the model does not know."
    )
    return Figure("smiles", title, caption, chart, rows, wide=True, height=340)


def _term_structure(day: MarketDay, now: dict[date, Piece]) -> Figure:
    title = f"ATM term structure at {clock(day)}"
    rows = [
        {
            "d": (expiration - day.trade_date).days,
            "v": round(volatility, 5),
            "e": label(expiration, day.trade_date),
        }
        for expiration, piece in now.items()
        if (volatility := volatility_at_the_money(piece)) > 0
    ]
    if not rows:
        return Figure("term-structure", title, absent=no_volatility(day))
    chart = (
        base()
        .mark_line(point=alt.OverlayMarkDef(size=40))
        .encode(
            x=alt.X("d:Q", title="calendar days to expiration"),
            y=volatility_axis(),
            tooltip=[alt.Tooltip("e:N", title="expiration"), VOLATILITY],
        )
    )
    caption = "At the strike nearest the underlying: the mean of its call and its put."
    return Figure("term-structure", title, caption, chart, rows, height=_tall(len(now)))


def _surface(day: MarketDay, smiles: Smiles, expirations: int) -> Figure:
    title = f"IV surface at {clock(day)}"
    if not smiles:
        return Figure("surface", title, absent=no_volatility(day))
    ends = np.array([[k[0], k[-1]] for k, _ in smiles.values()])
    # Far wings of a few would leave no room for the others.
    low = max(float(np.quantile(ends[:, 0], 0.25)), -_WINGS)
    high = min(float(np.quantile(ends[:, 1], 0.75)), _WINGS)
    edges = np.linspace(low, high, _COLUMNS)
    middles = (edges[1:] + edges[:-1]) / 2
    seam = SEAM * (edges[1] - edges[0])
    rows = []
    for expiration, (k, v) in smiles.items():
        found = np.interp(middles, k, v, left=np.nan, right=np.nan)
        rows += [
            {
                "a": round(a, 5),
                "b": round(b, 5),
                "v": round(each, 4),
                "e": label(expiration, day.trade_date),
            }
            for a, b, each in zip(
                edges.tolist(), (edges[1:] + seam).tolist(), found.tolist(), strict=False
            )
            if each == each
        ]
    if not rows:
        return Figure("surface", title, absent=no_volatility(day))
    chart = (
        base()
        .mark_rect()
        .encode(
            x=alt.X("a:Q", title=AXIS, scale=alt.Scale(nice=False, zero=False)),
            x2="b:Q",
            y=alt.Y("e:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
            color=alt.Color(
                "v:Q",
                title="implied volatility",
                legend=alt.Legend(format=".0%", values=_steps([row["v"] for row in rows])),
                scale=alt.Scale(type="log", nice=False),
            ),
            tooltip=[
                alt.Tooltip("e:N", title="expiration"),
                alt.Tooltip("a:Q", title="deviations from the forward"),
                VOLATILITY,
            ],
        )
    )
    caption = "Out-of-the-money options, linear between strikes; blank where none is quoted."
    return Figure("surface", title, caption, chart, rows, height=_tall(expirations))


def _steps(volatilities: list[float]) -> list[float]:
    """Returns whole percents that divide a logarithmic scale evenly."""
    steps = np.geomspace(min(volatilities), max(volatilities), 5)
    return sorted({round(step, 2) for step in steps.tolist()})


def _tall(expirations: int) -> int:
    """Room for a line of the surface for each expiration; its neighbour is as high."""
    return max(280, 14 * expirations)

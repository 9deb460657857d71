"""Figures of the Greeks against the strike."""

from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.axes import EXPIRATION, by_expiration, clock, label, spread_out
from pipeline.reports.figure import Figure, base
from pipeline.reports.market_day import DRAWN, MarketDay
from pipeline.reports.moneyness import identified
from pipeline.text import count

_GREEKS = 6


def greek_figures(day: MarketDay) -> list[Figure]:
    """Returns a figure of each Greek against the strike, for some expirations."""
    now = day.now
    chosen = spread_out([each for each in now if now[each].solved.sum() > 2], 3)
    shown = {each: now[each].where(identified(day, now[each])) for each in chosen}
    hidden = sum(int(now[each].solved.sum()) - len(shown[each]) for each in chosen)
    figures = []
    for greek in [name for name in DRAWN if name in day.columns][:_GREEKS]:
        title = f"{greek.capitalize()} against strike at {clock(day)}"
        rows: list[dict[str, Any]] = []
        for expiration in chosen:
            piece = shown[expiration]
            moneyness = np.log(piece.strike / piece.values["underlying_price"])
            kept = (np.abs(moneyness) < 0.12) & np.isfinite(piece.values[greek])
            rows += [
                {
                    "k": strike,
                    "v": float(f"{value:.6g}"),
                    "e": label(expiration, day.trade_date),
                    "right": "call" if call else "put",
                }
                for strike, value, call in zip(
                    piece.strike[kept].tolist(),
                    piece.values[greek][kept].tolist(),
                    piece.is_call[kept].tolist(),
                    strict=True,
                )
            ]
        if not rows:
            figures.append(Figure(greek, title, absent=f"No solved row has a {greek}."))
            continue
        chart = (
            base()
            .mark_line()
            .encode(
                x=alt.X("k:Q", title="strike, USD", scale=alt.Scale(zero=False)),
                y=alt.Y("v:Q", title=f"{greek}, {DRAWN[greek]}"),
                color=by_expiration(rows),
                strokeDash=alt.StrokeDash("right:N", legend=None, sort=["call", "put"]),
                tooltip=[
                    EXPIRATION,
                    "right:N",
                    alt.Tooltip("k:Q", title="strike"),
                    alt.Tooltip("v:Q", title=greek),
                ],
            )
        )
        caption = (
            "Solved rows within 12 % of the underlying; puts are dashed. Left out: "
            f"{count(hidden, 'row')} whose quotes fit any volatility: a bid within the intrinsic "
            "value, or a price that hardly depends on it."
        )
        figures.append(Figure(greek, title, caption, chart, rows))
    return figures or [Figure("greeks", "Greeks against strike", absent="The files have no Greek.")]

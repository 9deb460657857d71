"""What the figures of a market day have in common: labels, clocks and axes."""

from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.market_day import MarketDay
from pipeline.text import clock_text, count

SEAM = 0.08
"""Cells of a map overlap by so much of their width, or the paper would show between them."""


def spread_out(expirations: Sequence[date], most: int) -> list[date]:
    """Returns at most so many expirations, the nearest and the farthest among them.

    The steps widen with the distance, as the term structure flattens.
    """
    if len(expirations) <= most:
        return list(expirations)
    places = np.geomspace(1, len(expirations), most) - 1
    # Neighbours that round to one place move on to the next.
    picked: list[int] = []
    for place in places.round().astype(int).tolist():
        picked.append(min(max(place, picked[-1] + 1 if picked else 0), len(expirations) - 1))
    return [expirations[place] for place in dict.fromkeys(picked)]


def label(expiration: date, trade_date: date) -> str:
    """Returns an expiration as a legend has it: `15 Mar, 1 day`."""
    days = (expiration - trade_date).days
    form = "%d %b" if expiration.year == trade_date.year else "%d %b %Y"
    return f"{expiration:{form}}, {count(days, 'day')}"


def by_expiration(rows: Sequence[dict[str, Any]]) -> Any:
    """Returns the colour of a field `e`, made by `label`, with a legend if it has several."""
    return alt.Color("e:O", title="expiration", sort=None, legend=legend_of(rows, "e"))


EXPIRATION = alt.Tooltip("e:O", title="expiration")
VOLATILITY = alt.Tooltip("v:Q", title="implied volatility", format=".2%")


def volatility_axis(title: str = "at-the-money implied volatility", form: str = ".1%") -> Any:
    """Returns the axis of a field `v` that is a volatility."""
    return alt.Y("v:Q", title=title, axis=alt.Axis(format=form), scale=alt.Scale(zero=False))


def legend_of(rows: Sequence[dict[str, Any]], field: str, **settings: Any) -> Any:
    """Returns the legend of a field, or None if there is nothing to tell apart."""
    several = len({row[field] for row in rows}) > 1
    return alt.Legend(**settings) if several else None


def time_axis() -> Any:
    """Returns the axis of a field `t`, made by `instant`."""
    return alt.X(
        "t:T",
        title="time of day, New York",
        axis=alt.Axis(format="%H:%M", tickCount=6),
        scale=alt.Scale(type="utc", nice=False),
    )


def instant(day: MarketDay, milliseconds: float) -> int:
    """Returns a time of the day for `time_axis`: New York's clock, as if it were UTC's.

    So it is read the same in whatever zone the page is opened.
    """
    midnight = datetime.combine(day.trade_date, datetime.min.time(), timezone.utc)
    return int(midnight.timestamp() * 1000 + milliseconds)


def clock(day: MarketDay) -> str:
    """Returns the time of the snapshots as a title has it."""
    return "the end of the day" if day.end_of_day else f"{clock_text(day.until)} New York"


def no_volatility(day: MarketDay) -> str:
    """Returns why a figure of volatility is absent."""
    if not {"implied_vol", "underlying_price"} <= set(day.columns):
        return "The files have no implied volatility."
    if day.end_of_day:
        return "No volatility was solved for an option with a bid."
    return (
        f"No solved volatility at {clock(day)}: the quotes had none yet, or the files end "
        "before it. Choose another --time."
    )

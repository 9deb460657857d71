"""Figures of a day's course: volatility at the money, and the underlying."""

import altair as alt

from pipeline.reports.axes import (
    EXPIRATION,
    VOLATILITY,
    by_expiration,
    instant,
    label,
    spread_out,
    time_axis,
    volatility_axis,
)
from pipeline.reports.figure import Figure, base
from pipeline.reports.market_day import MarketDay
from pipeline.text import clock_text


def course_figures(day: MarketDay) -> list[Figure]:
    """Returns the figures over the time of the day."""
    return [_course(day), _underlying(day)]


def _course(day: MarketDay) -> Figure:
    title = f"ATM volatility through {day.trade_date:%d %B %Y}"
    if not day.near:
        absent = (
            "End of day has one row a contract: there is no time to follow."
            if day.end_of_day
            else "No solved row is on a whole five minutes."
        )
        return Figure("course", title, absent=absent)
    rows = [
        {
            "t": instant(day, when),
            "v": round(volatility, 5),
            "e": label(expiration, day.trade_date),
            "clock": clock_text(when),
        }
        for expiration in spread_out(sorted(day.near), 4)
        for when, volatility in day.course(expiration).items()
    ]
    chart = (
        base()
        .mark_line()
        .encode(
            x=time_axis(),
            y=volatility_axis(),
            color=by_expiration(rows),
            tooltip=[EXPIRATION, alt.Tooltip("clock:N", title="time"), VOLATILITY],
        )
    )
    return Figure(
        "course", title, "At the strike nearest the underlying, on whole five minutes.", chart, rows
    )


def _underlying(day: MarketDay) -> Figure:
    title = f"{day.symbol}'s underlying through {day.trade_date:%d %B %Y}"
    if not day.spot:
        return Figure("underlying", title, absent="The files have no price of it at any time.")
    rows = [
        {"t": instant(day, when), "v": price, "clock": clock_text(when)}
        for when, price in sorted(day.spot.items())
    ]
    chart = (
        base()
        .mark_line()
        .encode(
            x=time_axis(),
            y=alt.Y("v:Q", title="USD", scale=alt.Scale(zero=False)),
            tooltip=[alt.Tooltip("clock:N", title="time"), alt.Tooltip("v:Q", title="USD")],
        )
    )
    return Figure("underlying", title, "By the rows on whole five minutes.", chart, rows)

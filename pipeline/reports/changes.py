"""What changed since the trade date before."""

from datetime import date
from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.axes import VOLATILITY, clock, legend_of, volatility_axis
from pipeline.reports.figure import Figure, Section, Table, base
from pipeline.reports.market_day import MarketDay, volatility_at_the_money
from pipeline.reports.rows import Piece


def changes_section(day: MarketDay) -> Section:
    """Returns the part of the report that compares the day with the one before it."""
    title = "What changed since the previous trade date"
    before = day.before
    if before is None:
        absent = (
            f"The files hold no trade date before {day.trade_date}: download a range, with "
            "--start_date and --end_date, to see what changed."
        )
        return Section.without("changes", title, "No day before", absent)
    earlier, then = before
    now = day.now
    both = [each for each in now if each in then]
    facts = [("compared", f"{day.trade_date} with {earlier}, both at {clock(day)}")]
    spots = [_spot(then), _spot(now)]
    if all(spots):
        facts.append(
            ("underlying", f"{spots[0]:,.2f} to {spots[1]:,.2f} ({spots[1] / spots[0] - 1:+.2%})")
        )
    new, gone = [e for e in now if e not in then], [e for e in then if e not in now]
    facts.append(
        (
            "expirations",
            f"{len(both)} in both; {len(new)} only on {day.trade_date}; "
            f"{len(gone)} only on {earlier}",
        )
    )
    listed = _contracts(now) - _contracts(then)
    facts.append(
        (
            "contracts listed since",
            f"{sum(c[0] in both for c in listed):,} in the expirations of both days",
        )
    )
    return Section(
        "changes",
        title,
        facts,
        [_term_structures(day, earlier, then, now)],
        [_table(day, earlier, both, then, now)],
    )


def _term_structures(
    day: MarketDay, earlier: date, then: dict[date, Piece], now: dict[date, Piece]
) -> Figure:
    title = "ATM volatility of each expiration, then and now"
    rows = [
        {"e": expiration.isoformat(), "v": round(volatility, 5), "day": which.isoformat()}
        for which, snapshot in ((earlier, then), (day.trade_date, now))
        for expiration, piece in snapshot.items()
        if (volatility := volatility_at_the_money(piece)) > 0
    ]
    if not rows:
        return Figure("changes-figure", title, absent="No volatility was solved on either day.")
    chart = (
        base()
        .mark_line(point=alt.OverlayMarkDef(size=30))
        .encode(
            x=alt.X(
                "e:T",
                title="expiration",
                axis=alt.Axis(format="%d %b", tickCount=8),
                timeUnit="utcyearmonthdate",
            ),
            y=volatility_axis(),
            color=alt.Color("day:O", title="trade date", sort=None, legend=legend_of(rows, "day")),
            tooltip=[alt.Tooltip("day:O", title="trade date"), VOLATILITY],
        )
    )
    caption = f"Both at {clock(day)}, at the strike nearest the underlying."
    return Figure("changes-figure", title, caption, chart, rows, wide=True)


def _table(
    day: MarketDay, earlier: date, both: list[date], then: dict[date, Piece], now: dict[date, Piece]
) -> Table:
    heads = (
        "expiration",
        "change",
        f"{earlier:%d %b}",
        f"{day.trade_date:%d %b}",
        "listed",
        "gone",
    )
    rows = []
    for expiration in both:
        old, new = (volatility_at_the_money(each[expiration]) for each in (then, now))
        listed = _contracts({expiration: now[expiration]})
        gone = _contracts({expiration: then[expiration]})
        rows.append(
            (
                expiration.isoformat(),
                f"{(new - old) * 100:+.2f} points" if old == old and new == new else "–",
                _percent(old),
                _percent(new),
                f"{len(listed - gone):,}",
                f"{len(gone - listed):,}",
            )
        )
    return Table(
        "ATM volatility of each expiration of both days, and contracts listed and gone",
        heads,
        rows,
        absent="No expiration is in both days.",
    )


def _contracts(snapshot: dict[date, Piece]) -> set[tuple[date, float, bool]]:
    return {
        (expiration, strike, call)
        for expiration, piece in snapshot.items()
        for strike, call in zip(piece.strike.tolist(), piece.is_call.tolist(), strict=True)
    }


def _spot(snapshot: dict[date, Piece]) -> float:
    prices = [piece.values["underlying_price"] for piece in snapshot.values()]
    positive = np.concatenate([each[each > 0] for each in prices]) if prices else np.array([])
    return float(np.median(positive)) if len(positive) else 0.0


def _percent(value: float) -> Any:
    return f"{value:.2%}" if value == value else "–"

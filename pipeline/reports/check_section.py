"""How far the vendor's numbers are from an independent recomputation."""

from datetime import date, datetime, timedelta
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reports.axes import EXPIRATION, by_expiration, clock, label, spread_out
from pipeline.reports.figure import Figure, Section, base
from pipeline.reports.market_day import MarketDay
from pipeline.reports.moneyness import AXIS, deviations
from pipeline.reports.rows import Piece
from pipeline.text import count
from transforms.arrays import Floats
from transforms.audit.deviations import beyond
from transforms.audit.formulas import Formulas
from transforms.audit.printed import PRINTED
from transforms.audit.recomputation import recompute_block
from transforms.orders.schema import ZONE
from transforms.quality.block import Block
from transforms.quality.columns import arrays

_LEAST = 1e-6
_WINGS = 10.0  # deviations on either side
_QUANTILES = ((0.5, "median"), (0.99, "99 of 100"), (1.0, "largest"))


def check_section(day: MarketDay, annual_dividend: float, version: str | None) -> Section:
    """Returns the part of the report that compares the rows with a recomputation.

    Args:
        day: whose snapshot is recomputed.
        annual_dividend: that ThetaData was given, in dollars.
        version: how ThetaData counted time, `latest` or `1`; None if it is not known.
    """
    title = "Independent check"
    needed = {"bid", "ask", "implied_vol", "iv_error", "underlying_price"}
    if not needed <= set(day.columns):
        absent = f"The files lack {', '.join(sorted(needed - set(day.columns)))}: nothing to check."
        return Section("check", title, figures=[Figure("errors", "Errors", absent=absent)])
    errors: dict[str, list[Floats]] = {}
    wrong: dict[str, int] = {}
    smiles: dict[date, tuple[Floats, Floats]] = {}
    rates = []
    older: dict[str, None] = {}
    rows = 0
    for expiration, piece in day.now.items():
        piece = piece.where(piece.values["underlying_price"] > 0)
        if not piece.solved.any():
            continue
        block = Block(arrays(_table(piece)), expiration, day.end_of_day, annual_dividend)
        ours = recompute_block(block, None, version)
        rates += [
            rate.rate for rate in ours.rates.values() if rate is not None and rate.doubt < 0.002
        ]
        compared = ours.solved & piece.solved
        rows += int(compared.sum())
        off = np.abs(ours.implied_vol - piece.values["implied_vol"])
        smiles[expiration] = (deviations(day, piece)[compared], off[compared])
        errors.setdefault("implied_vol", []).append(off[compared])
        wrong["implied_vol"] = wrong.get("implied_vol", 0) + int((compared & ~ours.right_iv).sum())
        outside = {name: beyond(block, ours, name) for name in block.greeks}
        explained = Formulas().explained(block, ours, outside)
        older |= dict.fromkeys(name for name, places in explained.items() if len(places))
        for name in block.greeks:
            difference = np.abs(ours.greeks[name] - block[name])[compared]
            errors.setdefault(name, []).append(difference[np.isfinite(difference)])
            judged = np.setdiff1d(outside[name], explained.get(name, outside[name][:0]))
            wrong[name] = wrong.get(name, 0) + len(judged)
    facts = [
        (
            "recomputed",
            f"{rows:,} solved rows at {clock(day)}, from their own quotes, strike, "
            "underlying and time",
        ),
        ("beyond what the digits allow", _rows_wrong(wrong)),
    ]
    if older:
        facts.append(
            (
                "by formulas from before late 2025",
                f"{', '.join(older)}: where they are not the textbook's, that is no finding",
            )
        )
    if rates:
        facts.append(("rate that the rows imply", f"{np.median(rates):.2%} a year"))
    return Section("check", title, facts, [_distributions(day, errors), _smile(day, smiles)])


def _rows_wrong(wrong: dict[str, int]) -> str:
    many = {name: count for name, count in wrong.items() if count}
    if not wrong:
        return "no row to compare"
    return (
        ", ".join(f"{name} ({count(number, 'row')})" for name, number in many.items()) or "no row"
    )


def _distributions(day: MarketDay, errors: dict[str, list[Floats]]) -> Figure:
    title = f"Error of the independent check, by Greek, at {clock(day)}"
    rows: list[dict[str, Any]] = []
    for name, parts in errors.items():
        values = np.concatenate(parts)
        if len(values):
            rows += [
                {
                    "g": name,
                    "q": word,
                    "v": max(float(np.quantile(values, share)), _LEAST),
                    "said": f"{np.quantile(values, share):.2g}",
                }
                for share, word in _QUANTILES
            ]
    if not rows:
        return Figure("errors", title, absent="No solved row to compare at that time.")
    chart = (
        base()
        .mark_point(filled=True, size=80)
        .encode(
            y=alt.Y("g:N", sort=None, title=None),
            x=_difference(alt.X),
            color=alt.Color("q:N", sort=None, title="of the rows"),
            shape=alt.Shape("q:N", sort=None, title="of the rows"),
            tooltip=[
                alt.Tooltip("g:N", title="Greek"),
                alt.Tooltip("q:N", title="of the rows"),
                alt.Tooltip("said:N", title="difference"),
            ],
        )
    )
    caption = (
        f"ThetaData cuts numbers to four decimals, so {PRINTED:g} is agreement to the last "
        f"digit. Errors below 1e-6 are drawn at 1e-6."
    )
    return Figure("errors", title, caption, chart, rows, height=max(200, 30 * len(errors)))


def _smile(day: MarketDay, smiles: dict[date, tuple[Floats, Floats]]) -> Figure:
    title = f"Error of the recomputed volatility, by moneyness, at {clock(day)}"
    rows = [
        {"k": round(k, 4), "v": max(round(v, 7), _LEAST), "e": label(expiration, day.trade_date)}
        for expiration in spread_out(sorted(smiles), 4)
        for k, v in zip(*(part.tolist() for part in smiles[expiration]), strict=True)
        if abs(k) <= _WINGS
    ]
    if not rows:
        return Figure("iv-error", title, absent="No solved row to compare at that time.")
    chart = (
        base()
        .mark_point(filled=True, size=22, opacity=0.7)
        .encode(
            x=alt.X("k:Q", title=AXIS),
            y=_difference(alt.Y),
            color=by_expiration(rows),
            tooltip=[
                EXPIRATION,
                alt.Tooltip("k:Q", title="deviations from the forward"),
                alt.Tooltip("v:Q", title="difference", format=".2e"),
            ],
        )
    )
    caption = (
        "The vendor's solver stops within a tenth of a cent of the price: far from the money, "
        "where volatility hardly moves a price, many volatilities fit."
    )
    return Figure("iv-error", title, caption, chart, rows, height=260)


def _difference(channel: Any) -> Any:
    """Returns the axis of a difference `v`: its powers of ten."""
    axis = alt.Axis(values=[10.0**power for power in range(-6, 7)], format="~e")
    return channel("v:Q", title="absolute difference", scale=alt.Scale(type="log"), axis=axis)


def _table(piece: Piece) -> pa.Table:
    midnight = datetime.combine(piece.trade_date, datetime.min.time())
    local = [midnight + timedelta(milliseconds=int(each)) for each in piece.time]
    stamps = pc.assume_timezone(pa.array(local, pa.timestamp("ms")), ZONE, ambiguous="earliest")
    return pa.table(
        {
            "strike": piece.strike,
            "right": np.where(piece.is_call, "C", "P"),
            "timestamp": stamps,
            **piece.values,
        }
    )

"""Figures of a run over time, from its samples."""

from datetime import datetime
from typing import Any

import altair as alt
import numpy as np

from pipeline.history import Record
from pipeline.reports.figure import Figure, base
from pipeline.text import count


def run_figures(run: Record) -> list[Figure]:
    """Returns the figures of a run over time."""
    return [
        _throughput(run),
        _sampled(run, "memory", "Resident memory while the run went on", "MiB"),
        _sampled(run, "in_flight", "Expirations in flight while the run went on", "expirations"),
    ]


def _throughput(run: Record) -> Figure:
    title = "Rows per second while the run went on"
    samples = run.get("samples") or {}
    seconds, rows = (np.array(samples.get(name, ()), np.float64) for name in ("seconds", "rows"))
    best = run.get("peak_throughput", 0)
    at = 0.0
    if run.get("peak_time"):
        began, peak = (datetime.fromisoformat(run[n]) for n in ("start_time", "peak_time"))
        at = (peak - began).total_seconds()
    if len(seconds) < 2:
        return _over_time("throughput", title, [], "rows per second", "~s")
    # Seconds of the clock, so that the best of them is one; where samples are rarer, so are these.
    step = max(1, round(float(np.median(np.diff(seconds)))))
    first, last = seconds[[0, -1]]
    inner = at + step * np.arange(np.ceil((first - at) / step), np.ceil((last - at) / step))
    edges = np.unique(np.concatenate([[first], inner, [last]]))
    rates = np.maximum(np.diff(np.interp(edges, seconds, rows)), 0) / np.diff(edges)
    # The results count the rows of each second; samples come when they come.
    rates = np.minimum(rates, best) if run.get("peak_time") else rates
    if step == 1 and at in edges[:-1] and run.get("peak_time"):
        rates[np.searchsorted(edges, at)] = best
    points = [
        {"s": round(begin, 3), "v": round(rate)}
        for begin, rate in zip(edges.tolist(), [*rates.tolist(), rates[-1]], strict=True)
    ]
    caption = ""
    if run.get("peak_time"):
        caption = f"The best second, {count(best, 'row')}, began {at:.1f} s after the run."
    return _over_time("throughput", title, points, "rows per second", "~s", caption)


def _sampled(run: Record, name: str, title: str, axis: str) -> Figure:
    samples = run.get("samples") or {}
    rows = [
        {"s": seconds, "v": value}
        for seconds, value in zip(samples.get("seconds", ()), samples.get(name, ()), strict=True)
    ]
    return _over_time(name.replace("_", "-"), title, rows, axis, "~f")


def _over_time(
    name: str, title: str, rows: list[dict[str, Any]], axis: str, form: str, caption: str = ""
) -> Figure:
    if len(rows) < 2:
        return Figure(
            name,
            title,
            absent="The run summary has no samples over time: the run was "
            "too short for two, or made by an older version.",
        )
    chart = (
        base()
        .mark_area(line=True, opacity=0.25, interpolate="step-after")
        .encode(
            x=alt.X("s:Q", title="seconds since the run began"),
            y=alt.Y("v:Q", title=axis, axis=alt.Axis(format=form, tickMinStep=1)),
            tooltip=[
                alt.Tooltip("s:Q", title="seconds"),
                alt.Tooltip("v:Q", title=axis, format=",.0f"),
            ],
        )
    )
    return Figure(name, title, caption, chart, rows, height=220)

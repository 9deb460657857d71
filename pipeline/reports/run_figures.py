"""Figures of a run over time, from its samples."""

from itertools import pairwise
from typing import Any

from pipeline.history import Record
from pipeline.reports.figure import Figure, base


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
    points = zip(samples.get("seconds", ()), samples.get("rows", ()), strict=True)
    rows = [
        {"s": end, "v": round(max(after - before, 0) / (end - begin))}
        for (begin, before), (end, after) in pairwise(points)
        if end > begin
    ]
    return _over_time("throughput", title, rows, "rows per second", "~s")


def _sampled(run: Record, name: str, title: str, axis: str) -> Figure:
    samples = run.get("samples") or {}
    rows = [
        {"s": seconds, "v": value}
        for seconds, value in zip(samples.get("seconds", ()), samples.get(name, ()), strict=True)
    ]
    return _over_time(name.replace("_", "-"), title, rows, axis, "~f")


def _over_time(name: str, title: str, rows: list[dict[str, Any]], axis: str, form: str) -> Figure:
    if len(rows) < 2:
        return Figure(
            name,
            title,
            absent="The run summary has no samples over time: the run was "
            "too short for two, or made by an older version.",
        )
    import altair as alt

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
    return Figure(name, title, chart=chart, rows=rows, height=220)

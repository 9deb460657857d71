"""Figures of the expirations of a run: retries, when each was under way, rows and seconds."""

from datetime import datetime, timezone
from typing import Any

import altair as alt

from pipeline.history import Record
from pipeline.reports.axes import legend_of
from pipeline.reports.figure import Figure, base
from pipeline.text import count, size_text

_MOST_BARS = 60


def expiration_figures(run: Record, results: list[dict[str, Any]]) -> list[Figure]:
    """Returns the figures of a run's expirations.

    Args:
        run: its record.
        results: of its expirations, each with a `label`.
    """
    return [_waits(results), _gantt(run, results), *_bars(results)]


def _gantt(run: Record, results: list[dict[str, Any]]) -> Figure:
    title = "When each expiration was under way"
    begun = [each for each in results if each.get("started")]
    if not begun:
        fetched = [each for each in results if each["status"] != "skipped"]
        absent = "No expiration was under way: none was fetched."
        if fetched:
            absent = (
                "The run summary does not have the times when expirations began: it was made by an "
                "older version."
            )
        return Figure("gantt", title, absent=absent, wide=True)
    zero = _instant(run["start_time"])
    begun.sort(key=lambda each: str(each["started"]))
    hidden = len(begun) - 2 * _MOST_BARS
    rows = [
        {
            "e": each["label"],
            "a": round(begin, 3),
            "b": round(begin + each["seconds"], 3),
            "status": each["status"],
            "rows": each["rows"],
            "waited": each["waited"],
        }
        for each in begun[: 2 * _MOST_BARS]
        for begin in [_instant(each["started"]) - zero]
    ]
    tips = (
        "rows:Q",
        alt.Tooltip("a:Q", title="from, s"),
        alt.Tooltip("b:Q", title="to, s"),
        alt.Tooltip("waited:Q", title="of it waiting for retries, s"),
    )
    begin = alt.X("a:Q", title="seconds since the run began")
    chart = _bar_each(rows, begin, *tips).encode(x2="b:Q")
    caption = "A bar is an expiration, from its first request to its file."
    if hidden > 0:
        caption += f" The first {2 * _MOST_BARS} of {len(begun)} are drawn."
    return Figure("gantt", title, caption, chart, rows, wide=True, height=60 + 16 * len(rows))


def _bars(results: list[dict[str, Any]]) -> list[Figure]:
    if not results:
        return [Figure("rows", "Rows of each expiration", absent="No expiration has a result.")]
    shown = sorted(results, key=lambda each: -each["rows"])[:_MOST_BARS]
    shown.sort(key=lambda each: (each["symbol"], each["expiration"]))
    rows = [
        {
            "e": each["label"],
            "rows": each["rows"],
            "seconds": each["seconds"],
            "status": each["status"],
            "size": size_text(each["bytes"]),
        }
        for each in shown
    ]
    caption = f"The {_MOST_BARS} largest of {len(results)}." if len(results) > _MOST_BARS else ""
    figures = []
    for name, title, form in (
        ("rows", "Rows of each expiration", "~s"),
        ("seconds", "Seconds for each expiration", "~f"),  # not ~s: 800 m are no metres
    ):
        if name == "seconds" and not any(each["seconds"] for each in results):
            absent = "No expiration took any time: none was fetched."
            figures.append(Figure(name, title, absent=absent))
            continue
        x = alt.X(f"{name}:Q", title=name, axis=alt.Axis(format=form, tickCount=5))
        tips = (alt.Tooltip("rows:Q", format=","), "seconds:Q", "size:N")
        chart = _bar_each(rows, x, *tips)
        figures.append(Figure(name, title, caption, chart, rows, height=60 + 16 * len(rows)))
    return figures


def _waits(results: list[dict[str, Any]]) -> Figure:
    title = "Retries: seconds that expirations waited for them"
    waited = sorted((each for each in results if each["waited"] > 0), key=lambda e: -e["waited"])
    if not waited:
        return Figure(
            "retries",
            title,
            absent="The Terminal answered every request: nothing was retried.",
        )
    rows = [
        {"e": each["label"], "v": each["waited"], "n": each["requests"], "status": each["status"]}
        for each in waited[:12]
    ]
    tips = (alt.Tooltip("v:Q", title="seconds"), alt.Tooltip("n:Q", title="requests"))
    chart = _bar_each(rows, alt.X("v:Q", title="seconds"), *tips)
    caption = (
        f"{len(waited)} of {count(len(results), 'expiration')}, "
        f"{sum(each['waited'] for each in waited):.1f} s in all."
    )
    if len(waited) > len(rows):
        caption += f" The {len(rows)} longest."
    return Figure("retries", title, caption, chart, rows, height=220)


def _bar_each(rows: list[dict[str, Any]], x: Any, *tips: Any) -> Any:
    """Returns the chart of a bar for each expiration, in the colour of its status."""
    seen = {row["status"] for row in rows}
    # The first colours of the palette: blue is well, vermilion is not.
    order = ["written", "failed", "skipped", "empty", "interrupted"]
    colour = alt.Color(
        "status:N",
        title=None,
        sort=order,
        scale=alt.Scale(domain=order),
        legend=legend_of(rows, "status", values=[each for each in order if each in seen]),
    )
    return (
        base()
        .mark_bar(cornerRadius=2)
        .encode(
            x=x,
            y=alt.Y("e:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
            color=colour,
            tooltip=[alt.Tooltip("e:N", title="expiration"), "status:N", *tips],
        )
    )


def _instant(text: str) -> float:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).timestamp()

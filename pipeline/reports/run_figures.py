"""Figures of a run, from its summary."""

from collections import Counter
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

from pipeline.history import Record
from pipeline.reports.figure import Figure, Section, Table, base
from pipeline.text import size_text

_MOST_BARS = 60


def run_section(run: Record | None) -> Section:
    """Returns the part of the report that tells how the run went."""
    if run is None:
        return Section(
            "run",
            "The run",
            tables=[
                Table(
                    "No run",
                    (),
                    (),
                    absent="No run summary was found for these files: name one, or "
                    "say with --metrics where the summaries are.",
                ),
            ],
        )
    results = _labelled(run.get("expirations", []))
    figures = [
        _throughput(run),
        _sampled(run, "memory", "Resident memory while the run went on", "MiB"),
        _sampled(run, "in_flight", "Expirations in flight while the run went on", "expirations"),
        _waits(results),
        _gantt(run, results),
        *_bars(results),
    ]
    return Section("run", "The run", _facts(run), figures, [_errors(run)])


def outcome(run: Record) -> str:
    """Returns what became of the expirations: `20 of 21 expirations written, 1 failed`."""
    told = (
        f"{run.get('successful_expirations', 0)} of {run.get('total_expirations', 0)} "
        "expirations written"
    )
    for status in ("skipped", "empty", "interrupted", "failed"):
        count = run.get(f"{status}_expirations", 0)
        told += f", {count} {status}" if count else ""
    return told if run.get("failed_expirations") else f"{told}, nothing failed"


def _facts(run: Record) -> list[tuple[str, str]]:
    request = run.get("request", {})
    source = run.get("source", {})
    facts = [
        ("run", f"{run['run_id']}, {run['status']}"),
        ("asked for", _asked(request)),
        ("source", f"{source.get('data', 'unknown')}, {source.get('terminal', 'no Terminal')}"),
        (
            "expirations",
            f"{outcome(run)}; {run.get('total_records', 0):,} rows, "
            f"{size_text(run.get('total_data_size', 0))}",
        ),
    ]
    if "total_duration" in run:
        facts.append(
            (
                "took",
                f"{run['total_duration']:.1f} s, "
                f"{run.get('average_throughput', 0):,.0f} rows/s on average, "
                f"{run.get('peak_throughput', 0):,} in the best second",
            )
        )
    if "peak_memory_usage" in run:
        facts.append(("memory", f"{run['peak_memory_usage']:.0f} MiB at most"))
    return facts


def _asked(request: dict[str, Any]) -> str:
    days = list(dict.fromkeys([request.get("start_date", ""), request.get("end_date", "")]))
    return (
        f"{', '.join(request.get('symbol', []))} on {' to '.join(days)}, "
        f"{request.get('greeks', '')}, every {request.get('interval', '')}"
    )


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


def _gantt(run: Record, results: list[dict[str, Any]]) -> Figure:
    title = "When each expiration was under way"
    begun = [each for each in results if each.get("started")]
    if not begun:
        fetched = [each for each in results if each["status"] != "skipped"]
        told = "No expiration was under way: none was fetched."
        if fetched:
            told = (
                "The run summary does not say when each expiration began: it was made by an "
                "older version."
            )
        return Figure("gantt", title, absent=told, wide=True)
    import altair as alt

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
    chart = (
        base()
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("a:Q", title="seconds since the run began"),
            x2="b:Q",
            y=alt.Y("e:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
            color=_status_colour(rows),
            tooltip=[
                alt.Tooltip("e:N", title="expiration"),
                "status:N",
                "rows:Q",
                alt.Tooltip("a:Q", title="from, s"),
                alt.Tooltip("b:Q", title="to, s"),
                alt.Tooltip("waited:Q", title="of it waiting to ask again, s"),
            ],
        )
    )
    caption = "A bar is an expiration, from its first request to its file."
    if hidden > 0:
        caption += f" The first {2 * _MOST_BARS} of {len(begun)} are drawn."
    return Figure("gantt", title, caption, chart, rows, wide=True, height=60 + 16 * len(rows))


def _bars(results: list[dict[str, Any]]) -> list[Figure]:
    if not results:
        return [Figure("rows", "Rows of each expiration", absent="No expiration has a result.")]
    import altair as alt

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
    for name, title, axis in (
        ("rows", "Rows of each expiration", "rows"),
        ("seconds", "Seconds for each expiration", "seconds"),
    ):
        if name == "seconds" and not any(each["seconds"] for each in results):
            told = "No expiration took any time: none was fetched."
            figures.append(Figure(name, title, absent=told))
            continue
        chart = (
            base()
            .mark_bar(cornerRadius=2)
            .encode(
                y=alt.Y("e:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
                x=alt.X(f"{name}:Q", title=axis, axis=alt.Axis(format="~s", tickCount=5)),
                color=_status_colour(rows),
                tooltip=[
                    alt.Tooltip("e:N", title="expiration"),
                    "status:N",
                    alt.Tooltip("rows:Q", format=","),
                    "seconds:Q",
                    "size:N",
                ],
            )
        )
        figures.append(Figure(name, title, caption, chart, rows, height=60 + 16 * len(rows)))
    return figures


def _waits(results: list[dict[str, Any]]) -> Figure:
    title = "Retries: seconds that expirations waited to ask again"
    waited = sorted((each for each in results if each["waited"] > 0), key=lambda e: -e["waited"])
    if not waited:
        return Figure(
            "retries",
            title,
            absent="The Terminal answered every request: nothing was asked for again.",
        )
    import altair as alt

    rows = [
        {"e": each["label"], "v": each["waited"], "n": each["requests"], "status": each["status"]}
        for each in waited[:12]
    ]
    chart = (
        base()
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y("e:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
            x=alt.X("v:Q", title="seconds"),
            color=_status_colour(rows),
            tooltip=[
                alt.Tooltip("e:N", title="expiration"),
                "status:N",
                alt.Tooltip("v:Q", title="seconds"),
                alt.Tooltip("n:Q", title="requests"),
            ],
        )
    )
    caption = (
        f"{len(waited)} of {len(results)} expirations, "
        f"{sum(each['waited'] for each in waited):.1f} s in all."
    )
    if len(waited) > len(rows):
        caption += f" The {len(rows)} longest."
    return Figure("retries", title, caption, chart, rows, height=220)


def _status_colour(rows: list[dict[str, Any]]) -> Any:
    import altair as alt

    seen = {row["status"] for row in rows}

    # The first colours of the palette: blue is well, vermilion is not.
    order = ["written", "failed", "skipped", "empty", "interrupted"]
    return alt.Color(
        "status:N",
        title=None,
        sort=order,
        scale=alt.Scale(domain=order),
        legend=alt.Legend(values=[each for each in order if each in seen]),
    )


def _errors(run: Record) -> Table:
    rows = [
        (each["expiration"] or "the run", each["error_type"], each["message"])
        for each in run.get("errors", [])[:20]
    ]
    return Table("What failed", ("what", "kind", "why"), rows, absent="Nothing failed.")


def _labelled(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results with a `label`: the trade date, too, where an expiration has several files."""
    names = [f"{each['symbol']} {each['expiration']}" for each in results]
    files = Counter(names)
    return [
        each | {"label": f"{name}, {each['first_trade_date']}" if files[name] > 1 else name}
        for name, each in zip(names, results, strict=True)
    ]


def _instant(text: str) -> float:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).timestamp()

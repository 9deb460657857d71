"""Runs as lines of text."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from textwrap import wrap
from typing import Any

from pipeline.history.model import Head, Record, head_of
from pipeline.table import Column, Table
from pipeline.text import size_text, time_text, without_urls
from transforms.model.trade_dates import readable
from transforms.output.layout import noun_of

_COLUMNS = (
    Column("run", 25),
    Column("status", 13),
    Column("symbols", 12),
    Column("trade dates", 25, leaves=5),
    Column("interval", 9, leaves=4),
    Column("files", 6, right=True, leaves=8),
    Column("rows", 14, right=True, leaves=7),
    Column("size", 10, right=True, leaves=3),
    Column("time", 9, right=True, leaves=6),
    Column("rows/s", 10, right=True, leaves=2),
    Column("memory", 9, right=True, leaves=1),
)
_LISTED = 10
_WIDTH = 100  # where there is no screen


def head_lines(heads: Iterable[Head], width: int | None = None) -> Iterator[tuple[str, str]]:
    """Yields the line of each run in a list, and the run's status; the headings before the first.

    An unknown value is a dash.

    Args:
        heads: of the runs.
        width: of the screen; None for any.
    """
    table = Table(_COLUMNS, width=width)
    for number, head in enumerate(heads):
        if not number:
            yield table.heading(), ""
        dates = "–".join(dict.fromkeys(filter(None, (head["start_date"], head["end_date"]))))
        cells = (
            head["run_id"],
            head["status"],
            ",".join(head["symbols"]) or "-",
            dates or "-",
            head["interval"] or "-",
            # An earlier version's head does not have it.
            head.get("files", "-"),
            f"{head['rows']:,}",
            size_text(head["bytes"]),
            _or_dash(head["seconds"], time_text),
            _or_dash(head["rows_per_second"], "{:,.0f}".format),
            _or_dash(head["memory"], "{:.0f} MiB".format),
        )
        for line in table.lines(cells):
            yield line, head["status"]


def run_lines(
    record: Record, results: Iterable[Record], request: str, width: int | None = None
) -> Iterator[str]:
    """Yields the lines of `runs show`.

    Args:
        record: of the run.
        results: all of it, as `RunHistory.results`.
        request: the flags that it was given.
        width: of the screen; None for any.
    """
    head = head_of(record)
    source = record.get("source") or {}
    yield f"run          {head['run_id']}: {head['status']}"
    yield f"started      {head['start_time']}" + (
        f", took {time_text(head['seconds'])}" if head["seconds"] is not None else ""
    )
    if source:
        yield f"from         {source.get('terminal')} ({source.get('api')}, {source.get('data')})"
    yield from wrap(
        f"request      {request}",
        width or _WIDTH,
        subsequent_indent=" " * 13,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if head["expirations"]:
        yield from _outcome(record, head)
    for error in record.get("errors", ())[:_LISTED]:
        name = f"{error['expiration']}: " if error.get("expiration") else ""
        yield f"failed       {name}{without_urls(error['message'])}"
    if len(record.get("errors", ())) > _LISTED:
        more = max(len(record["errors"]), record.get("failed_expirations", 0)) - _LISTED
        yield f"             and {more:,} more: see --json"
    lacking = (each for each in results if each.get("missing_dates"))
    for each in islice(lacking, _LISTED):
        named = f"{each['symbol']} expiring {each['expiration']}"
        yield f"missing      {named}: no rows on {readable(each['missing_dates'])}"
    if more := sum(1 for _ in lacking):
        yield f"             and {more:,} more: see --json"
    for path in record.get("results_files", ()):
        yield f"results      {path}"
    samples = record.get("samples")
    if samples and samples.get("seconds"):
        yield from _over_time(samples)


def _outcome(record: Record, head: Head) -> Iterator[str]:
    counts = {
        name.removesuffix("_expirations"): record[name]
        for name in record
        if name.endswith("_expirations") and name != "total_expirations" and record[name]
    }
    each = ", ".join(f"{number} {status}" for status, number in counts.items())
    request = record.get("request") or {}
    noun = noun_of(request.get("layout", ""), request.get("greeks", ""))
    yield f"{noun + 's':<13}{head['expirations']}" + (f": {each}" if each else "")
    yield (
        f"rows         {head['rows']:,}, {size_text(head['bytes'])}, "
        f"{_or_dash(head['rows_per_second'], '{:,.0f}'.format)} rows/s, in the best second "
        f"{record.get('peak_throughput', 0):,}"
    )
    yield (
        f"requests     {record.get('total_requests', 0)}, waited {record.get('total_wait', 0)} s "
        "before retries"
    )
    if head["memory"] is not None:
        yield (
            f"memory       {head['memory']:.0f} MiB at most, "
            f"{record.get('average_memory_usage', 0):.0f} on average"
        )


def _over_time(samples: Mapping[str, list[float]]) -> Iterator[str]:
    """Yields a few of a run's samples: at most six, the last one among them."""
    seconds = samples["seconds"]
    step = max(1, (len(seconds) + 4) // 5)
    places = [*range(0, len(seconds) - 1, step), len(seconds) - 1]
    yield "over time       time          rows  in flight     memory"
    for place in places:
        yield (
            f"            {time_text(seconds[place]):>8}{samples['rows'][place]:>14,.0f}"
            f"{samples['in_flight'][place]:>11.0f}{samples['memory'][place]:>7.0f} MiB"
        )


def _or_dash(value: Any, form: Any) -> str:
    return "-" if value is None else str(form(value))

"""The part of the report about the run, from its summary."""

from collections import Counter
from typing import Any

from pipeline.history import Record
from pipeline.reports.expiration_figures import expiration_figures
from pipeline.reports.figure import Section, Table
from pipeline.reports.run_figures import run_figures
from pipeline.text import count, size_text


def run_section(run: Record | None) -> Section:
    """Returns the part of the report about how the run went."""
    if run is None:
        absent = (
            "No run summary was found for these files: name one, or give their place with "
            "--metrics."
        )
        return Section.without("run", "The run", "No run", absent)
    results = _labelled(run.get("expirations", []))
    figures = [*run_figures(run), *expiration_figures(run, results)]
    return Section("run", "The run", _facts(run), figures, [_errors(run)])


def outcome(run: Record) -> str:
    """Returns what became of the expirations: `20 of 21 expirations written, 1 failed`."""
    total = count(run.get("total_expirations", 0), "expiration")
    text = f"{run.get('successful_expirations', 0)} of {total} written"
    for status in ("skipped", "empty", "interrupted", "failed"):
        number = run.get(f"{status}_expirations", 0)
        text += f", {number} {status}" if number else ""
    return text if run.get("failed_expirations") else f"{text}, nothing failed"


def _facts(run: Record) -> list[tuple[str, str]]:
    request = run.get("request", {})
    source = run.get("source", {})
    facts = [
        ("run", f"{run['run_id']}, {run['status']}"),
        ("asked for", _asked(request)),
        ("source", f"{source.get('data', 'unknown')}, {source.get('terminal', 'no Terminal')}"),
        (
            "expirations",
            f"{outcome(run)}; {count(run.get('total_records', 0), 'row')}, "
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


def _errors(run: Record) -> Table:
    rows = [
        (each["expiration"] or "the run", each["error_type"], each["message"])
        for each in run.get("errors", [])[:20]
    ]
    return Table("What failed", ("what", "kind", "why"), rows, absent="Nothing failed.")


def _labelled(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the results, each with a `label`: one of several files has its trade date in it."""
    names = [f"{each['symbol']} {each['expiration']}" for each in results]
    files = Counter(names)
    return [
        each | {"label": f"{name}, {each['first_trade_date']}" if files[name] > 1 else name}
        for name, each in zip(names, results, strict=True)
    ]

"""Two runs side by side, and whether the later one is worse."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.history.model import SUCCEEDED, head_of
from pipeline.text import without_urls

# name -> (key of the record, unit, the sign of a change for the worse, 0 if it is never judged)
_FIGURES = {
    "throughput": ("average_throughput", "rows/s", -1),
    "duration": ("total_duration", "s", 1),
    # Of the same expirations, fewer rows were lost; more are no loss.
    "rows": ("total_records", "", -1),
    "bytes": ("total_data_size", "", 0),
    "peak memory": ("peak_memory_usage", "MiB", 1),
    "failures": ("failed_expirations", "", 1),
    "waiting": ("total_wait", "s", 0),
}
# Settings that choose other rows.
_ASKED = (
    "symbol",
    "start_date",
    "end_date",
    "max_dte",
    "expirations",
    "interval",
    "greeks",
    "parameters",
)
_HOW = (*_ASKED, "format", "compression", "tier")
_JUDGED_ALWAYS = ("failures", "peak memory")


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of two runs.

    Attributes:
        name: of the figure.
        unit: of both values.
        before: of the earlier run, or None if it has none.
        after: of the later one.
        change: (after - before) / before, or None if that is not a number.
        regression: whether the change is for the worse, and exceeds the tolerance.
    """

    name: str
    unit: str
    before: float | None
    after: float | None
    change: float | None
    regression: bool


@dataclass(frozen=True)
class Comparison:
    """Two runs.

    Attributes:
        before: the id of the earlier one.
        after: the id of the later one.
        differences: their settings or sources that differ, as (name, before, after): then rows,
            duration and throughput are not judged.
        figures: side by side.
        regressions: sentences; none if the later one is no worse.
        idle: a sentence for each that fetched nothing: then there is nothing to compare, and no
            figure.
        refused: whether one of those failed.
    """

    before: str
    after: str
    differences: tuple[tuple[str, Any, Any], ...]
    figures: tuple[ComparedFigure, ...]
    regressions: tuple[str, ...]
    idle: tuple[str, ...] = ()
    refused: bool = False

    def describe(self) -> dict[str, Any]:
        """Returns the comparison, JSON-ready."""
        return asdict(self)


def compare(before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float) -> Comparison:
    """Returns two runs side by side.

    One more failure is a regression, and so is memory that grew by more than `tolerance`, or a run
    that did not succeed after one that did. Rows, duration and throughput are judged only where
    both runs had the same settings and market.

    Args:
        before: the record of the earlier run.
        after: the record of the later one.
        tolerance: a share, such as 0.1.
    """
    asked = [_asked(record) for record in (before, after)]
    differences = tuple(
        (name, asked[0].get(name), asked[1].get(name))
        for name in asked[0] | asked[1]
        if asked[0].get(name) != asked[1].get(name)
    )
    same = not differences
    idle = tuple(
        sentence
        for name, record in (("A", before), ("B", after))
        if (sentence := _idle(name, record))
    )
    figures = (
        () if idle else tuple(_figure(name, before, after, tolerance, same) for name in _FIGURES)
    )
    regressions = [_sentence(figure) for figure in figures if figure.regression]
    statuses = before["status"], after["status"]
    if statuses[0] == SUCCEEDED != statuses[1]:
        regressions.insert(0, f"{after['run_id']} {statuses[1]}, and the other one succeeded")
    return Comparison(
        head_of(before)["run_id"],
        head_of(after)["run_id"],
        differences,
        figures,
        tuple(regressions),
        idle,
        bool(idle) and any(_is_refused(record) for record in (before, after)),
    )


def _idle(name: str, record: Mapping[str, Any]) -> str:
    """Returns that a run fetched nothing, and why, or an empty text."""
    if record.get("total_requests") or record.get("total_records"):
        return ""
    if _is_refused(record):
        errors = record.get("errors") or ()
        why = f": {without_urls(errors[0]['message'])}" if errors else ""
        return f"{name} {record['status']} without fetching anything{why}"
    return f"{name} fetched nothing: no file was missing"


def _is_refused(record: Mapping[str, Any]) -> bool:
    nothing = not (record.get("total_requests") or record.get("total_records"))
    return nothing and record["status"] != SUCCEEDED


def _asked(record: Mapping[str, Any]) -> dict[str, Any]:
    request = record.get("request") or {}
    return {
        **{name: request.get(name) for name in _HOW},
        "data": (record.get("source") or {}).get("data"),
        "concurrency": record.get("concurrency"),
    }


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """Yields a comparison as a table, then the regressions."""
    yield f"A: {comparison.before}"
    yield f"B: {comparison.after}"
    yield ""
    if comparison.figures:
        yield f"{'':<12}{'A':>16}{'B':>16}{'change':>9}"
    for figure in comparison.figures:
        change = "" if figure.change is None else f"{figure.change:+.1%}"
        sides = (_text(value, figure.unit) for value in (figure.before, figure.after))
        yield (
            f"{figure.name:<12}"
            + "".join(f"{side:>16}" for side in sides)
            + f"{change:>9}"
            + ("  worse" if figure.regression else "")
        )
    for name, before, after in comparison.differences:
        yield f"they differ in {name}: {before} and {after}"
    if comparison.idle:
        yield from comparison.idle
        yield "so there is nothing to compare"
    elif comparison.differences:
        yield "so throughput, duration and rows are not judged"
    for sentence in comparison.regressions:
        yield f"regression: {sentence}"
    if not comparison.regressions and not comparison.idle:
        yield "no regression in the rest" if comparison.differences else "no regression"


def _figure(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], tolerance: float, same: bool
) -> ComparedFigure:
    key, unit, worse_by = _FIGURES[name]
    old, new = before.get(key), after.get(key)
    if old is None or new is None:
        return ComparedFigure(name, unit, old, new, None, False)
    change = (new - old) / old if old else None
    if name == "failures":
        worse = new > old
    else:
        judged = worse_by and (same or name in _JUDGED_ALWAYS)
        worse = bool(judged and change is not None and change * worse_by > tolerance)
    return ComparedFigure(name, unit, old, new, change, worse)


def _sentence(figure: ComparedFigure) -> str:
    by = "" if figure.change is None else f", {figure.change:+.1%}"
    sides = [_text(value, figure.unit) for value in (figure.before, figure.after)]
    return f"{figure.name} went from {sides[0]} to {sides[1]}{by}"


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.1f}"
    return f"{number} {unit}".rstrip()

"""The results of a run that ends before each request has its own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from transforms.metrics.results_file import read_results
from transforms.metrics.summary import LISTED, RunSummary, Totals
from transforms.model import FAILED, INTERRUPTED, ExpirationResult, Failure, GreeksRequest, key_of
from transforms.model.requests import KeyMarks
from transforms.output.layout import Layout
from transforms.output.manifest import result_of

# Requests are taken in order: those whose results are on their way are among the first ones
# without a result.
_LOOKED_UP = 64


def results_so_far(requests: KeyMarks, paths: Sequence[str], layout: Layout) -> RunSummary:
    """Returns the summary of a run whose graph has none.

    The result of a request is the one that came, else the manifest's; the others are interrupted.

    Args:
        requests: all that were to be fetched, in the order in which they are taken.
        paths: the files of the results that came.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
    """
    marks, totals = requests.fresh(), Totals(files=list(paths))
    for result in read_results(paths):
        key = key_of(result)
        # A bundle that was run again may have left some twice.
        if marks[key] == 0:
            marks[key] = 1
            totals.add(result)
    for place, request in enumerate(marks.unmarked()):
        if place == _LOOKED_UP:
            break
        if (known := _recorded(request, layout)) is not None:
            marks[request.key] = 1
            totals.add(known.describe())
            totals.lines.append(known.line)
    return with_interrupted(totals.summary(read_results(paths)), marks)


def with_interrupted(summary: RunSummary, marks: KeyMarks) -> RunSummary:
    """Returns a summary in which the requests without a result count as interrupted.

    It lists as many of them as it has room for; no file of results has them.

    Args:
        summary: of the results.
        marks: 0 for the requests without a result.
    """
    room = max(0, LISTED - len(summary.expirations))
    described = [
        ExpirationResult(each, INTERRUPTED).describe() for each in islice(marks.unmarked(), room)
    ]
    return replace(
        summary,
        total_expirations=summary.total_expirations + marks.left,
        interrupted_expirations=summary.interrupted_expirations + marks.left,
        expirations=tuple(sorted((*summary.expirations, *described), key=key_of)),
    )


def _recorded(request: GreeksRequest, layout: Layout) -> ExpirationResult | None:
    try:
        return result_of(request, layout)
    except ValueError as error:
        # Nothing that a broken entry says is believed.
        return ExpirationResult(request, FAILED, failure=Failure.of(error))


def result_of_described(request: GreeksRequest, described: Mapping[str, Any]) -> ExpirationResult:
    """Returns the result of a request that a document describes, as `describe` does."""
    names = (
        *("status", "rows", "bytes", "seconds", "requests", "waited", "provisional", "path"),
        *("dates_with_rows", "quality"),
    )
    failure = Failure(**described["error"]) if described.get("error") else None
    started = described["started"]
    return ExpirationResult(
        request,
        failure=failure,
        started=None if started is None else datetime.fromisoformat(started).timestamp(),
        **{name: described[name] for name in names},
    )

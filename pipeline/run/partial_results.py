"""The results of a run that ends before its graph has a summary."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from transforms.model import (
    FAILED,
    INTERRUPTED,
    ExpirationResult,
    Failure,
    GreeksRequest,
    key_of,
)
from transforms.output.layout import Layout
from transforms.output.manifest import result_of

# Requests are taken in order: those whose results are on their way are among the first ones
# without a result.
_LOOKED_UP = 64


def results_so_far(
    requests: Sequence[GreeksRequest], arrived: Iterable[bytes], layout: Layout
) -> list[ExpirationResult]:
    """Returns a result for each request: one that came, else the manifest's, else interrupted.

    Args:
        requests: all that were to be fetched, in the order in which they are taken.
        arrived: the results that came, each the JSON text of `ExpirationResult.describe()`.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
    """
    known = {key_of(each): each for each in map(json.loads, arrived)}
    results = []
    looked_up = 0
    for request in requests:
        described = known.get(request.key)
        if described is not None:
            results.append(result_of_described(request, described))
        elif looked_up < _LOOKED_UP:
            looked_up += 1
            results.append(_recorded(request, layout))
        else:
            results.append(ExpirationResult(request, INTERRUPTED))
    return results


def _recorded(request: GreeksRequest, layout: Layout) -> ExpirationResult:
    try:
        return result_of(request, layout) or ExpirationResult(request, INTERRUPTED)
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

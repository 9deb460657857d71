"""What a run has done when it ends before its graph could tell."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transforms.model import (
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
    requests: Sequence[GreeksRequest], told: Iterable[bytes], layout: Layout
) -> list[ExpirationResult]:
    """Returns a result for each request: as it was told, or as the manifest knows, or interrupted.

    Args:
        requests: all that were to be fetched, in the order in which they are taken.
        told: the results that came, each the JSON text of `ExpirationResult.describe()`.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
        ValueError: an entry of it is broken.
    """
    known = {key_of(each): each for each in map(json.loads, told)}
    results = []
    looked_up = 0
    for request in requests:
        described = known.get(request.key)
        if described is not None:
            results.append(_as_told(request, described))
        elif looked_up < _LOOKED_UP:
            looked_up += 1
            recorded = result_of(request, layout)
            results.append(recorded or ExpirationResult(request, INTERRUPTED))
        else:
            results.append(ExpirationResult(request, INTERRUPTED))
    return results


def _as_told(request: GreeksRequest, told: Mapping[str, Any]) -> ExpirationResult:
    names = (
        *("status", "rows", "bytes", "seconds", "requests", "waited", "provisional", "path"),
        *("dates_with_rows", "quality"),
    )
    failure = Failure(**told["error"]) if told.get("error") else None
    return ExpirationResult(request, failure=failure, **{name: told[name] for name in names})

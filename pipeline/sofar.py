"""What a run has done when it ends before its graph could tell."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from transforms.layout import Layout
from transforms.manifest import COMMITTED, Manifest
from transforms.model import INTERRUPTED, WRITTEN, ExpirationResult, Failure, GreeksRequest

# Requests are taken in order: those whose results are on their way are among the first ones
# without a result.
_LOOKED_UP = 64

Key = tuple[str, str, str, str]


def results_so_far(
    requests: Sequence[GreeksRequest], told: Iterable[Mapping[str, Any]], layout: Layout
) -> list[ExpirationResult]:
    """Returns a result for each request: as it was told, or as the manifest knows, or interrupted.

    Args:
        requests: all that were to be fetched, in the order in which they are taken.
        told: the results that came, as `ExpirationResult.describe()`.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
        ValueError: an entry of it is broken.
    """
    known = {_key(each): each for each in told}
    manifest = Manifest(layout)
    results = []
    looked_up = 0
    for request in requests:
        described = known.get(_key(request.describe()))
        if described is not None:
            results.append(_as_told(request, described))
        elif looked_up < _LOOKED_UP:
            looked_up += 1
            results.append(_as_known(request, manifest, layout))
        else:
            results.append(ExpirationResult(request, INTERRUPTED))
    return results


def _key(described: Mapping[str, Any]) -> Key:
    return (
        described["symbol"],
        described["expiration"],
        described["first_trade_date"],
        described["last_trade_date"],
    )


def _as_told(request: GreeksRequest, told: Mapping[str, Any]) -> ExpirationResult:
    names = (
        *("status", "rows", "bytes", "seconds", "requests", "waited", "provisional", "path"),
        "quality",
    )
    failure = Failure(**told["error"]) if told.get("error") else None
    return ExpirationResult(request, failure=failure, **{name: told[name] for name in names})


def _as_known(request: GreeksRequest, manifest: Manifest, layout: Layout) -> ExpirationResult:
    entry = manifest.read(request)
    if entry is None or (entry.run_id, entry.state) != (layout.run_id, COMMITTED):
        return ExpirationResult(request, INTERRUPTED)
    return ExpirationResult(
        request,
        WRITTEN,
        rows=entry.rows,
        bytes=entry.bytes,
        provisional=entry.provisional,
        path=layout.path(request),
        quality=entry.quality,
    )

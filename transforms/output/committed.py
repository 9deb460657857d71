"""What a run has already made of a request, for when its bundle is run again or it is cut short."""

from transforms.model import EMPTY, WRITTEN, ExpirationResult, GreeksRequest
from transforms.output.layout import Layout
from transforms.output.manifest import COMMITTED, Manifest
from transforms.output.manifest import EMPTY as NOTHING


def result_of(
    request: GreeksRequest, manifest: Manifest, layout: Layout
) -> ExpirationResult | None:
    """Returns the result that this very run has recorded for a request, or None.

    Args:
        request: the request.
        manifest: of the output folder.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
        ValueError: an entry of it is broken.
    """
    entry = manifest.read(request)
    if entry is None or entry.run_id != layout.run_id or entry.request != request.describe():
        return None
    if entry.state == NOTHING:
        return ExpirationResult(request, EMPTY, provisional=entry.provisional)
    if entry.state != COMMITTED:
        return None
    return ExpirationResult(
        request,
        WRITTEN,
        rows=entry.rows,
        bytes=entry.bytes,
        provisional=entry.provisional,
        path=layout.path(request),
        quality=entry.quality,
    )

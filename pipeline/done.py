"""What a run would do with each expiration: what is there already, and what is in the way.

Nothing is fetched or changed to find out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config import DownloadConfig
from pipeline.inventory import Found, look
from pipeline.plan import Plan
from transforms import files
from transforms.layout import Layout
from transforms.model import GreeksRequest

NEW, AGAIN, SKIP, CONFLICT = "new", "again", "skip", "conflict"


@dataclass(frozen=True)
class Intent:
    """What a run would do with one request.

    Attributes:
        request: the request.
        kind: `new` (there is no file), `again` (its file is fetched anew and replaced), `skip` (it
            need not be fetched), or `conflict` (nothing would be fetched).
        reason: why, as a phrase; empty for `new`.
    """

    request: GreeksRequest
    kind: str
    reason: str = ""


def what_is_done(
    plan: Plan, layout: Layout, source: str, config: DownloadConfig
) -> Sequence[Intent]:
    """Returns what a run would do with each request of a plan, in the plan's order.

    Args:
        plan: what is asked for.
        layout: where its files go.
        source: the origin of its rows; see `finding.origin_of`.
        config: the download.

    Raises:
        Conflict: two requests would make the same file, or the folder has the other layout.
        OSError: the manifest can't be read.
        ValueError: an entry of the manifest is broken.
    """
    return [_intent(found, layout) for found in look(plan, layout, source, config)]


def _intent(found: Found, layout: Layout) -> Intent:
    request, entry = found.request, found.entry
    if found.problem is not None:
        return Intent(request, CONFLICT, found.problem)
    if found.reason is not None:
        return Intent(request, SKIP, found.reason)
    if entry is None or not files.exists(layout.path(request)):
        return Intent(request, NEW)
    why = "provisional" if entry.provisional else "not proven, or asked for anew"
    return Intent(request, AGAIN, f"{why}: the run {entry.run_id} made its file")

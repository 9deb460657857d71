"""What a run would do with each expiration: what is there already, and what is in the way.

Nothing is fetched or changed to find out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.plan import Plan
from transforms.layout import Layout
from transforms.manifest import Manifest
from transforms.model import GreeksRequest

NEW, AGAIN, SKIP, CONFLICT = "new", "again", "skip", "conflict"


@dataclass(frozen=True)
class Intent:
    """What a run would do with one request.

    Attributes:
        request: the request.
        kind: `new` (there is no file), `again` (its file is fetched anew and replaced), `skip` (its
            file is proven to be what would be fetched), or `conflict` (nothing would be fetched).
        reason: why, as a phrase; empty for `new`.
    """

    request: GreeksRequest
    kind: str
    reason: str = ""


def what_is_done(plan: Plan, layout: Layout, source: str) -> Sequence[Intent]:
    """Returns what a run would do with each request of a plan, in the plan's order.

    Args:
        plan: what is asked for.
        layout: where its files go.
        source: the origin of its rows; see `finding.origin_of`.

    Raises:
        OSError: the manifest can't be read.
        ValueError: an entry of the manifest is broken.
    """
    manifest = Manifest(layout)
    intents = []
    for request in plan.requests:
        problem = manifest.conflict(request, source)
        entry = manifest.read(request)
        if problem:
            intents.append(Intent(request, CONFLICT, problem))
        elif entry is None:
            intents.append(Intent(request, NEW))
        else:
            intents.append(Intent(request, AGAIN, f"the run {entry.run_id} made its file"))
    return intents

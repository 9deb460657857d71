"""What a run would do with each expiration: what is there already, and what is in the way.

Nothing is fetched or changed to find out.
"""

from dataclasses import dataclass

from pipeline.config.download_config import DownloadConfig
from pipeline.planning.inventory import Found, instead, look
from pipeline.planning.plan import Plan
from transforms.model import GreeksRequest
from transforms.output.layout import Layout
from transforms.storage import files

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


@dataclass(frozen=True)
class Outlook:
    """What a run would do.

    Attributes:
        intents: with each request of a plan, in the plan's order.
        instead: the command that keeps the files that are in the way, and makes the new ones;
            empty if none is.
    """

    intents: tuple[Intent, ...]
    instead: str


def what_is_done(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Outlook:
    """Returns what a run would do with each request of a plan.

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
    intents, in_the_way = [], []
    for found in look(plan, layout, source, config):
        intents.append(_intent(found, layout))
        if found.problem is not None:
            in_the_way.append(found)
    command = instead(in_the_way, config, source) if in_the_way else ""
    return Outlook(tuple(intents), command)


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

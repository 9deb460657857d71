"""Which requests of a plan a download sends, and which it need not."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat

from pipeline.config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.history import Workload
from pipeline.planning.conflicts import Conflicts
from pipeline.planning.decisions import CONFLICT, SKIP, Decision, decide, stock_for
from pipeline.planning.plan import Plan
from pipeline.planning.preconditions import note_layout
from transforms.model import SKIPPED, ExpirationResult, Failure, GreeksRequest
from transforms.model.requests import KeyMarks, Selection
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest
from transforms.thetadata.shared_days import SharedDays

LISTED = 100


@dataclass(frozen=True)
class Inventory:
    """A plan, divided.

    Attributes:
        missing: the requests to send, in the plan's order.
        work: those, added up.
        shared_days: the trade dates that those may share.
        skipped: how many others there are, by the reason why they need not be sent.
        empty: how many of those have no data, and so no file.
        incomplete: how many of those have a file in which trade dates are missing.
        listed: the results of the first `LISTED` of those: a daily job skips ever more, and the
            manifest has them all.
        failures: the plan's.
        broken: how many entries of the manifest are; None before it was read.
    """

    missing: Sequence[GreeksRequest] = ()
    work: Workload = field(default_factory=Workload)
    shared_days: SharedDays = field(default_factory=SharedDays)
    skipped: Mapping[str, int] = field(default_factory=dict)
    empty: int = 0
    incomplete: int = 0
    listed: tuple[ExpirationResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    broken: int | None = None

    @cached_property
    def keys(self) -> KeyMarks:
        """The requests to send, by their keys."""
        return KeyMarks(self.missing)


def take_stock(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Inventory:
    """Returns which requests of a plan must be sent, and which need not; notes the layout.

    Raises:
        Conflict: another request made a file of the plan's, or as `stock_for` and `decide`.
        OSError: the manifest or a file can't be read, or the layout not noted.
    """
    missing = array("I")
    work, shared_days = Workload(), SharedDays()
    listed: list[Decision] = []
    skipped: Counter[str] = Counter()
    conflicts, empty, incomplete = Conflicts(config, source), 0, 0
    stock = stock_for(plan, layout, config, keep=True)
    for place, each in enumerate(decide(plan, layout, source, stock)):
        if each.action == CONFLICT:
            conflicts.add(each)
        elif each.action == SKIP:
            skipped[each.reason] += 1
            empty += each.is_empty
            incomplete += bool(each.missing_dates)
            if len(listed) < LISTED:
                listed.append(each)
        else:
            missing.append(place)
            work.add(each.request)
            shared_days.add(each.request)
    if conflicts.number:
        raise Conflict(conflicts.refusal())
    note_layout(layout, config)
    with ThreadPoolExecutor() as pool:
        # A store's answer takes a while.
        shown = tuple(pool.map(_skipped, listed, repeat(layout)))
    sent = Selection(plan.requests, missing)
    return Inventory(
        sent, work, shared_days, skipped, empty, incomplete, shown, plan.failures, stock.broken
    )


def _skipped(decision: Decision, layout: Layout) -> ExpirationResult:
    path = layout.path(decision.request)
    entry = decision.entry or Manifest(layout.folder).entry_of(path)
    return ExpirationResult(
        request=decision.request,
        status=SKIPPED,
        rows=entry.rows if entry else 0,
        bytes=entry.bytes if entry else 0,
        dates_with_rows=entry.dates_with_rows if entry else "",
        path=None if decision.is_empty else path,
        reason=decision.reason,
        quality=entry.quality if entry else None,
    )

"""What a download would do, what it would come to, and whether there is room."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history import Workload, open_to_read, recent
from pipeline.planning.conflicts import Conflicts
from pipeline.planning.decisions import CONFLICT, SKIP, Decision, decide, stock_for
from pipeline.planning.disk import free_bytes, lack_of_room
from pipeline.planning.estimate import Estimate, from_history
from pipeline.planning.plan import Plan, make_plan
from pipeline.planning.probe import from_probe
from pipeline.planning.source import open_source
from transforms.model.requests import Selection
from transforms.orders import Order
from transforms.orders.greeks import FIRST
from transforms.orders.order import PROFESSIONAL, TIERS
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.thetadata.dialect import parts_of
from transforms.thetadata.shared_days import SharedDays

LISTED = 1000
"""Requests that a preview of more lists."""

ALWAYS, NO_PROBE = "always", "never"


@dataclass(frozen=True)
class Preview:
    """What a download would do.

    Attributes:
        plan: the requests.
        decisions: what it does with each of the first `LISTED` requests; without entries.
        requests: HTTP requests to the Terminal for those that are not skipped: more if answers are
            split or retried, or lack an expiration; fewer if expirations have no quotes at first.
        terminal: its address, and generation.
        data: `live` or `simulated`.
        estimate: of those, or None if nobody knows.
        free: bytes free where the files go, or None where nobody knows.
        lacking: why a download would find too little room, or empty.
        actions: how many requests have each action.
        instead: the command to give where files of other requests are in the way, or empty.
        subscription: the least one that includes the order, and what a lesser one allows instead.
        saved: how many more HTTP requests it would be if no trade dates were shared.
    """

    plan: Plan
    decisions: tuple[Decision, ...]
    requests: int
    terminal: str
    data: str
    estimate: Estimate | None
    free: int | None
    lacking: str = ""
    actions: Mapping[str, int] = field(default_factory=dict)
    instead: str = ""
    subscription: str = ""
    saved: int = 0

    def describe(self) -> dict[str, Any]:
        """Returns the preview, JSON-ready."""
        return {
            "terminal": self.terminal,
            "data": self.data,
            "expirations": [
                {
                    "symbol": each.request.symbol,
                    "expiration": each.request.expiration.isoformat(),
                    "greeks": each.request.greeks,
                    "trade_dates": len(each.request.trade_dates),
                    "requests": len(parts_of(each.request)),
                    "action": each.action,
                    "reason": each.reason,
                    "missing_dates": each.missing_dates,
                }
                for each in self.decisions
            ],
            "actions": dict(self.actions),
            "requests": self.requests,
            "requests_saved": self.saved,
            "estimate": asdict(self.estimate) if self.estimate else None,
            "subscription": self.subscription,
            "free_bytes": self.free,
            "enough_room": not self.lacking,
            "instead": self.instead,
            "closed": [day.isoformat() for day in self.plan.closed],
            "notes": list(self.plan.notes),
            "failures": [asdict(each) for each in self.plan.failures],
        }


def look_ahead(config: DownloadConfig, probe: str, *, shares: bool = True) -> Preview:
    """Returns what a download would do.

    Args:
        config: the download.
        probe: `auto`, `always` or `never`; see `preview`.
        shares: whether its requests share trade dates: all workers are threads of one process.

    Raises:
        ThetaError: the Terminal does not answer, or refuses.
        NothingMatched: it has nothing that was requested.
        Conflict: the folder has the other layout, or two requests would make the same file.
        StoreError: the run history can't be used.
        OSError, ValueError: the manifest can't be read.
    """
    with open_source(config) as source, source.client() as client:
        plan = make_plan(client, config)
        suffix = COMPRESSIONS[config.format][config.compression]
        layout = Layout(config.output, suffix, "plan", config.pattern)
        conflicts = Conflicts(config, source.origin)
        decisions: list[Decision] = []
        actions: Counter[str] = Counter()
        places, work, requests, shared_days = array("I"), Workload(), 0, SharedDays()
        stock = stock_for(plan, layout, config, keep=False)
        for place, each in enumerate(decide(plan, layout, source.origin, stock)):
            actions[each.action] += 1
            if each.action == CONFLICT:
                conflicts.add(each)
            if each.action != SKIP:
                places.append(place)
                work.add(each.request)
                requests += len(parts_of(each.request))
                shared_days.add(each.request)
            if len(decisions) < LISTED:
                decisions.append(replace(each, entry=None))
        instead = conflicts.command_instead() if conflicts.number else ""
        missing = replace(plan, requests=Selection(plan.requests, places))
        saved = requests - shared_days.requests if shares else 0
        # What a download knows: it makes no probe.
        records = recent(open_to_read(config.metrics))
        concurrency = source.concurrency
        expected = from_history(work, config, records, concurrency=concurrency, data=source.data)
        lacking = lack_of_room(client, work, config, expected)
        estimate = expected if probe != ALWAYS else None
        if estimate is None and probe != NO_PROBE:
            shared = shared_days if saved else None
            estimate = from_probe(
                client, missing, config, concurrency=concurrency, shared_days=shared
            )
    return Preview(
        plan,
        tuple(decisions),
        requests - saved,
        " and ".join(f"{each.url} ({each.api})" for each in source.terminals),
        source.data,
        estimate,
        free_bytes(config.output),
        lacking,
        actions,
        instead,
        _subscription(config.orders, [each.api for each in source.terminals]),
        saved,
    )


def _subscription(orders: Sequence[Order], generations: Sequence[str]) -> str:
    """Returns the least subscription that includes all, and what a lesser one can compute."""
    needs = [(order.needs(api), order) for order in orders for api in generations]
    needed, order = max(needs, key=lambda each: TIERS.index(each[0]))
    derived = [name for name in order.columns if name in FIRST.derivable]
    if needed != PROFESSIONAL or not derived or order.v3.priced_by != FIRST.v3.priced_by:
        return needed
    return (
        f"{needed}; with {FIRST.tier}, --greeks {FIRST.name} --derive {','.join(derived)} computes "
        "its further Greeks"
    )

"""What a download would do, what it would come to, and whether there is room."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history import open_to_read, recent
from pipeline.planning.conflicts import command_instead
from pipeline.planning.decisions import CONFLICT, SKIP, Decision, decide
from pipeline.planning.disk import free_bytes, lack_of_room
from pipeline.planning.estimate import Estimate, from_history
from pipeline.planning.plan import Plan, make_plan
from pipeline.planning.probe import from_probe
from pipeline.planning.source import Source, open_source
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.thetadata.client import parts_of

AUTO, ALWAYS, NO_PROBE = "auto", "always", "never"


@dataclass(frozen=True)
class Preview:
    """What a download would do.

    Attributes:
        plan: the requests.
        decisions: what it does with each request; without entries.
        requests: HTTP requests to the Terminal for those that are not skipped, at least.
        terminal: its address, and generation.
        data: `live` or `simulated`.
        estimate: of those, or None if nobody knows.
        free: bytes free where the files go, or None where nobody knows.
        lacking: why a download would find too little room, or empty.
        instead: the command to give where files of other requests are in the way, or empty.
    """

    plan: Plan
    decisions: tuple[Decision, ...]
    requests: int
    terminal: str
    data: str
    estimate: Estimate | None
    free: int | None
    lacking: str = ""
    instead: str = ""

    def describe(self) -> dict[str, Any]:
        """Returns the preview, JSON-ready."""
        return {
            "terminal": self.terminal,
            "data": self.data,
            "expirations": [
                {
                    "symbol": each.request.symbol,
                    "expiration": each.request.expiration.isoformat(),
                    "trade_dates": len(each.request.trade_dates),
                    "requests": len(parts_of(each.request)),
                    "action": each.action,
                    "reason": each.reason,
                    "missing_dates": each.missing_dates,
                }
                for each in self.decisions
            ],
            "requests": self.requests,
            "estimate": asdict(self.estimate) if self.estimate else None,
            "free_bytes": self.free,
            "enough_room": not self.lacking,
            "instead": self.instead,
            "closed": [day.isoformat() for day in self.plan.closed],
            "notes": list(self.plan.notes),
            "failures": [asdict(each) for each in self.plan.failures],
        }


def look_ahead(config: DownloadConfig, probe: str) -> Preview:
    """Returns what a download would do.

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
        conflicts, decisions = [], []
        for each in decide(plan, layout, source.origin, config):
            if each.action == CONFLICT:
                conflicts.append(each)
            decisions.append(replace(each, entry=None))
        instead = command_instead(conflicts, config, source.origin) if conflicts else ""
        fetched = [each.request for each in decisions if each.action != SKIP]
        missing = replace(plan, requests=tuple(fetched))
        # What a download knows: it makes no probe.
        expected = _from_history(missing, config, source)
        lacking = lack_of_room(client, fetched, config, expected)
        estimate = expected if probe != ALWAYS else None
        if estimate is None and probe != NO_PROBE:
            estimate = from_probe(client, missing, config, concurrency=source.concurrency)
    return Preview(
        plan,
        tuple(decisions),
        sum(len(parts_of(request)) for request in fetched),
        " and ".join(f"{each.url} ({each.api})" for each in source.terminals),
        source.data,
        estimate,
        free_bytes(config.output),
        lacking,
        instead,
    )


def _from_history(plan: Plan, config: DownloadConfig, source: Source) -> Estimate | None:
    records = recent(open_to_read(config.metrics))
    return from_history(
        plan.requests, config, records, concurrency=source.concurrency, data=source.data
    )

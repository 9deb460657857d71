"""What a download would do, what it would come to, and whether there is room."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history import open_to_read, recent
from pipeline.planning.conflicts import command_instead
from pipeline.planning.decisions import CONFLICT, SKIP, Decision, decide
from pipeline.planning.disk import free_bytes
from pipeline.planning.estimate import Estimate, from_history
from pipeline.planning.plan import Plan, make_plan
from pipeline.planning.probe import from_probe
from pipeline.planning.source import Source, open_source
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.thetadata import ThetaClient
from transforms.thetadata.client import parts_of

AUTO, ALWAYS, NO_PROBE = "auto", "always", "never"
_ROOM = 1.1
"""How much more than the estimate must be free: unfinished files lie beside the old ones."""


@dataclass(frozen=True)
class Preview:
    """What a download would do.

    Attributes:
        plan: what is asked for.
        decisions: what it does with each request; without entries.
        requests: HTTP requests to the Terminal for what is not skipped, at least.
        terminal: its address, and generation.
        data: `live` or `simulated`.
        estimate: of what is not skipped, or None if nobody knows.
        free: bytes free where the files go, or None where nobody knows.
        instead: the command to give where files of other requests are in the way, or empty.
    """

    plan: Plan
    decisions: tuple[Decision, ...]
    requests: int
    terminal: str
    data: str
    estimate: Estimate | None
    free: int | None
    instead: str = ""

    @property
    def enough(self) -> bool:
        """Whether there is room for all of it, as far as is known."""
        if self.estimate is None or self.free is None:
            return True
        return self.estimate.bytes * _ROOM <= self.free

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
            "enough_room": self.enough,
            "instead": self.instead,
            "closed": [day.isoformat() for day in self.plan.closed],
            "notes": list(self.plan.notes),
        }


def look_ahead(config: DownloadConfig, probe: str) -> Preview:
    """Returns what a download would do.

    Raises:
        ThetaError: the Terminal does not answer, or refuses.
        NothingMatched: it knows nothing of what is asked for.
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
        estimate = _estimate(client, replace(plan, requests=tuple(fetched)), config, source, probe)
    return Preview(
        plan,
        tuple(decisions),
        sum(len(parts_of(request)) for request in fetched),
        " and ".join(f"{each.url} ({each.api})" for each in source.terminals),
        source.data,
        estimate,
        free_bytes(config.output),
        instead,
    )


def _estimate(
    client: ThetaClient,
    plan: Plan,
    config: DownloadConfig,
    source: Source,
    probe: str,
) -> Estimate | None:
    estimate, concurrency = None, source.concurrency
    if probe != ALWAYS:
        records = recent(open_to_read(config.metrics))
        estimate = from_history(
            plan.requests, config, records, concurrency=concurrency, data=source.data
        )
    if estimate is None and probe != NO_PROBE:
        estimate = from_probe(client, plan, config, concurrency=concurrency)
    return estimate

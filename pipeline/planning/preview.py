"""`greeks plan`: what a download would do, what it would come to, and whether there is room."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipeline.config.download_config import DownloadConfig
from pipeline.errors import Conflict, NothingMatched
from pipeline.history import StoreError, open_to_read, recent
from pipeline.planning.disk import free_bytes
from pipeline.planning.estimate import Estimate, from_history
from pipeline.planning.outlook import AGAIN, CONFLICT, SKIP, Intent, what_is_done
from pipeline.planning.plan import Plan, make_plan
from pipeline.planning.probe import from_probe
from pipeline.planning.terminals import found_terminals, one_source
from pipeline.text import size_text
from transforms.model import GreeksRequest
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.thetadata import TerminalUnreachable, ThetaClient, ThetaError
from transforms.thetadata.client import parts_of
from transforms.workers.stop import NEVER

OK, NOTHING, USAGE, NO_TERMINAL = 0, 1, 2, 3
AUTO, ALWAYS, NO_PROBE = "auto", "always", "never"
PROBES = (AUTO, ALWAYS, NO_PROBE)
_ROOM = 1.1
"""How much more than the estimate must be free: unfinished files lie beside the old ones."""


@dataclass(frozen=True)
class Preview:
    """What a download would do.

    Attributes:
        plan: what is asked for.
        intents: what would be done with each request.
        requests: HTTP requests to the Terminal for what is not skipped, at least.
        terminal: its address, and generation.
        data: `live` or `simulated`.
        estimate: of what is not skipped, or None if nobody knows.
        free: bytes free where the files go, or None where nobody knows.
        instead: the command to give where files of other requests are in the way, or empty.
    """

    plan: Plan
    intents: tuple[Intent, ...]
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
                    "intent": each.kind,
                    "reason": each.reason,
                }
                for each in self.intents
            ],
            "requests": self.requests,
            "estimate": asdict(self.estimate) if self.estimate else None,
            "free_bytes": self.free,
            "enough_room": self.enough,
            "instead": self.instead,
            "closed": [day.isoformat() for day in self.plan.closed],
            "notes": list(self.plan.notes),
        }


def preview(config: DownloadConfig, probe: str, as_json: bool) -> int:
    """Prints what a download would do, and returns the exit code that it would have so far.

    Args:
        config: the download.
        probe: one of `PROBES`: whether one expiration is fetched and thrown away for the estimate;
            `auto` does where no earlier run tells.
        as_json: print it as JSON.

    Returns:
        0; 1 if nothing matched or the Terminal refused; 2 if files of other requests are in the
        way, or there is too little room; 3 if no Terminal answers.
    """
    try:
        made = look_ahead(config, probe)
    except Conflict as error:
        print(f"greeks plan: {error}", file=sys.stderr)
        return USAGE
    except (ThetaError, NothingMatched, StoreError) as error:
        print(f"greeks plan: {error}", file=sys.stderr)
        return NO_TERMINAL if isinstance(error, TerminalUnreachable) else NOTHING
    except (OSError, ValueError) as error:
        print(f"greeks plan: --output {config.output} can't be read: {error}", file=sys.stderr)
        return USAGE
    text = json.dumps(made.describe(), indent=2) if as_json else "\n".join(lines(made, config))
    print(text)
    conflicts = any(each.kind == CONFLICT for each in made.intents)
    return USAGE if conflicts or not made.enough else OK


def look_ahead(config: DownloadConfig, probe: str) -> Preview:
    """Returns what a download would do.

    Raises:
        ThetaError: the Terminal does not answer, or refuses.
        NothingMatched: it knows nothing of what is asked for.
        Conflict: the folder has the other layout, or two requests would make the same file.
        StoreError: the run history can't be used.
        OSError, ValueError: the manifest can't be read.
    """
    with (
        found_terminals(config) as (terminals, _),
        terminals[0].client(NEVER) as client,
    ):
        simulation, origin = one_source(terminals, config)
        data = "simulated" if simulation else "live"
        plan = make_plan(client, config)
        suffix = COMPRESSIONS[config.format][config.compression]
        layout = Layout(config.output, suffix, "plan", config.pattern)
        outlook = what_is_done(plan, layout, origin, config)
        fetched = [each.request for each in outlook.intents if each.kind != SKIP]
        estimate = _estimate(
            client,
            replace(plan, requests=tuple(fetched)),
            config,
            sum(each.slots for each in terminals),
            data,
            probe,
        )
    return Preview(
        plan,
        outlook.intents,
        sum(len(parts_of(request)) for request in fetched),
        " and ".join(f"{each.url} ({each.api})" for each in terminals),
        data,
        estimate,
        free_bytes(config.output),
        outlook.instead,
    )


def _estimate(
    client: ThetaClient,
    plan: Plan,
    config: DownloadConfig,
    concurrency: int,
    data: str,
    probe: str,
) -> Estimate | None:
    estimate = None
    if probe != ALWAYS:
        records = recent(open_to_read(config.metrics))
        estimate = from_history(plan.requests, config, records, concurrency=concurrency, data=data)
    if estimate is None and probe != NO_PROBE:
        estimate = from_probe(client, plan, config, concurrency=concurrency)
    return estimate


def lines(made: Preview, config: DownloadConfig) -> Iterator[str]:
    """Yields a preview as text."""
    for note in made.plan.notes:
        yield f"note: {note}"
    if made.plan.closed:
        yield f"the market was closed on {', '.join(map(str, made.plan.closed))}"
    if not made.intents:
        yield "nothing to fetch"
        return
    market = "a simulated market" if made.data == "simulated" else "ThetaData"
    yield f"from {market} at {made.terminal}, to {config.output}; nothing is written"
    yield ""
    yield f"{'symbol':<8}{'expiration':<12}{'trade dates':>12}{'requests':>10}  what would be done"
    for each in made.intents:
        request = each.request
        yield (
            f"{request.symbol:<8}{request.expiration!s:<12}{_dates(request):>12}"
            f"{len(parts_of(request)):>10}  {each.kind}"
            + (f": {each.reason}" if each.reason else "")
        )
    yield ""
    yield from _totals(made, config)


def _dates(request: GreeksRequest) -> str:
    days = request.trade_dates
    return str(days[0]) if len(days) == 1 else str(len(days))


def _totals(made: Preview, config: DownloadConfig) -> Iterator[str]:
    kinds = Counter(each.kind for each in made.intents)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    yield f"expirations  {len(made.intents)}: {told}"
    pages = "; a v2 Terminal's further pages come on top" if "(v2)" in made.terminal else ""
    yield f"requests     {made.requests}{pages}"
    if made.estimate is None:
        yield "rows         unknown: no earlier run tells, and no expiration was fetched to see"
    else:
        estimate = made.estimate
        yield f"rows         about {estimate.rows:,}, after {estimate.basis}"
        yield f"size         about {size_text(estimate.bytes)}"
        yield f"time         about {_duration(estimate.seconds)}"
    if made.free is not None:
        yield f"free         {size_text(made.free)} in {config.output}" + (
            "" if made.enough else ": TOO LITTLE; free some, or choose another --output"
        )
    if kinds[CONFLICT]:
        yield "greeks download would fetch nothing: files of other requests are in the way"
        yield f"to keep both: {made.instead}"
    elif kinds[AGAIN]:
        yield f"greeks download would fetch {kinds[AGAIN]} anew, and replace their files"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"

"""`greeks plan`: prints what a download would do."""

import json
import sys
from collections.abc import Iterator

from pipeline.config import DownloadConfig
from pipeline.errors import Conflict, NothingMatched
from pipeline.history import StoreError
from pipeline.planning.decisions import AGAIN, CONFLICT
from pipeline.planning.preview import Preview, look_ahead
from pipeline.process.standard_output import print_line
from pipeline.process.temporary import own_temporary_folder
from pipeline.table import WRAP, Column, Table, width_of
from pipeline.text import count, reason_of, size_text
from transforms.model import GreeksRequest
from transforms.model.trade_dates import readable
from transforms.thetadata import TerminalUnreachable, ThetaError
from transforms.thetadata.dialect import parts_of

_COLUMNS = (
    Column("symbol", 8),
    Column("expiration", 12),
    Column("trade dates", 12, right=True, leaves=2),
    Column("requests", 10, right=True, leaves=1),
)
_ROOM = 30  # for what would be done
OK, NOTHING, USAGE, NO_TERMINAL = 0, 1, 2, 3


def preview(config: DownloadConfig, probe: str, as_json: bool, *, shares: bool = True) -> int:
    """Prints what a download would do, and returns the exit code that it would have so far.

    Args:
        config: the download.
        probe: `auto`, `always` or `never`: whether one expiration is fetched and thrown away for
            the estimate; `auto` where no earlier run is known.
        as_json: print it as JSON.
        shares: whether its requests share trade dates: all workers are threads of one process.

    Returns:
        0; 1 if nothing matched, or the Terminal refused or did not list a symbol's expirations; 2
        if files of other requests are in the way, or there is too little room; 3 if no Terminal
        answers.
    """
    try:
        with own_temporary_folder():
            made = look_ahead(config, probe, shares=shares)
    except Conflict as error:
        # Of several lines, each of which shows its names escaped.
        print(f"greeks plan: {error}", file=sys.stderr)
        return USAGE
    except (ThetaError, NothingMatched, StoreError) as error:
        print_line(f"greeks plan: {error}", sys.stderr)
        return NO_TERMINAL if isinstance(error, TerminalUnreachable) else NOTHING
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else error
        print_line(f"greeks plan: --output {config.output} can't be read: {reason}", sys.stderr)
        return USAGE
    if as_json:
        print(json.dumps(made.describe(), indent=2))
    else:
        for line in lines(made, config, width_of(sys.stdout)):
            print_line(line)
    for failure in made.plan.failures:
        print_line(f"failed: {failure.message}", sys.stderr)
    if made.actions.get(CONFLICT) or made.lacking:
        return USAGE
    return NOTHING if made.plan.failures else OK


def lines(made: Preview, config: DownloadConfig, width: int | None = None) -> Iterator[str]:
    """Yields a preview as text.

    Args:
        made: the preview.
        config: of the download.
        width: of the screen; None for any.
    """
    for note in made.plan.notes:
        yield f"note: {note}"
    if made.plan.closed:
        yield f"the market was closed on {', '.join(map(str, made.plan.closed))}"
    if not made.decisions:
        yield "nothing to fetch"
        return
    market = "a simulated market" if made.data == "simulated" else "ThetaData"
    yield f"from {market} at {made.terminal}, to {config.output}; nothing is written"
    yield ""
    by_order = len(config.orders) > 1
    columns = (Column("data", 15, leaves=3), *_COLUMNS) if by_order else _COLUMNS
    table = Table(columns, "what would be done", _ROOM, width=width, overflow=WRAP)
    yield table.heading()
    for each in made.decisions:
        request = each.request
        yield from table.lines(
            (
                *([request.greeks] if by_order else []),
                request.symbol,
                request.expiration,
                _dates(request),
                len(parts_of(request)),
            ),
            each.action
            + (f": {each.reason}" if each.reason else "")
            + (f"; no rows on {readable(each.missing_dates)}" if each.missing_dates else ""),
        )
    if (more := sum(made.actions.values()) - len(made.decisions)) > 0:
        yield f"… and {more:,} more"
    yield ""
    yield from _totals(made, config)


def _dates(request: GreeksRequest) -> str:
    days = request.trade_dates
    return str(days[0]) if len(days) == 1 else str(len(days))


def _totals(made: Preview, config: DownloadConfig) -> Iterator[str]:
    actions = made.actions
    each = ", ".join(f"{number} {action}" for action, number in actions.items())
    label = f"{config.noun}s"
    yield f"{label:<13}{sum(actions.values())}: {each}"
    pages = "; a v2 Terminal's further pages come on top" if "(v2)" in made.terminal else ""
    shared = "; all expirations at once where that takes fewer" if made.saved else ""
    yield f"requests     {made.requests}{shared}{pages}"
    yield f"needs        {made.subscription}"
    if made.estimate is None:
        yield "rows         unknown: no earlier run is known, and no expiration was fetched to see"
    else:
        estimate = made.estimate
        yield f"rows         about {estimate.rows:,}, after {estimate.basis}"
        yield f"size         about {size_text(estimate.bytes)}"
        yield f"time         about {_duration(estimate.seconds)}"
    if made.free is not None:
        yield f"free         {size_text(made.free)} in {config.output}" + (
            ": TOO LITTLE; free some, or choose another --output" if made.lacking else ""
        )
    if made.lacking:
        yield f"greeks download would fetch nothing: {made.lacking}"
    if actions.get(CONFLICT):
        yield "greeks download would fetch nothing: files of other requests are in the way"
        yield f"to keep both: {made.instead}"
    elif again := actions.get(AGAIN):
        replaced = "its file" if again == 1 else "their files"
        yield f"greeks download would fetch {again} again, and replace {replaced}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return count(round(seconds), "second")
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"

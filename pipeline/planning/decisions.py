"""What a download does with each request of a plan: fetch it, skip it, or refuse to begin.

Nothing is fetched or changed to find out.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice

from pipeline.config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.planning.plan import Plan
from pipeline.planning.preconditions import check_file_system, check_layout, check_paths
from transforms.model import GreeksRequest
from transforms.output.entry import EMPTY, Entry
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest, conflict
from transforms.output.resume import Resume
from transforms.output.stock import Stock
from transforms.quality.limits import Limit, broken, parse_limits
from transforms.storage import files
from transforms.text.foreign import on_a_line

NEW, AGAIN, SKIP, CONFLICT = "new", "again", "skip", "conflict"
_THREADS = 8
_AT_ONCE = 1000


@dataclass(frozen=True)
class Decision:
    """What a download does with one request.

    Attributes:
        request: the request.
        action: `new` (there is no file), `again` (its file is fetched again and replaced), `skip`
            (it need not be fetched), or `conflict` (its file must not be written, so nothing is
            fetched).
        reason: why, as a phrase; empty for `new`.
        missing_dates: the trade dates that its file should have and has not, as
            `trade_dates.spans`.
        entry: of its file in the manifest, or None if there is none, or was no need to read it.
        is_empty: it is skipped since it has no data, and so no file.
    """

    request: GreeksRequest
    action: str
    reason: str = ""
    missing_dates: str = ""
    entry: Entry | None = None
    is_empty: bool = False


def stock_for(plan: Plan, layout: Layout, config: DownloadConfig, *, keep: bool) -> Stock:
    """Returns what is there of a plan, in a folder that a download may write to.

    Args:
        plan: the requests.
        layout: where their files go.
        config: the download.
        keep: brings the manifest's index up to date.

    Raises:
        Conflict: two requests would make the same file, the folder has the other layout or files
            of another form, or no file could be put in place.
        OSError: the folder can't be read, or the index not be written.
    """
    check_file_system(layout)
    check_layout(layout, config)
    check_paths(plan, layout, config)
    form = (config.format, config.compression)
    resume = Resume(config.resume, config.retry_empty_after)
    is_refused = partial(_too_low, parse_limits(config.fail_on))
    now = datetime.now(timezone.utc)
    return Stock(layout.folder, form, resume, now, is_refused, keep=keep)


def decide(plan: Plan, layout: Layout, source: str, stock: Stock) -> Iterator[Decision]:
    """Yields what a download does with each request of a plan, in the plan's order.

    Args:
        plan: the requests.
        layout: where their files go.
        source: of their rows; see `GreeksRequest.origin`.
        stock: what is there of them.

    Raises:
        Conflict: an entry of the manifest is broken.
        OSError: the manifest or a file can't be read.
    """
    manifest = Manifest(layout.folder)

    def by_listing(request: GreeksRequest) -> Decision | None:
        name = layout.name(request)
        if known := stock.known(request, name, request.origin(source)):
            return Decision(request, SKIP, known.reason, known.missing_dates, None, known.is_empty)
        return None if stock.has(name) else Decision(request, NEW)

    def decision(request: GreeksRequest) -> Decision:
        path, origin = layout.path(request), request.origin(source)
        entry = _entry_of(manifest, path)
        problem = conflict(path, entry, request, origin)
        if problem:
            # Another run may have committed the file after its entry was looked for; that came
            # first, so that now it is there.
            entry = _entry_of(manifest, path)
            problem = conflict(path, entry, request, origin)
        if problem:
            return Decision(request, CONFLICT, problem, entry=entry)
        own = entry if entry is not None and entry.is_of(request, origin) else None
        missing = own.missing_dates if own is not None else ""
        reason = stock.reason_to_skip(own, path)
        # What this run would fail must not pass because an earlier one let it.
        if reason and own is not None and not stock.is_refused(_findings(own), own.rows):
            return Decision(request, SKIP, reason, missing, entry, own.state == EMPTY)
        if entry is None or not files.exists(path):
            return Decision(request, NEW, entry=entry)
        why = "not proven, or asked for again"
        if entry.provisional:
            why = "provisional"
        elif missing:
            why = "trade dates are missing"
        reason = f"{why}: the run {entry.run_id} made its file"
        return Decision(request, AGAIN, reason, missing, entry)

    # Threads: hashing frees the GIL, and a file system may be far away.
    with ThreadPoolExecutor(_THREADS) as pool:
        rest = iter(plan.requests)
        while some := list(islice(rest, _AT_ONCE)):
            decided = [by_listing(each) for each in some]
            unknown = [each for each, known in zip(some, decided, strict=True) if known is None]
            read = pool.map(decision, unknown)
            yield from (known or next(read) for known in decided)


def _entry_of(manifest: Manifest, path: str) -> Entry | None:
    try:
        return manifest.entry_of(path)
    except ValueError as error:
        raise Conflict(on_a_line(f"nothing was fetched: {error}", None)) from error


def _findings(entry: Entry) -> Mapping[str, int]:
    return {each["rule"]: each["count"] for each in (entry.quality or {}).get("findings", ())}


def _too_low(limits: Sequence[Limit], findings: Mapping[str, int], rows: int) -> bool:
    return bool(broken(limits, findings, rows))

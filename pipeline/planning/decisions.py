"""What a download does with each request of a plan: fetch it, skip it, or refuse to begin.

Nothing is fetched or changed to find out.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone

from pipeline.config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.planning.plan import Plan
from pipeline.planning.preconditions import check_file_system, check_layout, check_paths
from transforms.model import GreeksRequest
from transforms.output.entry import Entry
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest, conflict
from transforms.output.resume import Resume, reason_to_skip
from transforms.quality.limits import Limit, broken, parse_limits
from transforms.storage import files

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
        entry: of its file in the manifest, or None.
    """

    request: GreeksRequest
    action: str
    reason: str = ""
    missing_dates: str = ""
    entry: Entry | None = None


def decide(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Iterator[Decision]:
    """Yields what a download does with each request of a plan, in the plan's order.

    Args:
        plan: the requests.
        layout: where their files go.
        source: the origin of their rows, as the manifest names it.
        config: the download.

    Raises:
        Conflict: two requests would make the same file, the folder has the other layout or files
            of another form, no file could be put in place, or an entry of the manifest is broken.
        OSError: the manifest or a file can't be read.
    """
    check_file_system(layout)
    check_layout(layout, config)
    check_paths(plan, layout)
    form = (config.format, config.compression)
    resume = Resume(config.resume, config.retry_empty_after)
    limits = parse_limits(config.fail_on)
    manifest, now = Manifest(layout.folder), datetime.now(timezone.utc)

    def decision(request: GreeksRequest) -> Decision:
        path = layout.path(request)
        entry = _entry_of(manifest, path)
        problem = conflict(path, entry, request, source)
        if problem:
            # Another run may have committed the file after its entry was looked for; that came
            # first, so that now it is there.
            entry = _entry_of(manifest, path)
            problem = conflict(path, entry, request, source)
        if problem:
            return Decision(request, CONFLICT, problem, entry=entry)
        own = entry if entry is not None and entry.is_of(request, source) else None
        missing = own.missing_dates if own is not None else ""
        reason = reason_to_skip(own, path, form, resume, now)
        # What this run would fail must not pass because an earlier one let it.
        if reason and not (own is not None and _too_low(own, limits)):
            return Decision(request, SKIP, reason, missing, entry)
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
        for start in range(0, len(plan.requests), _AT_ONCE):
            yield from pool.map(decision, plan.requests[start : start + _AT_ONCE])


def _entry_of(manifest: Manifest, path: str) -> Entry | None:
    try:
        return manifest.entry_of(path)
    except ValueError as error:
        raise Conflict(f"nothing was fetched: {error}") from error


def _too_low(entry: Entry, limits: Sequence[Limit]) -> bool:
    quality = entry.quality or {}
    counts = {each["rule"]: each["count"] for each in quality.get("findings", ())}
    return bool(broken(limits, counts, entry.rows))

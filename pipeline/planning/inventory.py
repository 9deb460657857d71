"""What of a plan is there already, and what of it is in the way: before anything is fetched."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from pipeline.config.command import command_of
from pipeline.config.download_config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.planning.plan import Plan
from transforms.model import SKIPPED, ExpirationResult, GreeksRequest
from transforms.output.entry import EMPTY, Entry
from transforms.output.layout import BY_EXPIRATION, DAILY, Layout
from transforms.output.manifest import Manifest, conflict
from transforms.output.resume import Resume, reason_to_skip
from transforms.quality.limits import Limit, broken, parse_limits
from transforms.storage import files

LISTED = 100
_SHOWN = 3
_THREADS = 8
_AT_ONCE = 1000


@dataclass(frozen=True)
class Inventory:
    """A plan, divided.

    Attributes:
        missing: the requests to send, in the plan's order.
        skipped: how many others there are, by the reason why they need not be sent.
        empty: how many of those have no data, and so no file.
        listed: the results of the first `LISTED` of those: a daily job skips ever more, and the
            manifest has them all.
    """

    missing: tuple[GreeksRequest, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    empty: int = 0
    listed: tuple[ExpirationResult, ...] = ()


@dataclass(frozen=True)
class Found:
    """A request, and what was found of it.

    Attributes:
        request: the request.
        entry: of its file in the manifest, or None.
        problem: why its file must not be written, or None.
        reason: why it need not be fetched, or None.
    """

    request: GreeksRequest
    entry: Entry | None
    problem: str | None
    reason: str | None


def look(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Iterator[Found]:
    """Yields what is found of each request of a plan, in its order; changes nothing.

    Raises:
        Conflict: two requests would make the same file, the folder has the other layout or files
            of another form, or an entry of the manifest is broken.
        OSError: the manifest or a file can't be read.
    """
    _refuse_other_layout(layout, config)
    _refuse_twice(plan, layout)
    form = (config.format, config.compression)
    resume = Resume(config.resume, config.retry_empty_after)
    limits = parse_limits(config.fail_on)
    manifest, now = Manifest(layout.folder), datetime.now(timezone.utc)

    def look_at(request: GreeksRequest) -> Found:
        path = layout.path(request)
        entry = _entry_of(manifest, path)
        problem = conflict(path, entry, request, source)
        if problem:
            # Another run may have committed the file after its entry was looked for; that came
            # first, so that now it is there.
            entry = _entry_of(manifest, path)
            problem = conflict(path, entry, request, source)
        own = entry if entry is not None and entry.is_of(request, source) else None
        reason = None if problem else reason_to_skip(own, path, form, resume, now)
        if own is not None and _too_low(own, limits):
            # What this run would fail must not pass because an earlier one let it.
            reason = None
        return Found(request, entry, problem, reason)

    # Threads: hashing frees the GIL, and a file system may be far away.
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(plan.requests), _AT_ONCE):
            yield from pool.map(look_at, plan.requests[start : start + _AT_ONCE])


def _entry_of(manifest: Manifest, path: str) -> Entry | None:
    try:
        return manifest.entry_of(path)
    except ValueError as error:
        raise Conflict(f"nothing was fetched: {error}") from error


def take_stock(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Inventory:
    """Returns which requests of a plan must be sent, and which need not; notes the layout.

    Raises:
        Conflict: another request made a file of the plan's, or as `look`.
        OSError: the manifest or a file can't be read, or the layout not noted.
    """
    missing: list[GreeksRequest] = []
    listed: list[ExpirationResult] = []
    skipped: Counter[str] = Counter()
    in_the_way, empty = [], 0
    for found in look(plan, layout, source, config):
        if found.problem is not None:
            in_the_way.append(found)
        elif found.reason is None:
            missing.append(found.request)
        else:
            skipped[found.reason] += 1
            empty += found.entry is not None and found.entry.state == EMPTY
            if len(listed) < LISTED:
                listed.append(_skipped(found, layout))
    problems = [each.problem for each in in_the_way if each.problem is not None]
    if problems:
        raise Conflict(_refusal(problems, instead(in_the_way, config, source)))
    noted = {"layout": config.layout, "suffix": layout.suffix}
    if files.read_json(layout.folder.layout) != noted:
        files.write_json(layout.folder.layout, noted, layout.temporary)
    return Inventory(tuple(missing), skipped, empty, tuple(listed))


def _too_low(entry: Entry, limits: Sequence[Limit]) -> bool:
    quality = entry.quality or {}
    counts = {each["rule"]: each["count"] for each in quality.get("findings", ())}
    return bool(broken(limits, counts, entry.rows))


def _skipped(found: Found, layout: Layout) -> ExpirationResult:
    entry = found.entry
    assert entry is not None  # noqa: S101 -- it gave the reason
    return ExpirationResult(
        request=found.request,
        status=SKIPPED,
        rows=entry.rows,
        bytes=entry.bytes,
        path=None if entry.state == EMPTY else layout.path(found.request),
        reason=found.reason,
        quality=entry.quality,
    )


def _refuse_twice(plan: Plan, layout: Layout) -> None:
    paths: dict[str, GreeksRequest] = {}
    for request in plan.requests:
        path = layout.path(request)
        if path in paths:
            raise Conflict(
                f"{path} would be made by {paths[path]} and by {request}: nothing was fetched. "
                "Choose a --file_name_pattern that tells them apart"
            )
        paths[path] = request


def _refuse_other_layout(layout: Layout, config: DownloadConfig) -> None:
    """Returns if a folder has no files yet, or files of this layout and form.

    Otherwise who reads the folder would get the same rows twice, or could not read it at once.

    Raises:
        Conflict: it has others.
    """
    first = next(files.below(layout.folder.entries), None)
    if first is None:
        return
    # Folders from before there was a choice have files for expirations.
    noted = files.read_json(layout.folder.layout) or {}
    kind, suffix = noted.get("layout", BY_EXPIRATION), noted.get("suffix", layout.suffix)
    output = config.output.rstrip("/")
    if kind != config.layout:
        each = {BY_EXPIRATION: "expiration", DAILY: "trade date and expiration"}
        has, would = f"one file for each {each[kind]}", f"one for each {each[config.layout]}"
        other = replace(config, output=f"{output}-{config.layout}")
    elif suffix != layout.suffix:
        has, would = f"{suffix} files", f"{layout.suffix} files"
        other = replace(config, output=f"{output}-{layout.suffix.strip('.').replace('.', '-')}")
    else:
        return
    raise Conflict(
        f"{config.output} has {has}, and this would put {would} beside them: who reads the folder "
        f"would get rows twice. Nothing was fetched. To have both:\n  {command_of(other)}"
    )


def _refusal(problems: list[str], command: str) -> str:
    more = f"\n(and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
    return (
        "nothing was fetched, and every file is as it was:\n"
        + "\n".join(problems[:_SHOWN])
        + more
        + f"\nTo keep both:\n  {command}"
    )


def instead(in_the_way: Sequence[Found], config: DownloadConfig, source: str) -> str:
    """Returns the command that does what the user probably wants.

    Args:
        in_the_way: those of the requests whose files others made; at least one.
        config: the download that they are in the way of.
        source: the origin of its rows.
    """
    if config.layout == BY_EXPIRATION and all(map(_other_dates, in_the_way)):
        # Days are being gathered: a file for each.
        output = f"{config.output.rstrip('/')}-daily"
        return command_of(replace(config, layout=DAILY, file_name_pattern="", output=output))
    others = {found.entry.source for found in in_the_way if found.entry is not None} - {source}
    return command_of(replace(config, output=_elsewhere(config, source if others else "")))


def _other_dates(found: Found) -> bool:
    """Whether only the trade dates are others than those of the file that is there."""
    if found.entry is None:
        return False
    made, wanted = found.entry.request, found.request.describe()
    differing = {name for name in [*made, *wanted] if made.get(name) != wanted.get(name)}
    return differing <= {"first_trade_date", "last_trade_date", "trade_dates"}


def _elsewhere(config: DownloadConfig, source: str) -> str:
    """A folder whose name says what makes this request another one."""
    span = dict.fromkeys((f"{config.start_date:%Y%m%d}", f"{config.end_date:%Y%m%d}"))
    parts = [config.output.rstrip("/"), *span, config.interval]
    if config.greeks not in ("first_order", config.interval):
        parts.append(config.greeks)
    return "-".join([*parts, *re.findall(r"\w+", source)])

"""What of a plan is there already, and what of it is in the way: before anything is fetched."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from pipeline.commandline import command_of
from pipeline.config import DownloadConfig
from pipeline.plan import Plan
from transforms import files
from transforms.layout import BY_EXPIRATION, DAILY, Layout
from transforms.manifest import EMPTY, Entry, Manifest, conflict
from transforms.model import SKIPPED, ExpirationResult, GreeksRequest
from transforms.resume import Resume, reason_to_skip

_SHOWN = 3
_THREADS = 8


class Conflict(Exception):
    """Files of other requests, or another run, are in the way."""


@dataclass(frozen=True)
class Inventory:
    """A plan, divided.

    Attributes:
        missing: the requests to send, in the plan's order.
        skipped: the results of the others, whose files are there.
    """

    missing: tuple[GreeksRequest, ...]
    skipped: tuple[ExpirationResult, ...]


@dataclass(frozen=True)
class _Found:
    """A request, and what was found of it."""

    request: GreeksRequest
    entry: Entry | None
    problem: str | None
    reason: str | None


def take_stock(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> Inventory:
    """Returns which requests of a plan must be sent, and which need not.

    Raises:
        Conflict: another request made a file of the plan's, two of its requests would make the
            same one, or the folder has the other layout.
        OSError: the manifest or a file can't be read.
        ValueError: an entry of the manifest is broken.
    """
    _refuse_other_layout(layout, config)
    _refuse_twice(plan, layout)
    form = (config.format, config.compression)
    resume = Resume(config.resume, config.retry_empty_after)
    manifest, now = Manifest(layout), datetime.now(timezone.utc)

    def look(request: GreeksRequest) -> _Found:
        entry, path = manifest.read(request), layout.path(request)
        problem = conflict(path, entry, request, source)
        own = entry if entry is not None and entry.is_of(request, source) else None
        reason = None if problem else reason_to_skip(own, path, form, resume, now)
        return _Found(request, entry, problem, reason)

    # Threads: hashing frees the GIL, and a file system may be far away.
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(look, plan.requests))
    in_the_way = [each for each in found if each.problem is not None]
    problems = [each.problem for each in in_the_way if each.problem is not None]
    if problems:
        raise Conflict(_refusal(problems, _instead(in_the_way, config)))
    return Inventory(
        tuple(each.request for each in found if each.reason is None),
        tuple(_skipped(each, layout) for each in found if each.reason is not None),
    )


def _skipped(found: _Found, layout: Layout) -> ExpirationResult:
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
    """Notes a new folder's layout; the same rows in both would be read twice.

    Raises:
        Conflict: the folder has the other layout.
    """
    path = f"{layout.meta}/layout.json"
    document = files.read_json(path)
    if document is None:
        # Folders from before there was a choice have files for expirations.
        old = next(files.below(layout.entries), None) is not None
        kind = BY_EXPIRATION if old else config.layout
        files.write_json(path, {"layout": kind}, layout.temporary)
    else:
        kind = document["layout"]
    if kind != config.layout:
        wanted = {BY_EXPIRATION: "expiration", DAILY: "trade date and expiration"}
        raise Conflict(
            f"{config.output} has one file for each {wanted[kind]}, and --layout {config.layout} "
            f"would put one for each {wanted[config.layout]} beside them: who reads the folder "
            "would get rows twice. Nothing was fetched. To have both:\n  "
            + command_of(replace(config, output=f"{config.output.rstrip('/')}-{config.layout}"))
        )


def _refusal(problems: list[str], command: str) -> str:
    more = f"\n(and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
    return (
        "nothing was fetched, and every file is as it was:\n"
        + "\n".join(problems[:_SHOWN])
        + more
        + f"\nTo keep both:\n  {command}"
    )


def _instead(in_the_way: list[_Found], config: DownloadConfig) -> str:
    """The command that does what the user probably wants."""
    if config.layout == BY_EXPIRATION and all(map(_other_dates, in_the_way)):
        # Days are being gathered: a file for each.
        output = f"{config.output.rstrip('/')}-daily"
        return command_of(replace(config, layout=DAILY, file_name_pattern="", output=output))
    return command_of(replace(config, output=_elsewhere(config)))


def _other_dates(found: _Found) -> bool:
    """Whether only the trade dates are others than those of the file that is there."""
    if found.entry is None:
        return False
    made, wanted = found.entry.request, found.request.describe()
    differing = {name for name in [*made, *wanted] if made.get(name) != wanted.get(name)}
    return differing <= {"first_trade_date", "last_trade_date", "trade_dates"}


def _elsewhere(config: DownloadConfig) -> str:
    """A folder whose name says what makes this request another one."""
    span = dict.fromkeys((f"{config.start_date:%Y%m%d}", f"{config.end_date:%Y%m%d}"))
    parts = [config.output.rstrip("/"), *span, config.interval]
    if config.greeks not in ("first_order", config.interval):
        parts.append(config.greeks)
    return "-".join(parts)

"""What must hold of an output folder before a download begins."""

from dataclasses import replace

import numpy as np

from pipeline.config import DownloadConfig, command_of
from pipeline.errors import Conflict
from pipeline.planning.disk import on_two_disks
from pipeline.planning.plan import Plan
from transforms.model import GreeksRequest
from transforms.output.folder import part_of
from transforms.output.layout import BY_EXPIRATION, BY_ORDER, DAILY, PATTERNS, Layout
from transforms.storage import documents, files


def check_paths(plan: Plan, layout: Layout, config: DownloadConfig) -> None:
    """Checks that each request of a plan makes a file of its own.

    Raises:
        Conflict: two would make the same.
    """
    if not config.file_name_pattern:
        return  # it has all that distinguishes the requests of such a plan
    # By their hashes first: the names of 100,000 requests would take 15 MiB.
    hashes = np.sort(np.fromiter((hash(layout.name(each)) for each in plan.requests), np.int64))
    alike = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    paths: dict[str, GreeksRequest] = {}
    for request in plan.requests if alike else ():
        path = layout.path(request)
        if hash(layout.name(request)) not in alike:
            continue
        if path in paths:
            raise Conflict(
                f"{path} would be made by {paths[path]} and by {request}: nothing was fetched. "
                "Choose a --file_name_pattern that distinguishes them"
            )
        paths[path] = request


def check_file_system(layout: Layout) -> None:
    """Checks that unfinished files will be on the file system of the finished ones.

    Raises:
        Conflict: they would not.
    """
    if problem := on_two_disks(layout.folder):
        raise Conflict(
            f"--output {layout.output}: {problem}. Nothing was fetched. Remove the "
            "link, or choose another --output"
        )


def check_layout(layout: Layout, config: DownloadConfig) -> None:
    """Checks that a folder has no files yet, or only files of this layout and form.

    Otherwise whoever reads the folder would get the same rows twice, or could not read it at once.

    Raises:
        Conflict: it has others.
        OSError: the folder can't be read.
    """
    first = next(files.below(layout.folder.entries), None)
    if first is None:
        if part := part_of(layout.folder):
            raise Conflict(f"--output {part}")
        return
    # Folders from before there was a choice have files for expirations.
    try:
        noted = documents.read_json(layout.folder.layout) or {}
        kind, suffix = noted.get("layout", BY_EXPIRATION), noted.get("suffix", layout.suffix)
        by_order = noted.get("by_order", False)
        broken = kind not in PATTERNS or not isinstance(suffix, str)
    except (ValueError, RecursionError, AttributeError, TypeError):
        broken = True
    if broken:
        raise Conflict(
            f"{layout.folder.layout} does not hold how the folder's files are named. Nothing was "
            "fetched. Move it away if all of them are one for each expiration"
        )
    output = config.output.rstrip("/")
    if kind != config.layout:
        each = {BY_EXPIRATION: "expiration", DAILY: "trade date and expiration"}
        has, would = f"one file for each {each[kind]}", f"one for each {each[config.layout]}"
        other = replace(config, output=f"{output}-{config.layout}")
    elif suffix != layout.suffix:
        has, would = f"{suffix} files", f"{layout.suffix} files"
        other = replace(config, output=f"{output}-{layout.suffix.strip('.').replace('.', '-')}")
    elif by_order and not _by_order(config):
        has, would = "a folder for each order of data", f"files of {config.greeks}"
        other = replace(config, file_name_pattern=BY_ORDER + config.pattern)
    elif len(config.orders) > 1 and not by_order:
        has, would = "files of one order of data", "a folder for each of several"
        other = replace(config, output=f"{output}-{config.greeks.replace(',', '-')}")
    else:
        return
    raise Conflict(
        f"{config.output} has {has}, and this would put {would} beside them: whoever reads the "
        f"folder would get rows twice. Nothing was fetched. To have both:\n  {command_of(other)}"
    )


def note_layout(layout: Layout, config: DownloadConfig) -> None:
    """Writes down the layout of a folder, for `check_layout` of later runs.

    Raises:
        OSError: it can't be written.
    """
    before = documents.read_json(layout.folder.layout)
    by_order = _by_order(config) if before is None else before.get("by_order", False)
    kind = {"layout": config.layout, "suffix": layout.suffix}
    noted = kind | ({"by_order": True} if by_order else {})
    if before != noted:
        documents.write_json(layout.folder.layout, noted, layout.temporary)


def _by_order(config: DownloadConfig) -> bool:
    return config.pattern.startswith(BY_ORDER)

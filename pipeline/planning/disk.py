"""Whether what a run will write is likely to fit on the disk."""

import os
import shutil
from pathlib import Path

from pipeline.config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.history.pace import Pace
from pipeline.history.sizes import Sizes, Workload, days_to_expiration
from pipeline.planning.estimate import Estimate, from_sizes, usual_bytes_per_row
from pipeline.text import count, size_text
from transforms.output.folder import OutputFolder
from transforms.storage import files
from transforms.thetadata import MalformedResponse, StatusError, ThetaClient

_ROOM = 1.1
"""How much more than is expected must be free: unfinished files lie beside the old ones."""

_ENTRIES = 2
"""Files of each request: its data and its entry in the manifest."""


def free_bytes(path: str) -> int | None:
    """Returns the bytes free where a folder is or would be made; None on other file systems."""
    return shutil.disk_usage(nearest(path)).free if files.is_local(path) else None


def free_entries(path: str) -> int | None:
    """Returns how many files may be added to a folder's disk; None where there is no such limit."""
    if not files.is_local(path):
        return None
    disk = os.statvfs(nearest(path))
    return disk.f_favail if disk.f_files else None


def nearest(path: str) -> Path:
    """Returns a folder of this machine, or where it is not there the nearest one above it."""
    place = Path(path).absolute()
    # Below a folder that may not be searched, nothing is seen.
    while not os.access(place, os.F_OK, effective_ids=True):
        place = place.parent
    return place


def on_two_disks(folder: OutputFolder) -> str:
    """Returns why no file could be put in place by a rename, or an empty text."""
    if not files.is_local(folder.path):
        return ""
    if nearest(folder.target).stat().st_dev == nearest(folder.unfinished).stat().st_dev:
        return ""
    return (
        f"{folder.meta} is on another file system than {folder.path}, so that no file could be put "
        "in place whole"
    )


def refuse_full_disk(
    client: ThetaClient,
    work: Workload,
    config: DownloadConfig,
    expected: Estimate | None,
) -> None:
    """Checks that the files of some requests can be expected to fit on the disk.

    Raises:
        Conflict: they are expected to take more than is free.
        ThetaError: the Terminal did not answer.
    """
    if problem := lack_of_room(client, work, config, expected):
        raise Conflict(
            f"{problem}: nothing was fetched. Make room, choose another --output or --format "
            "parquet, or start anyway with --no_disk_check"
        )


def lack_of_room(
    client: ThetaClient,
    work: Workload,
    config: DownloadConfig,
    expected: Estimate | None,
) -> str:
    """Returns why the files of some requests are not expected to fit on the disk, or an empty text.

    Args:
        client: of the Terminal, which is asked for strikes if nothing is expected yet.
        work: what will be fetched.
        config: how.
        expected: by earlier runs, or None.

    Raises:
        ThetaError: the Terminal did not answer.
    """
    free, entries = free_bytes(config.output), free_entries(config.output)
    if not (config.check_disk and work.number) or free is None:
        return ""
    of = count(work.number, "file")
    if entries is not None and entries < _ENTRIES * work.number:
        return (
            f"the disk of {config.output} has {entries:,} free inodes, and {of} and their "
            f"manifest take {_ENTRIES * work.number:,}"
        )
    needed = expected.bytes if expected else expected_bytes(client, work, config)
    if needed * _ROOM <= free:
        return ""
    return (
        f"{config.output} has {size_text(free)} of free space, and {of} are expected to take about "
        f"{size_text(needed)}"
    )


def expected_bytes(client: ThetaClient, work: Workload, config: DownloadConfig) -> int:
    """Returns about how many bytes the files of some requests will take, 0 if nobody knows.

    The contracts are those that the Terminal lists for each symbol's nearest and farthest
    expiration, and as many as lie between for the others. That is rather too many than too few.

    Raises:
        ThetaError: the Terminal did not answer.
    """
    sizes = Sizes()
    for kind, nearest in work.nearest.items():
        for request in (nearest, work.farthest[kind]):
            try:
                contracts = client.listed_contracts(request)
            except (StatusError, MalformedResponse):
                return 0  # a Terminal without such a list: it may well have the data
            if "strike_range" in (given := dict(config.parameters)):
                # So many above the money and below, and the one at it: calls and puts.
                contracts = min(contracts, 2 * (2 * int(given["strike_range"]) + 1))
            sizes.learn(kind, days_to_expiration(request), contracts)
    size = usual_bytes_per_row(config)
    estimate = from_sizes(work, sizes, size, Pace(), concurrency=1, basis="the listed strikes")
    return estimate.bytes if estimate else 0

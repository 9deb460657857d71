"""What the manifest knows of a file, for commands that read files wherever they are."""

import sys
from functools import cache
from pathlib import Path

from pipeline.inspection.files import is_far
from pipeline.process.standard_output import print_line
from transforms.output.entry import Entry, entry_of_file
from transforms.output.folder import OutputFolder


def known_entry(path: str) -> Entry | None:
    """Returns the manifest's entry of a file, or None if it has none that can be believed.

    One that is broken is named on standard error, once.

    Args:
        path: of the file, on this machine or in a store.
    """
    try:
        return _far_entry(path) if is_far(path) else entry_of_file(Path(path))
    except (ValueError, OSError) as error:
        _name(str(error))
        return None


def _far_entry(path: str) -> Entry | None:
    """Returns the entry of a store's data file, by the manifest beside the nearest folder."""
    from transforms.output.manifest import Manifest

    bucket = path.split("/", 3)[:3]
    parent = path.rpartition("/")[0]
    while parent != "/".join(bucket):
        entry = Manifest(OutputFolder(parent)).entry_of(path)
        if entry is not None:
            return entry
        parent = parent.rpartition("/")[0]
    return None


@cache
def _name(error: str) -> None:
    print_line(f"note: nothing of it is believed: {error}", sys.stderr)

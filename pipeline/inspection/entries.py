"""What the manifest knows of a file, for commands that read files wherever they are."""

import sys
from functools import cache
from pathlib import Path

from transforms.output.entry import Entry, entry_of_file


def known_entry(path: Path) -> Entry | None:
    """Returns the manifest's entry of a file, or None if it has none that can be believed.

    One that is broken is named on standard error, once.

    Args:
        path: of the file, on this machine.
    """
    try:
        return entry_of_file(path)
    except ValueError as error:
        _name(str(error))
        return None


@cache
def _name(error: str) -> None:
    print(f"note: nothing of it is believed: {error}", file=sys.stderr)

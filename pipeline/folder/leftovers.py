"""What a run leaves beside its output while it is under way, and who removes it if it died."""

import sys
from pathlib import Path

from pipeline.folder.writers import clear_dead
from transforms.output.layout import Layout
from transforms.storage import files


def sweep_dead(layout: Layout) -> None:
    """Removes the unfinished files of runs that died: who has the lock knows that none lives.

    Where there is no lock, it removes those of runs that are known to have died.
    """
    if files.is_local(layout.output):
        for folder in Path(layout.folder.unfinished).iterdir():
            if folder.name != layout.run_id:
                sweep(str(folder))
        return
    dead, uploads = clear_dead(layout)
    for left in dead:
        sweep(left)
    if uploads:
        print(f"{uploads} unfinished uploads of killed runs were aborted")


def sweep(folder: str) -> None:
    """Removes a folder, or says why it can't: nothing depends on it any more."""
    try:
        files.remove(folder)
    except (OSError, ValueError) as error:
        print(f"{folder} could not be removed: {error}", file=sys.stderr)

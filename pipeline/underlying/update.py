"""When the files of the underlying's prices are brought up to date: on demand, and after a run."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pipeline.folder.counted import CountedIterator
from pipeline.folder.lock import holder, output_lock
from pipeline.folder.writers import sweep, sweep_dead
from pipeline.history.model import new_id
from pipeline.messages import Messages
from pipeline.underlying.prices import Update, update
from transforms.output.folder import OutputFolder, part_of
from transforms.output.index import windows
from transforms.output.index_refresh import refreshed
from transforms.output.layout import Layout
from transforms.storage import files


def update_folder(
    output: str, track: Callable[[CountedIterator[str]], Iterable[str]] = iter
) -> Update:
    """Brings the files of prices of an output folder up to date, on any of Beam's file systems.

    Args:
        output: the folder of the data files.
        track: yields the names of the files that are made, and shows how many are done.

    Raises:
        Conflict: a run is writing there, or the folder can't be written to.
        FileNotFoundError: there is no data file.
        ValueError: the data files lack the underlying's prices.
        OSError: the manifest can't be read, or a file not be written.
    """
    files.check_place(output)
    folder = OutputFolder(output)
    if next(files.below(folder.entries), None) is None:
        missing = f"{output} has no files, and {folder.meta} no manifest of any"
        raise FileNotFoundError(part_of(folder) or missing)
    run_id, _ = new_id()
    layout = Layout(output, "", run_id)
    with output_lock(layout):
        sweep_dead(layout)
        return update(layout, windows(folder, keep=True), track=track)


def update_after_run(layout: Layout, changed: Sequence[str] | None, messages: Messages) -> Update:
    """Does the same at the end of a run: its lock is free again, but where it is ended by force.

    Args:
        layout: of the run.
        changed: the names of the files that can have changed since the index was proven; None if
            it was not.
        messages: takes what is notable about the prices.

    Raises:
        Conflict, ValueError, OSError: as from `update_folder`.
    """
    folder = layout.folder
    with contextlib.ExitStack() as stack:
        if layout.run_id in (holder(folder) or ""):
            # Whoever has it still may be about to remove what is unfinished of the run's.
            layout = replace(layout, run_id=new_id()[0])
            stack.callback(sweep, folder, layout.run_id, messages)
        else:
            stack.enter_context(output_lock(layout, messages))
        found = windows(folder, keep=True) if changed is None else refreshed(folder, changed)
        return update(layout, found, messages)

"""Which runs are writing to an output folder, and who removes what killed ones have left.

Where there are no locks, each run leaves a small note. It lies among the run's unfinished files
and goes with them; a run that was killed leaves it. On its own machine the next run sees that its
process is gone; of another machine's run nobody can know.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipeline.history.model import RUN_ID
from pipeline.messages import PRINTED, Messages
from pipeline.text import count
from transforms.output.folder import OutputFolder
from transforms.output.layout import Layout
from transforms.storage import documents, files, stores
from transforms.workers.process import ProcessId

_NOTE = "owner.json"


@dataclass(frozen=True)
class Writer:
    """A run that is writing, or was killed.

    Attributes:
        run_id: the run.
        owner: its process.
        since: when it began, by the store's clock; None where there is no such thing.
    """

    run_id: str
    owner: ProcessId
    since: datetime | None

    def __str__(self) -> str:
        return f"process {self.owner.pid} on {self.owner.host}, run {self.run_id}"


def leave_note(layout: Layout) -> None:
    """Leaves a note that this run is writing, which is removed with its unfinished files.

    Raises:
        OSError: the folder can't be written to.
    """
    documents.write_json(_path(layout.temporary), asdict(ProcessId.current()), layout.temporary)


def writers(folder: OutputFolder) -> Iterator[Writer]:
    """Yields every run that left a note: this one, too.

    Raises:
        OSError: the notes can't be read.
    """
    for path, _size, _mark, since in files.listed(folder.unfinished):
        run_id, _, name = path[len(folder.unfinished) + 1 :].partition("/")
        if name == _NOTE and RUN_ID.fullmatch(run_id) and (owner := _owner(path)):
            yield Writer(run_id, owner, since)


def _owner(path: str) -> ProcessId | None:
    """Returns whose a note is, or None if it has just been removed."""
    try:
        document = documents.read_json(path)
        return None if document is None else ProcessId(**{**document, "pid": int(document["pid"])})
    except (ValueError, KeyError, TypeError):
        # A broken note: somebody may be writing, and nothing of theirs is removed.
        return ProcessId("an unknown machine", 0, "")


def others(folder: OutputFolder, run_id: str = "") -> list[Writer]:
    """Returns the runs that may be writing.

    Args:
        folder: the output folder.
        run_id: of the run that asks, which is left out.

    Raises:
        OSError: the notes can't be read.
    """
    return [each for each in writers(folder) if each.run_id != run_id and not each.owner.gone()]


def sweep_dead(layout: Layout, messages: Messages = PRINTED) -> None:
    """Removes the unfinished files of runs that were killed.

    Whoever holds the lock knows that no other run is alive. Where there is no lock, the runs that
    are known to have been killed are meant.

    Raises:
        OSError: the folder can't be read, or the store refuses.
    """
    if files.is_local(layout.output):
        for left in Path(layout.folder.unfinished).iterdir():
            if left.name != layout.run_id and RUN_ID.fullmatch(left.name):
                sweep(layout.folder, left.name, messages)
        return
    dead, uploads = _clear_dead(layout)
    for run_id in dead:
        sweep(layout.folder, run_id, messages)
    if uploads:
        was = "was" if uploads == 1 else "were"
        messages.note(f"{count(uploads, 'unfinished upload')} of killed runs {was} aborted")


def sweep(folder: OutputFolder, run_id: str, messages: Messages = PRINTED) -> None:
    """Removes a run's unfinished files, or warns why it can't: nothing depends on them any more.

    Nothing else of an output folder is ever removed with all that is in it.

    Args:
        folder: the output folder.
        run_id: the run.
        messages: where the warning goes.

    Raises:
        ValueError: `run_id` is none, and may name any other folder.
    """
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(f"{run_id!r} is no id of a run: nothing was removed")
    left = folder.temporary(run_id)
    try:
        files.remove_folder(left)
    except (OSError, ValueError) as error:
        messages.warn(f"{left} could not be removed: {error}")


def _clear_dead(layout: Layout) -> tuple[list[str], int]:
    """Removes what killed runs have left: unfinished files, and on S3 parts that nobody sees.

    Nobody can see whose parts are. Those that are older than every run that may be writing,
    this one among them, are nobody's.

    Returns:
        The runs that were killed, whose files the caller removes; how many uploads are gone.

    Raises:
        OSError: the store refuses.
    """
    dead, since = [], []
    for writer in writers(layout.folder):
        if writer.run_id != layout.run_id and writer.owner.gone():
            dead.append(writer.run_id)
        elif writer.since is not None:
            since.append(writer.since)
    aborted = 0
    if since and (store := stores.of(layout.output)):
        aborted = store.abort_uploads(layout.output, min(since))
    return dead, aborted


def _path(folder: str) -> str:
    return f"{folder}/{_NOTE}"

"""Corrects what a verification found: nothing is deleted that may be somebody's."""

from pipeline.folder.lock import output_lock
from pipeline.folder.verification import Verification
from pipeline.folder.writers import sweep_dead
from pipeline.history.model import new_id
from transforms.output.entry import COMMITTED, EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest
from transforms.storage import files


def repair(output: str, found: Verification) -> list[str]:
    """Sets aside what no run made and what is damaged, and removes what killed runs left.

    What is set aside lies in the folder's `.meta` under its own name: the next run fetches it. Each
    file is looked at again, while no other run may write. A file stays that nothing is proven of:
    where the folder has no manifest, where its entry is broken, or where it can't be read.

    Args:
        output: the folder.
        found: what a verification found there.

    Returns:
        What was done, a sentence each.

    Raises:
        Conflict: a run is writing there, or the folder can't be written to.
        OSError: a file can't be read or moved.
    """
    folder = OutputFolder(output)
    run_id, _ = new_id()
    layout = Layout(output, "", run_id)
    done = []
    with output_lock(layout):
        sweep_dead(layout)
        for problem in found.problems:
            path = problem.path
            if path.startswith(f"{folder.unfinished}/"):
                if not files.exists(path):
                    done.append(f"{path} was removed")
            elif found.files + found.empty and (why := _reason_to_set_aside(folder, path)):
                aside = f"{folder.meta}/aside/{run_id}/{folder.name(path)}.aside"
                files.set_aside(path, aside)
                done.append(f"{path} was set aside as {aside}: {why}")
    return done


def _reason_to_set_aside(folder: OutputFolder, path: str) -> str:
    try:
        entry = Manifest(folder).entry_of(path)
    except ValueError:
        return ""  # nobody knows what it says
    if not files.exists(path):
        return ""
    if entry is None or entry.state == EMPTY:
        return "no run made it"
    if entry.state == COMMITTED and _is_damaged(path, entry):
        return "it is not as it was written; the next run fetches it"
    return ""


def _is_damaged(path: str, entry: Entry) -> bool:
    return files.size(path) != entry.bytes or files.sha256(path) != entry.sha256

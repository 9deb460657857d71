"""Checks every file of an output folder against the manifest, from the files alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from pipeline.folder.file_check import check_file
from pipeline.folder.lock import holder
from transforms.model import GreeksRequest
from transforms.output.entry import COMMITTING, EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.index import entries
from transforms.output.layout import PATTERNS, expand
from transforms.output.manifest import Manifest
from transforms.storage import files
from transforms.trade_dates import readable

_File = tuple[str, Entry]
_Files = Sequence[_File]

_THREADS = 4


@dataclass(frozen=True)
class Problem:
    """A problem of one file: its path, and a sentence."""

    path: str
    message: str


@dataclass
class Verification:
    """What was found in an output folder.

    Attributes:
        files: that have an entry.
        rows: in them.
        bytes: of them.
        empty: expirations that are remembered as having no data.
        notes: facts that are no problem, but good to know.
        problems: of files and entries.
    """

    files: int = 0
    rows: int = 0
    bytes: int = 0
    empty: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def verify(output: str, track: Callable[[_Files], Iterable[_File]] = iter) -> Verification:
    """Checks the manifest of an output folder against its files.

    Every file must be there, with its size, SHA-256, schema or header line, and rows as they are
    counted in the file, which must be of the symbol, the expiration and the trade dates of its
    entry; there must be no file without an entry, and no unfinished file of a run that has ended.
    Files are read in pieces, whatever their size.

    Args:
        output: the folder of the data files, on any of Beam's file systems.
        track: yields the files that it is given, and shows how many are through.

    Raises:
        FileNotFoundError: there is neither a folder nor a manifest.
        OSError: a folder can't be read.
    """
    folder = OutputFolder(output)
    found = Verification()
    on_disk = {path for path in files.below(folder.file("")[:-1]) if folder.holds(path)}
    known: set[str] = set()
    checked: list[_File] = []
    for name, entry in entries(folder):
        path = folder.file(name)
        known.add(path)
        if isinstance(entry, ValueError):
            found.problems.append(Problem(path, f"its entry in the manifest is broken: {entry}"))
        elif entry.state == EMPTY:
            found.empty += 1
            if path in on_disk:
                found.problems.append(Problem(path, "is there, but had no data when asked for"))
        else:
            # Without what is longest in it: thousands of them are held at once.
            checked.append((path, replace(entry, quality=None)))
    if not (on_disk or known):
        raise FileNotFoundError(f"{output} has no files, and {folder.meta} no manifest of any")
    found.problems += _misplaced(folder, checked, known)
    with ThreadPoolExecutor(_THREADS) as pool:
        looked = pool.map(lambda each: _look(folder, *each), checked)
        for _, (path, entry, problems) in zip(track(checked), looked, strict=True):
            found.files += 1
            found.rows += entry.rows
            found.bytes += entry.bytes
            if entry.missing_dates:
                found.notes.append(f"{path} has no rows on {readable(entry.missing_dates)}")
            found.problems += [Problem(path, message) for message in problems]
    for path in sorted(on_disk - known):
        found.problems.append(
            Problem(path, "is not in the manifest: nobody knows which request made it")
        )
    _check_unfinished(folder, found)
    return found


def _misplaced(folder: OutputFolder, checked: _Files, known: AbstractSet[str]) -> Iterator[Problem]:
    """Yields the files whose entry is of a request that another entry's file is named for."""
    for path, entry in checked:
        request = GreeksRequest.of(entry.request)
        for pattern in PATTERNS.values():
            own = folder.file(expand(pattern, request) + "".join(PurePosixPath(path).suffixes))
            if own != path and own in known:
                yield Problem(path, f"has the entry of {request}, for which {own} is named")


def _check_unfinished(folder: OutputFolder, found: Verification) -> None:
    strays = list(files.below(folder.unfinished))
    running = holder(folder)
    if running:
        found.notes.append(f"{running} is writing here: its unfinished files are left out")
        return
    for path in strays:
        if not files.exists(path):
            continue  # a run has ended meanwhile, and removed it
        found.problems.append(
            Problem(path, "is an unfinished file of a run that has ended; the next run removes it")
        )


def _look(folder: OutputFolder, path: str, entry: Entry) -> tuple[str, Entry, list[str]]:
    """Returns the path of a file, its entry, and its problems.

    A run may be replacing the file: then it is compared with its new entry.
    """
    while problems := list(check_file(path, entry)):
        running = holder(folder) or ""
        now = Manifest(folder).entry_of(path)
        if now is None or replace(now, quality=None) == replace(entry, quality=None):
            if entry.state == COMMITTING and entry.run_id in running:
                problems = []  # it is being put in place at this moment
            break
        entry = now
    return path, entry, problems

"""Checks every file of an output folder against the manifest, from the files alone."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from pathlib import PurePosixPath

from pipeline.folder.counted import CountedIterator
from pipeline.folder.file_check import check_file
from pipeline.folder.lock import holder
from pipeline.folder.progress_note import ProgressNote
from transforms.model import GreeksRequest
from transforms.model.trade_dates import readable
from transforms.output.data_files import DataFiles
from transforms.output.entry import COMMITTED, COMMITTING, EMPTY, Entry
from transforms.output.folder import OutputFolder, part_of
from transforms.output.index import entry_in, windows
from transforms.output.layout import BY_ORDER, PATTERNS, expand
from transforms.output.manifest import Manifest
from transforms.storage import files
from transforms.workers.in_order import in_order

_PATTERNS = tuple(below + each for below in ("", BY_ORDER) for each in PATTERNS.values())
_THREADS = 4
_AT_ONCE = 1024

Looked = tuple[str, Entry, bool, list[str]]
"""A data file's name, its entry, whether it was read, and what is wrong with it."""


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
        read: files whose bytes were read: all, but for those of a sample, and those that an
            earlier verification, which did not end, had read.
        notes: facts that are no problem, but good to know.
        problems: of files and entries.
        fixed: what was done about them; see `repair`.
    """

    files: int = 0
    rows: int = 0
    bytes: int = 0
    empty: int = 0
    read: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)


def verify(
    output: str,
    track: Callable[[CountedIterator[Looked]], Iterable[Looked]] = iter,
    sample: float = 1.0,
    of: str = "",
) -> Verification:
    """Checks the manifest of an output folder against its files.

    Every file must be there, with its size, SHA-256, schema or header line, and rows as they are
    counted in the file, which must be of the symbol, the expiration and the trade dates of its
    entry; there must be no file without an entry, and no unfinished file of a run that has ended.
    Files are read in pieces, whatever their size, and entries some at a time. How far it is, is
    noted in the folder's `.meta`: one that is stopped goes on where it was.

    Args:
        output: the folder of the data files, on any of Beam's file systems.
        track: yields the files that it is given, and shows how many are done.
        sample: the share of files that are read; of the others only their sizes are checked.
        of: chooses which: the same ones for the same text.

    Raises:
        FileNotFoundError: there is neither a folder nor a manifest.
        OSError: a folder can't be read.
    """
    folder = OutputFolder(output)
    if part := part_of(folder):
        raise FileNotFoundError(part)
    found = Verification()
    data = DataFiles.of(folder)
    known, number = _known(folder, data)
    note = ProgressNote(folder, is_kept=sample == 1)

    def to_check() -> Iterator[tuple[str, Entry, bool, bool]]:
        for window in windows(folder, data):
            for name, error in window.broken:
                problem = f"its entry in the manifest is broken: {error}"
                found.problems.append(Problem(folder.file(name), problem))
            has_file = data.has(window.rows["name"].to_pylist())
            for row, has in zip(window.rows.to_pylist(), has_file, strict=True):
                entry = entry_in(row)
                is_there = bool(has) if entry.state == EMPTY else row["there"]
                suspect = entry.state != EMPTY and not is_there
                chosen = _is_chosen(row["name"], sample, of) and note.is_new(row["name"], entry)
                yield row["name"], entry, is_there, suspect or chosen

    with ThreadPoolExecutor(_THREADS) as pool, note:
        looked = in_order(pool, lambda each: _look(folder, *each), to_check())
        for name, entry, is_read, problems in track(CountedIterator(looked, number)):
            if entry.state == EMPTY:
                found.empty += 1
            else:
                found.files += 1
                found.rows += entry.rows
                found.bytes += entry.bytes
                problems = [*_misplaced(folder, name, entry, known), *problems]
                if entry.missing_dates:
                    missing = readable(entry.missing_dates)
                    found.notes.append(f"{folder.file(name)} has no rows on {missing}")
            found.read += is_read
            found.problems += [Problem(folder.file(name), message) for message in problems]
            note.passed(name, has_problems=bool(problems))
    if note.went_on_after:
        found.notes.append(
            f"went on after {note.went_on_after}, where an earlier verification was stopped "
            f"(remove {note.path} to begin anew)"
        )
    _check_unknown(folder, known, found)
    if not (number or found.problems):
        raise FileNotFoundError(f"{output} has no files, and {folder.meta} no manifest of any")
    _check_unfinished(folder, found)
    return found


def _known(folder: OutputFolder, data: DataFiles) -> tuple[DataFiles, int]:
    """Returns the names of the files with entries, and how many of those are not broken.

    The index is brought up to date where that can be: each document is opened once.
    """
    number = 0

    def names(keep: bool) -> Iterator[tuple[str, int]]:
        nonlocal number
        number = 0
        for window in windows(folder, data, keep=keep):
            number += window.rows.num_rows
            yield from ((name, 0) for name, _ in window.broken)
            yield from ((name, 0) for name in window.rows["name"].to_pylist())

    try:
        known = DataFiles(names(keep=True))
    except OSError:  # it may be that the folder can't be written to
        known = DataFiles(names(keep=False))
    return known, number


def _is_chosen(name: str, share: float, of: str) -> bool:
    drawn = blake2b(f"{of} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * (1 << 64)


def _misplaced(folder: OutputFolder, name: str, entry: Entry, known: DataFiles) -> Iterator[str]:
    """Yields whether a file's entry is of a request that another entry's file is named for."""
    request = GreeksRequest.of(entry.request)
    for pattern in _PATTERNS:
        own = expand(pattern, request) + "".join(PurePosixPath(name).suffixes)
        if own != name and known.has([own])[0]:
            yield f"has the entry of {request}, for which {folder.file(own)} is named"


def _check_unknown(folder: OutputFolder, known: DataFiles, found: Verification) -> None:
    listed = (each.path for each in files.listed(folder.file("")[:-1]) if folder.holds(each.path))
    while paths := list(islice(listed, _AT_ONCE)):
        for path, is_known in zip(paths, known.has(map(folder.name, paths)), strict=True):
            # A run may have made it since the entries were listed.
            if not is_known and files.exists(path) and not _has_entry(folder, path):
                message = "is not in the manifest: nobody knows which request made it"
                found.problems.append(Problem(path, message))


def _has_entry(folder: OutputFolder, path: str) -> bool:
    try:
        return Manifest(folder).entry_of(path) is not None
    except ValueError:
        return True  # a broken one, which is named


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


def _look(folder: OutputFolder, name: str, entry: Entry, is_there: bool, is_read: bool) -> Looked:
    """Returns the name of a file, its entry, whether it was read, and its problems.

    A listing has shown whether `is_there`: the file with the size of its entry, or if that is empty
    any file.

    A run may be replacing the file: then it is compared with its new entry.
    """
    path = folder.file(name)
    problems = list(_problems(path, entry, is_there, is_read))
    while problems:
        running = holder(folder) or ""
        now = Manifest(folder).entry_of(path)
        if now is None or _essential(now) == _essential(entry):
            if entry.state in (COMMITTING, COMMITTED) and entry.run_id in running:
                problems = []  # it is being put in place at this moment
            break
        entry, is_there = now, now.state == EMPTY
        problems = list(_problems(path, entry, is_there, True))
    return name, entry, is_read, problems


def _problems(path: str, entry: Entry, is_there: bool, is_read: bool) -> Iterator[str]:
    if entry.state == EMPTY:
        if is_there and files.exists(path):
            yield "is there, but had no data when asked for"
    elif is_read:
        yield from check_file(path, entry, is_there=is_there)


def _essential(entry: Entry) -> Entry:
    return replace(entry, quality=None, versions=None)

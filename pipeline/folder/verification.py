"""Checks every file of an output folder against the manifest, from the files alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.folder.lock import holder
from transforms.output.entry import COMMITTING, EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.manifest import Manifest
from transforms.schema import VERSION, schema_of
from transforms.sinks.csv_text import encode_header
from transforms.storage import files
from transforms.trade_dates import readable

_File = tuple[str, Entry]
_Files = Sequence[_File]

_THREADS = 4
_PIECE = 1 << 20


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file: its path, and a sentence."""

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
        notes: what is no problem, but good to know.
        problems: what is wrong.
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
    counted in the file; there must be no file without an entry, and no unfinished file of a run
    that has ended. Files are read in pieces, whatever their size.

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
    for name, entry in Manifest(folder).entries():
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
    """Returns the path of a file, its entry, and what is wrong with it.

    A run may be replacing the file: then it is compared with its new entry.
    """
    while problems := list(_check(path, entry)):
        running = holder(folder) or ""
        now = Manifest(folder).entry_of(path)
        if now is None or replace(now, quality=None) == replace(entry, quality=None):
            if entry.state == COMMITTING and entry.run_id in running:
                problems = []  # it is being put in place at this moment
            break
        entry = now
    return path, entry, problems


def _check(path: str, entry: Entry) -> Iterator[str]:
    """Yields what is wrong with the file of an entry."""
    if entry.state == COMMITTING:
        yield "was being put in place when its run ended: unproven, the next run fetches it"
        return
    if not files.exists(path):
        yield "is missing; the next run fetches it"
        return
    size = files.size(path)
    if size != entry.bytes:
        yield f"has {size:,} bytes, and had {entry.bytes:,} when it was written"
        return
    try:
        with files.open_file(path) as file:
            reader = _Hashing(file)
            rows, problem = (
                _parquet(path, entry) if entry.format == "parquet" else _csv(reader, entry)
            )
            digest = reader.drain()
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        yield f"can't be read as {entry.format}: {error}"
        return
    if digest != entry.sha256:
        yield f"has other bytes than were written: SHA-256 {digest}, not {entry.sha256}"
    if problem:
        yield problem
    if rows != entry.rows:
        yield f"has {rows:,} rows, and had {entry.rows:,} when it was written"


class _Hashing:
    """Reads a file once, from its beginning to its end, and hashes what passes."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._digest = sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int) -> bytes:
        piece: bytes = self._file.read(size)
        self._digest.update(piece)
        return piece

    def drain(self) -> str:
        """Reads what is left, and returns the hash of the whole file."""
        while self.read(_PIECE):
            pass
        return self._digest.hexdigest()

    def close(self) -> None:
        """Does nothing: Arrow closes what it has read from, and there may be more to hash."""


def _csv(reader: _Hashing, entry: Entry) -> tuple[int, str | None]:
    """Returns the rows of a CSV file, and what is wrong with its form."""
    text: Any = reader
    if entry.compression != "none":
        text = pa.CompressedInputStream(pa.PythonFile(reader, mode="r"), entry.compression)
    header, lines, last = b"", 0, b""
    while piece := bytes(text.read(_PIECE)):
        if b"\n" not in header:
            header += piece[: piece.find(b"\n") + 1 or len(piece)]
        lines += piece.count(b"\n")
        last = piece
    expected = encode_header(schema_of(entry.request["greeks"]))
    problem = None
    if entry.schema_version == VERSION and header != expected:
        problem = f"begins with {header[:80]!r}, not with the header {expected[:80]!r}"
    elif not last.endswith(b"\n"):
        problem = "ends in the middle of a line"
    return lines - 1, problem


def _parquet(path: str, entry: Entry) -> tuple[int, str | None]:
    """Returns the rows of a Parquet file by its footer, and what is wrong with its schema."""
    with files.open_file(path) as file, pq.ParquetFile(file) as parquet:
        schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    expected = schema_of(entry.request["greeks"])
    made, wanted = ({f"{f.name} {f.type}" for f in each} for each in (schema, expected))
    if entry.schema_version != VERSION or (schema.names == expected.names and made == wanted):
        return rows, None
    return rows, f"has another schema: {', '.join(sorted(made ^ wanted)) or 'other order'}"

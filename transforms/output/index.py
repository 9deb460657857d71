"""The manifest's index: what all entries say, in one file that listings prove.

The entries are the truth, a document a file (see `manifest`). The index is `<output>.meta/
files.index`: a row for each of them, with the size and the mark that its document had when it was
read. Whoever takes stock lists the documents, without opening them: a row is believed if its
document is there with that size and mark; a document without such a row is opened. So an index that
is lost, damaged, of before or of another run costs time, and never a wrong answer; each writer
replaces it whole, and whoever comes later wins.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from hashlib import blake2b
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.output.data_files import DataFiles
from transforms.output.entry import COMMITTED, Entry, broken
from transforms.output.folder import OutputFolder
from transforms.output.index_file import SCHEMA, IndexWriter, documents_of, open_index
from transforms.output.manifest import read_marked
from transforms.storage import files
from transforms.storage.base import Listed

AT_ONCE = 1024
"""Entries of a window, at most."""
THREADS = 8
"""Documents that are opened at a time."""

_OF_ENTRY = tuple(each.name for each in fields(Entry) if each.name in SCHEMA.names)


@dataclass(frozen=True)
class Window:
    """Some entries of a manifest, which are proven.

    Attributes:
        rows: of `SCHEMA`, in order of their documents' paths.
        broken: the names of data files between them whose entries are broken, and why.
    """

    rows: pa.Table
    broken: tuple[tuple[str, ValueError], ...] = ()


def identity_of(request: dict[str, str], source: str) -> bytes:
    """Returns 16 bytes that a request, as it is described, shares with no other of any source."""
    text = "\n".join([source, *(f"{name}={request[name]}" for name in sorted(request))])
    return blake2b(text.encode(), digest_size=16).digest()


def entry_in(row: dict[str, Any]) -> Entry:
    """Returns the entry of a row, without what the index leaves to the document."""
    known = {name: row[name] for name in _OF_ENTRY}
    return Entry(**{**known, "request": json.loads(row["request"])})


def entries(folder: OutputFolder) -> Iterator[tuple[str, Entry | ValueError]]:
    """Yields each entry, in order, after its file's name: the path below the output folder.

    Where an entry is broken, the reason stands in its place. The quality of the rows and the
    versions of those who wrote them are in the documents alone.

    Raises:
        OSError: the folder can't be read.
    """
    for window in windows(folder):
        yield from window.broken
        for row in window.rows.to_pylist():
            yield row["name"], entry_in(row)


def windows(
    folder: OutputFolder, data: DataFiles | None = None, *, keep: bool = False
) -> Iterator[Window]:
    """Yields all entries of a manifest, some at a time: from the index as far as it is proven.

    Args:
        folder: the output folder.
        data: the files in it; they are listed if they are not given.
        keep: writes the index if it is not as it should be, once the last window is taken.

    Raises:
        OSError: the folder can't be read, or the index not be written.
    """
    data = DataFiles.of(folder) if data is None else data
    listing = files.listed(folder.entries)
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(THREADS))
        old = stack.enter_context(open_index(folder))
        writer: IndexWriter | None = None
        while documents := list(islice(listing, AT_ONCE)):
            before = old.taken
            rows = old.through(_key(folder, documents[-1]))
            window, changed = window_of(folder, documents, rows, data, pool)
            if changed and keep and writer is None:
                writer = stack.enter_context(IndexWriter(folder))
                writer.copy(old, before)
            if writer is not None:
                writer.write(window.rows)
            yield window
        if keep and writer is None and old.has_more():
            # Those after the last document are gone.
            writer = stack.enter_context(IndexWriter(folder))
            writer.copy(old, old.taken)
        if writer is not None:
            writer.put_in_place()


def _key(folder: OutputFolder, document: Listed) -> str:
    """Returns what entries are in order of: the document's path below the folder of the entries."""
    return document.path[len(folder.entries) + 1 :]


def window_of(
    folder: OutputFolder,
    documents: Sequence[Listed],
    rows: pa.Table,
    data: DataFiles,
    pool: Executor,
) -> tuple[Window, bool]:
    """Returns the entries of some documents, and whether they are not just those of the index.

    Args:
        folder: the output folder.
        documents: as they are listed, in order.
        rows: of the index, which may be of these documents.
        data: the files.
        pool: to open documents in.
    """
    listed = {_key(folder, each): each for each in documents}
    proven = []
    proofs = (rows["document_size"].to_pylist(), rows["document_mark"].to_pylist())
    for key, *proof in zip(documents_of(rows), *proofs, strict=True):
        found = listed.get(key)
        proven.append(found is not None and found.mark != "" and [found.size, found.mark] == proof)
        if proven[-1]:
            del listed[key]
    changed = bool(listed) or not all(proven)
    if changed:
        rows = rows.filter(pa.array(proven, pa.bool_()))
    unknown = list(listed.values())
    # Some at a time: a task of its own costs as much as opening a document here.
    each = max(1, len(unknown) // (THREADS * 4))
    shares = (unknown[start : start + each] for start in range(0, len(unknown), each))
    opened = list(chain.from_iterable(pool.map(partial(_all_opened, folder), shares)))
    problems = tuple((name, row) for name, row in opened if isinstance(row, ValueError))
    if fresh := [row for _, row in opened if isinstance(row, dict)]:
        rows = by_document(pa.concat_tables([rows, pa.Table.from_pylist(fresh, SCHEMA)]))
    is_there = data.sizes(rows["name"].to_pylist()) == rows["bytes"].to_numpy()
    is_there &= rows["state"].to_numpy() == COMMITTED
    if not np.array_equal(is_there, rows["there"].to_numpy()):
        place = SCHEMA.get_field_index("there")
        rows, changed = rows.set_column(place, SCHEMA.field(place), pa.array(is_there)), True
    return Window(rows, problems), changed


def by_document(rows: pa.Table) -> pa.Table:
    """Returns the rows of an index in the order of their documents."""
    keys = documents_of(rows)
    return rows.take(pa.array(sorted(range(len(keys)), key=keys.__getitem__), pa.int64()))


def _all_opened(
    folder: OutputFolder, documents: Sequence[Listed]
) -> list[tuple[str, dict[str, Any] | Exception | None]]:
    return [_opened(folder, each) for each in documents]


def _opened(
    folder: OutputFolder, document: Listed
) -> tuple[str, dict[str, Any] | Exception | None]:
    """Returns the name of a data file and its row; None in its place if the document is gone."""
    name = folder.entry_name(document.path)
    try:
        entry, _ = read_marked(document.path)
    except ValueError as error:
        return name, error
    except OSError as error:
        return name, broken(document.path, error)
    return name, None if entry is None else _row(name, document, entry)


def _row(name: str, document: Listed, entry: Entry) -> dict[str, Any]:
    findings = ""
    if entry.quality is not None:
        counts = {each["rule"]: each["count"] for each in entry.quality["findings"]}
        findings = json.dumps(counts)
    return {each: getattr(entry, each) for each in _OF_ENTRY} | {
        "name": name,
        "document_size": document.size,
        "document_mark": document.mark,
        "there": False,
        "identity": identity_of(entry.request, entry.source),
        "request": json.dumps(entry.request),
        "greeks": entry.request["greeks"],
        "missing_dates": entry.missing_dates,
        "findings": findings,
    }

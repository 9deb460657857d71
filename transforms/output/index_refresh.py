"""Brings a manifest's index up to date where few files changed: the others are not listed again."""

import contextlib
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from transforms.output.data_files import DataFiles
from transforms.output.folder import OutputFolder
from transforms.output.index import AT_ONCE, THREADS, Window, by_document, window_of
from transforms.output.index_file import SCHEMA, IndexWriter, documents_of, open_index
from transforms.storage import files
from transforms.storage.base import Listed


def refreshed(folder: OutputFolder, names: Iterable[str]) -> Iterator[Window]:
    """Yields all entries as the index has them, but for those beside some files, which are proven.

    For a run, which has proven the index and then changed a few files: only their folders are
    listed. If any is named, the index is brought up to date once the last window is taken.

    Args:
        folder: the output folder.
        names: of the files that may have changed since the index was written.

    Raises:
        OSError: the folder can't be read, or the index not be written.
    """
    near = {name.rpartition("/")[0] for name in names}
    listing = _listed(folder.file("")[:-1], near)
    data = DataFiles(
        (folder.name(each.path), each.size) for each in listing if folder.holds(each.path)
    )
    documents = _Documents(_listed(folder.entries, near))
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(THREADS))
        old = stack.enter_context(open_index(folder))
        writer = stack.enter_context(IndexWriter(folder)) if near else None
        for rows in chain(old.groups(), documents.rest()):
            keys = documents_of(rows)
            found = documents.through(f"{folder.entries}/{keys[-1]}" if keys else None)
            is_near = pa.array([_is_below(key, near) for key in keys], pa.bool_())
            window = Window(rows)
            if found or pc.any(is_near).as_py():
                window, _ = window_of(folder, found, rows.filter(is_near), data, pool)
                others = rows.filter(pc.invert(is_near))
                window = Window(by_document(pa.concat_tables([others, window.rows])), window.broken)
            if writer is not None:
                writer.write(window.rows)
            yield window
        if writer is not None:
            writer.put_in_place()


class _Documents:
    """Documents in order, to be taken up to one after the other."""

    def __init__(self, listing: Iterator[Listed]) -> None:
        self._listing = listing
        self._next = next(listing, None)

    def through(self, path: str | None) -> list[Listed]:
        """Takes the next ones to the one at `path`; if that is None, at most `AT_ONCE`."""
        taken: list[Listed] = []
        while self._next is not None and (
            len(taken) < AT_ONCE if path is None else self._next.path <= path
        ):
            taken.append(self._next)
            self._next = next(self._listing, None)
        return taken

    def rest(self) -> Iterator[pa.Table]:
        """Yields the rows that an index has of documents, none, until these are taken."""
        while self._next is not None:
            yield SCHEMA.empty_table()


def _listed(root: str, folders: Set[str]) -> Iterator[Listed]:
    """Yields the files below some folders, which are named from a root, in order, each once."""
    tops = sorted(f"{each}/" for each in folders if not _is_below(each, folders))
    return chain.from_iterable(files.listed(f"{root}/{each}".rstrip("/")) for each in tops)


def _is_below(name: str, folders: Set[str]) -> bool:
    """Returns whether a name lies in one of some folders, or deeper; in the empty one all lie."""
    while name:
        name = name.rpartition("/")[0]
        if name in folders:
            return True
    return False

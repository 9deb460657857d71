"""The pairs that are compared: files of two folders, and in them the rows of a trade date."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.inspection.files import SUFFIXES, UnreadableFile, find_files, is_far, is_folder
from pipeline.inspection.reader import read_batches
from transforms.market.clock import DAY_MS
from transforms.quality.block import new_york
from transforms.quality.columns import milliseconds

_Key = tuple[str, str, int]
Files = Sequence[str]
Pair = tuple[str, Files, Files]
"""A name, and the files that have it on either side."""


class NotByDate(Exception):
    """Rows of a trade date come in several places: the file must be read whole."""


def pairs(a: str, b: str) -> Iterator[Pair]:
    """Yields each name below two places with the files that have it there.

    Raises:
        UnreadableFile: a place is not there or empty, or one is a folder and the other is not.
    """
    folders = []
    for name, place in (("A", a), ("B", b)):
        try:
            folders.append(is_folder(place))
        except UnreadableFile as error:
            raise UnreadableFile(f"nothing was compared: {name}: {error}") from None
    if folders[0] != folders[1]:
        raise UnreadableFile(f"{a} and {b} are a file and a folder: compare two of a kind")
    if not folders[0]:
        yield a, find_files([a]), find_files([b])
        return
    left, right = ({_stem(path, top): [path] for path in find_files([top])} for top in (a, b))
    if left.keys().isdisjoint(right):
        bare = _by_last_part(left), _by_last_part(right)
        if not bare[0].keys().isdisjoint(bare[1]):
            left, right = bare
    for name in sorted({*left, *right}):
        yield name, left.get(name, []), right.get(name, [])


def _by_last_part(files: dict[str, list[str]]) -> dict[str, list[str]]:
    """Returns the files of each name without its folders; trade dates ascend with the folders."""
    found: dict[str, list[str]] = {}
    for name, paths in sorted(files.items()):
        found.setdefault(name.rpartition("/")[2], []).extend(paths)
    return found


def _stem(path: str, top: str) -> str:
    name = (
        path[len(top.rstrip("/")) + 1 :] if is_far(top) else Path(path).relative_to(top).as_posix()
    )
    return name.removesuffix(next(end for end in SUFFIXES if name.endswith(end)))


def batches(paths: Files) -> Iterator[pa.Table]:
    """Yields the rows of files, one file after the other."""
    for path in paths:
        yield from read_batches(path)


def matched(a: Files, b: Files) -> Iterator[tuple[pa.Table | None, pa.Table | None]]:
    """Yields the rows of each trade date of both files; None where one has none.

    Raises:
        NotByDate: the trade dates of a file do not ascend.
    """
    left, right = _by_date(a), _by_date(b)
    one, other = next(left, None), next(right, None)
    while one or other:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None  # noqa: S101 -- the loop's condition
            yield one[1], None
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield None, other[1]
            other = next(right, None)
        else:
            yield one[1], other[1]
            one, other = next(left, None), next(right, None)


def _by_date(paths: Files) -> Iterator[tuple[_Key, pa.Table]]:
    """Yields the rows of each expiration and trade date, which must ascend."""
    key: _Key | None = None
    parts: list[pa.Table] = []
    for table in batches(paths):
        day = new_york(milliseconds(table["timestamp"])) // DAY_MS
        symbol = table["symbol"].to_numpy()
        expiration = table["expiration"].cast(pa.int32()).to_numpy()
        new = (day[1:] != day[:-1]) | (expiration[1:] != expiration[:-1])
        new |= symbol[1:] != symbol[:-1]
        starts = [0, *(np.flatnonzero(new) + 1).tolist(), table.num_rows]
        for start, end in pairwise(starts):
            this = (str(symbol[start]), str(expiration[start]), int(day[start]))
            if key is not None and this != key:
                if this < key:
                    raise NotByDate
                yield key, pa.concat_tables(parts, promote_options="default")
                parts = []
            key = this
            parts.append(table.slice(start, end - start))
    if key is not None:
        yield key, pa.concat_tables(parts, promote_options="default")


def whole(paths: Files) -> pa.Table | None:
    """Returns all rows of files at once, or None if there are none."""
    tables = list(batches(paths))
    return pa.concat_tables(tables, promote_options="default") if tables else None

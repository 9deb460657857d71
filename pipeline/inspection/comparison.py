"""Compares two downloads, a trade date at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.inspection.difference import MOST_EXAMPLES, Difference, Moved
from pipeline.inspection.files import UnreadableFile
from pipeline.inspection.pairs import Files, NotByDate, Pair, batches, matched, pairs, whole
from transforms.arrays import Flags, Ints
from transforms.orders.schema import KEY_COLUMNS
from transforms.quality.block import code_of
from transforms.quality.columns import milliseconds


def compare(
    a: str,
    b: str,
    tolerance: float = 0.0,
    track: Callable[[Sequence[Pair]], Iterable[Pair]] = iter,
) -> Difference:
    """Returns what differs between two files, or between the files of two folders.

    Rows are the same row if contract and time are; the second of two with the same is compared
    with the second. Files of two folders are compared by their names below them. Where no two are
    the same, as in the two layouts, they are by their last part, all of one name together.

    Args:
        a: a file or a folder.
        b: likewise.
        tolerance: numbers that differ by no more are equal.
        track: yields the pairs of files that it is given, and shows how many are done.

    Raises:
        UnreadableFile: a place is not there or empty, or one is a folder and the other is not.
    """
    difference = Difference()
    for name, left, right in track([*pairs(a, b)]):
        try:
            difference.add(_of_pair(name, left, right, tolerance))
        except UnreadableFile as error:
            difference.unreadable.append(str(error))
    return difference


def _of_pair(name: str, left: Files, right: Files, tolerance: float) -> Difference:
    difference = Difference()
    if not left or not right:
        side, paths = ("a", left) if left else ("b", right)
        difference.only_files[side].append(name)
        for table in batches(paths):
            _alone(difference, side, table)
        return difference
    try:
        for one, other in matched(left, right):
            _compare(difference, one, other, tolerance)
    except NotByDate:
        difference = Difference()
        _compare(difference, whole(left), whole(right), tolerance)
    return difference


def _alone(difference: Difference, side: str, table: pa.Table) -> None:
    difference.only[side] += table.num_rows
    room = MOST_EXAMPLES - len(difference.examples[side])
    if room > 0:
        difference.examples[side] += [_named(table, n) for n in range(min(room, table.num_rows))]


def _named(table: pa.Table, row: int) -> dict[str, Any]:
    key: dict[str, Any]
    (key,) = table.slice(row, 1).select(list(KEY_COLUMNS)).to_pylist()
    return key | {
        "expiration": key["expiration"].isoformat(),
        "timestamp": key["timestamp"].isoformat(timespec="milliseconds"),
    }


def _compare(
    difference: Difference, a: pa.Table | None, b: pa.Table | None, tolerance: float
) -> None:
    for side, table, other in (("a", a, b), ("b", b, a)):
        if table is not None and other is None:
            _alone(difference, side, table)
    if a is None or b is None:
        return
    left, right = _common(a, b)
    for side, table, found in (("a", a, left), ("b", b, right)):
        alone = np.setdiff1d(np.arange(table.num_rows), found)
        if len(alone):
            _alone(difference, side, table.take(pa.array(alone)))
    difference.only_columns["a"] = [n for n in a.column_names if n not in b.column_names]
    difference.only_columns["b"] = [n for n in b.column_names if n not in a.column_names]
    in_order = len(left) == a.num_rows and np.array_equal(left, np.arange(len(left)))
    one = a if in_order else a.take(pa.array(left))
    two = b if np.array_equal(right, np.arange(b.num_rows)) else b.take(pa.array(right))
    moved = np.zeros(len(left), np.bool_)
    for name in a.column_names:
        if name in b.column_names and name not in KEY_COLUMNS:
            moved |= _column(difference, name, one, two, tolerance)
    difference.moved_rows += int(moved.sum())
    difference.same_rows += int(len(moved) - moved.sum())


def _column(difference: Difference, name: str, a: pa.Table, b: pa.Table, tolerance: float) -> Flags:
    if a[name].equals(b[name]):
        return np.zeros(a.num_rows, np.bool_)
    change = None
    mask: Flags
    if pa.types.is_floating(a[name].type) or pa.types.is_integer(a[name].type):
        x, y = (np.asarray(t[name].to_numpy(), np.float64) for t in (a, b))
        with np.errstate(invalid="ignore"):
            change = np.abs(x - y)
            mask = ~((change <= tolerance) | (x == y) | (np.isnan(x) & np.isnan(y)))
    else:
        same = pc.fill_null(pc.equal(a[name], b[name]), False)
        both = pc.and_(pc.is_null(a[name]), pc.is_null(b[name]))
        mask = ~pc.or_(same, both).to_numpy()
    rows = np.flatnonzero(mask)
    if not len(rows):
        return mask
    moved = difference.columns.setdefault(name, Moved())
    moved.rows += len(rows)
    worst, largest = int(rows[0]), 0.0
    if change is not None:
        # To a number from none is no distance; from a number to infinity is an infinite one.
        sizes = np.where(np.isnan(change[rows]), 0.0, change[rows])
        moved.keep(sizes[np.isfinite(sizes)])
        worst, largest = int(rows[sizes.argmax()]), float(sizes.max())
    if largest > moved.largest:
        moved.largest = largest
        values = {side: _plain(t[name][worst].as_py()) for side, t in (("a", a), ("b", b))}
        moved.worst = {"key": _named(a, worst)} | values
    return mask


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)  # JSON has no such number
    return value.isoformat() if hasattr(value, "isoformat") else value


def _common(a: pa.Table, b: pa.Table) -> tuple[Ints, Ints]:
    """Returns the places of rows that are in both, in the order of their keys or of the file."""
    symbols = pc.unique(pa.chunked_array([*a["symbol"].chunks, *b["symbol"].chunks]))
    keys = [_keys(table, symbols) for table in (a, b)]
    if all(np.array_equal(x, y) for x, y in zip(*keys, strict=True)):
        every = np.arange(a.num_rows)
        return every, every
    side = np.repeat([0, 1], [a.num_rows, b.num_rows])
    columns = [np.concatenate(pair) for pair in zip(*keys, strict=True)]
    order = np.lexsort((side, *columns))
    new = np.append(True, np.logical_or.reduce([c[order][1:] != c[order][:-1] for c in columns]))
    group = np.cumsum(new) - 1
    # The first of two equal ones is the first on either side: count within group and side.
    fresh = new | np.append(True, side[order][1:] != side[order][:-1])
    starts = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    number = (group << 20) + np.arange(len(order)) - starts
    placed = np.empty(len(order), np.int64)
    placed[order] = number
    _, left, right = np.intersect1d(
        placed[: a.num_rows], placed[a.num_rows :], assume_unique=True, return_indices=True
    )
    return left, right


def _keys(table: pa.Table, symbols: pa.Array) -> list[Ints]:
    is_call = pc.equal(table["right"], "C").to_numpy()
    return [
        milliseconds(table["timestamp"]),
        code_of(table["strike"].to_numpy(), is_call),
        table["expiration"].cast(pa.int32()).to_numpy(),
        pc.index_in(table["symbol"], symbols).to_numpy(),
    ]

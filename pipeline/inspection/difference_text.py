"""What `greeks diff` prints."""

from collections.abc import Iterator
from typing import Any

from pipeline.inspection.difference import Difference
from pipeline.table import WRAP, Column, Table
from pipeline.text import count

_COLUMNS = (
    Column("column", 22),
    Column("rows", 10, right=True),
    Column("median", 12, right=True, leaves=1),
    Column("largest", 12, right=True, leaves=2),
)


def text(difference: Difference, a: str, b: str, width: int | None = None) -> Iterator[str]:
    """Yields what differs, line by line.

    Args:
        difference: of the two.
        a: the first place.
        b: the second.
        width: of the screen; None for any.
    """
    yield f"A: {a}"
    yield f"B: {b}"
    yield ""
    if difference.same:
        yield f"the same {count(difference.same_rows, 'row')}"
        return
    yield f"{'rows':>12}"
    yield f"{difference.same_rows:>12,} the same in both"
    yield f"{difference.moved_rows:>12,} moved"
    for side, name in (("a", "A"), ("b", "B")):
        yield f"{difference.only[side]:>12,} only in {name}"
        for example in difference.examples[side]:
            yield f"{'':>16}{_row(example)}"
        for what in (difference.only_files, difference.only_columns):
            if what[side]:
                kind = "files" if what is difference.only_files else "columns"
                yield f"{'':>12} {kind} only in {name}: {', '.join(what[side])}"
    for error in difference.unreadable:
        yield f"error: can't be read: {error}"
    table = Table(_COLUMNS, "where it is largest", width=width, overflow=WRAP)
    if difference.columns:
        yield ""
        yield table.heading()
    for name, moved in difference.columns.items():
        described = moved.describe()
        sizes = (_size(described.get(size, "-")) for size in ("median", "max"))
        worst = moved.worst
        yield from table.lines(
            (name, f"{moved.rows:,}", *sizes),
            f"{_row(worst['key'])}: {worst['a']} in A, {worst['b']} in B",
        )


def _size(size: float | str | None) -> str:
    if isinstance(size, str):
        return size
    return "inf" if size is None else f"{size:.4g}"


def _row(key: dict[str, Any]) -> str:
    return (
        f"{key['symbol']} {key['expiration']} {key['strike']:g} {key['right']} {key['timestamp']}"
    )

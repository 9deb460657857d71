"""What `greeks diff` prints."""

from collections.abc import Iterator
from typing import Any

from pipeline.inspection.difference import Difference
from pipeline.text import count


def text(difference: Difference, a: str, b: str) -> Iterator[str]:
    """Yields what differs, line by line."""
    yield f"A: {a}\nB: {b}\n"
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
    if difference.columns:
        yield f"\n{'column':<22}{'rows':>10}{'median':>12}{'largest':>12}  where it is largest"
    for name, moved in difference.columns.items():
        described = moved.describe()
        sizes = "".join(f"{_size(described.get(size, '-')):>12}" for size in ("median", "max"))
        worst = moved.worst
        yield (
            f"{name:<22}{moved.rows:>10,}{sizes}  {_row(worst['key'])}: "
            f"{worst['a']} in A, {worst['b']} in B"
        )


def _size(size: float | str | None) -> str:
    if isinstance(size, str):
        return size
    return "inf" if size is None else f"{size:.4g}"


def _row(key: dict[str, Any]) -> str:
    return (
        f"{key['symbol']} {key['expiration']} {key['strike']:g} {key['right']} {key['timestamp']}"
    )

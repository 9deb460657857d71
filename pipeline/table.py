"""Tables that fit the terminal: where it is narrow, columns leave and the last one is cut."""

import os
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from transforms.text.foreign import on_a_line

CUT, WRAP = "cut", "wrap"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: above it.
        width: of its cells, with the space between it and the next column.
        right: whether its cells stand at the right.
        leaves: which one it is of those that leave where there is no room, from 1; 0 never.
    """

    heading: str
    width: int
    right: bool = False
    leaves: int = 0


class Table:
    """Lines of cells, one below the other.

    Args:
        columns: all but the last one, from left to right.
        last: the heading of the last column, whose cells are of any length; empty for none.
        room: that the last one should have before another column leaves.
        width: of the screen; None for any.
        overflow: where the last one has no room, its cells are `CUT` at the left, as paths are, or
            `WRAP` below each other.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        last: str = "",
        room: int = 0,
        *,
        width: int | None = None,
        overflow: str = CUT,
    ) -> None:
        self._all, self._last, self._overflow = columns, last, overflow
        kept = list(columns)
        room = max(room, len(last)) + len(_GAP) if last else 0
        for column in sorted(columns, key=lambda each: each.leaves):
            if width is None or sum(each.width for each in kept) + room <= width:
                break
            if column.leaves:
                kept.remove(column)
        self._kept = kept
        self._room = None if width is None else width - sum(each.width for each in kept)

    def has(self, heading: str) -> bool:
        """Returns whether the column of a heading is there."""
        return any(column.heading == heading for column in self._kept)

    def heading(self) -> str:
        """Returns the line above the cells."""
        return next(self.lines([each.heading for each in self._all], self._last))

    def lines(self, cells: Sequence[object], last: str = "") -> Iterator[str]:
        """Yields the line of a row; more than one where its last cell wraps.

        Args:
            cells: one for each column, but for the last.
            last: the cell of that.
        """
        shown = "".join(
            _fitted(on_a_line(str(cell)), column)
            for cell, column in zip(cells, self._all, strict=True)
            if column in self._kept
        )
        if not self._last:
            yield shown.rstrip()
            return
        pieces = self._fit(on_a_line(last, None))
        yield f"{shown}{_GAP}{pieces[0]}".rstrip()
        for piece in pieces[1:]:
            yield f"{'':{len(shown)}}{_GAP}{piece}"

    def _fit(self, text: str) -> list[str]:
        room = max((self._room or 0) - len(_GAP), 8)
        if self._room is None or len(text) <= room:
            return [text]
        if self._overflow == CUT:
            return [f"…{text[len(text) - room + 1 :]}"]
        return textwrap.wrap(text, room) or [""]


_GAP = "  "


def width_of(out: TextIO) -> int | None:
    """Returns the width of the terminal that a stream is, or None if it is none."""
    if not out.isatty():
        return None
    try:
        # COLUMNS counts before the terminal's own word, as everywhere.
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(out.fileno()).columns) or None
    except (OSError, ValueError):
        return shutil.get_terminal_size().columns


def _fitted(cell: str, column: Column) -> str:
    most = column.width - 1
    text = cell if len(cell) <= most else f"{cell[: most - 1]}…"
    return f"{text:>{column.width}}" if column.right else f"{text:<{column.width}}"

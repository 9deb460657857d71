"""What differs between two downloads: rows of one alone, and rows that have moved."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from transforms.arrays import Floats

MOST_EXAMPLES = 5
MOST_KEPT = 1 << 17


@dataclass
class Moved:
    """How one column moved.

    Attributes:
        rows: that have another value.
        kept: by how much, of every `stride`-th of them; none for a column that has no numbers.
        stride: 1, until there are more than `MOST_KEPT`.
        largest: the largest change.
        worst: the row with the largest change, or the first one.
    """

    rows: int = 0
    kept: Floats = field(default_factory=lambda: np.zeros(0))
    stride: int = 1
    largest: float = -1.0
    worst: dict[str, Any] = field(default_factory=dict)

    def keep(self, changes: Floats, stride: int = 1) -> None:
        """Takes sizes of changes, each of which stands for `stride` of them."""
        while stride < self.stride:
            changes, stride = changes[::2], stride * 2
        while self.stride < stride or len(self.kept) + len(changes) > MOST_KEPT:
            self.kept, self.stride = self.kept[::2], self.stride * 2
            if stride < self.stride:
                changes, stride = changes[::2], stride * 2
        self.kept = np.concatenate([self.kept, changes])

    def describe(self) -> dict[str, Any]:
        """Returns it, JSON-ready."""
        sizes: dict[str, Any] = {}
        if len(self.kept) or self.largest == np.inf:
            # JSON has no infinity: there, it is null.
            sizes = {
                "median": float(np.median(self.kept)) if len(self.kept) else None,
                "max": self.largest if np.isfinite(self.largest) else None,
            }
        return {"rows": self.rows, **sizes, "worst": self.worst}


@dataclass
class Difference:
    """What differs.

    Attributes:
        same_rows: that are in both, and equal.
        moved_rows: that are in both, with another value in some column.
        only: rows that are in A alone, and in B alone.
        examples: keys of some of them.
        columns: how each column moved.
        only_columns: columns that A alone, and B alone, has.
        only_files: files of a folder that have no counterpart, in A and in B.
        unreadable: the error of each file that can't be read; no row of it, nor of its
            counterpart, is counted.
    """

    same_rows: int = 0
    moved_rows: int = 0
    only: dict[str, int] = field(default_factory=lambda: {"a": 0, "b": 0})
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"a": [], "b": []})
    columns: dict[str, Moved] = field(default_factory=dict)
    only_columns: dict[str, list[str]] = field(default_factory=lambda: {"a": [], "b": []})
    only_files: dict[str, list[str]] = field(default_factory=lambda: {"a": [], "b": []})
    unreadable: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        sides = (*self.only.values(), *self.only_columns.values(), *self.only_files.values())
        return not (self.moved_rows or self.unreadable or any(sides))

    def describe(self) -> dict[str, Any]:
        """Returns it, JSON-ready."""
        return {
            "same": self.same,
            "same_rows": self.same_rows,
            "moved_rows": self.moved_rows,
            "only_in_a": {
                "rows": self.only["a"],
                "examples": self.examples["a"],
                "columns": self.only_columns["a"],
                "files": self.only_files["a"],
            },
            "only_in_b": {
                "rows": self.only["b"],
                "examples": self.examples["b"],
                "columns": self.only_columns["b"],
                "files": self.only_files["b"],
            },
            "unreadable": self.unreadable,
            "columns": {name: moved.describe() for name, moved in self.columns.items()},
        }

    def add(self, part: "Difference") -> None:
        """Adds what differs elsewhere."""
        self.same_rows += part.same_rows
        self.moved_rows += part.moved_rows
        for side in ("a", "b"):
            self.only[side] += part.only[side]
            room = MOST_EXAMPLES - len(self.examples[side])
            self.examples[side] += part.examples[side][: max(room, 0)]
            self.only_files[side] += part.only_files[side]
            known = self.only_columns[side]
            known += [name for name in part.only_columns[side] if name not in known]
        for name, moved in part.columns.items():
            sum_ = self.columns.setdefault(name, Moved())
            sum_.rows += moved.rows
            sum_.keep(moved.kept, moved.stride)
            if moved.largest > sum_.largest:
                sum_.largest, sum_.worst = moved.largest, moved.worst

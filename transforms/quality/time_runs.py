"""Rows as runs: a contract, its first time, and how many times follow one another at a step."""

from dataclasses import dataclass

import numpy as np

from transforms.arrays import Flags, Floats, Ints


def begins(*columns: Flags | Floats | Ints) -> Ints:
    """Returns the places of the rows in which a column has another value than in the one before.

    The first row is one of them. There is at least one.
    """
    new = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.flatnonzero(np.append(True, new))


@dataclass
class Runs:
    """Runs of rows: contract codes, first times and counts, side by side, in the rows' order."""

    code: Ints
    first: Ints
    count: Ints

    def __len__(self) -> int:
        return len(self.code)

    def pick(self, which: Flags | Ints) -> "Runs":
        """Returns some of them."""
        return Runs(self.code[which], self.first[which], self.count[which])

    def last(self, step: int) -> Ints:
        """Returns the last time of each."""
        return self.first + (self.count - 1) * step

    def expand(self, step: int) -> tuple[Ints, Ints]:
        """Returns the contract and the time of every row."""
        ends = np.cumsum(self.count)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - self.count, self.count)
        times = np.repeat(self.first, self.count) + within * step
        return np.repeat(self.code, self.count), times

    @staticmethod
    def of(code: Ints, time: Ints, step: int) -> "Runs":
        """Returns the rows as runs."""
        new = np.ones(len(code), np.bool_)
        np.not_equal(code[1:], code[:-1], out=new[1:])
        new[1:] |= (time[1:] - time[:-1]) != step
        starts = np.flatnonzero(new)
        return Runs(code[starts], time[starts], np.diff(np.append(starts, len(code))))

    @staticmethod
    def joined(parts: "list[Runs]") -> "Runs":
        """Returns the runs of all parts, one after the other."""
        return Runs(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("code", "first", "count")
            )
        )

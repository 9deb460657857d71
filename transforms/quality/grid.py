"""The times of day at which contracts have rows: given by the interval, or inferred from rows."""

from dataclasses import dataclass

import numpy as np

from transforms.arrays import Flags, Ints
from transforms.market.calendar import EARLY_CLOSE_MS
from transforms.market.clock import DAY_MS
from transforms.quality.time_runs import Runs, begins


@dataclass(frozen=True)
class Grid:
    """The times of day at which every contract has a row.

    Attributes:
        start: the first, in milliseconds since midnight, New York time.
        end: the last one that may be.
        step: between two of them.
        bars: a row is what happens from its time on, so that there need be none at the very end.
    """

    start: int
    end: int
    step: int
    bars: bool = False

    def last(self, early: bool) -> int:
        """Returns the last time that there must be, up to an early close if there is one."""
        end = min(self.end, EARLY_CLOSE_MS) if early else self.end
        return end - self.bars

    def lacks(self, clock: Ints) -> Flags:
        """Returns which times of day, in milliseconds since midnight, are not on it."""
        off = np.asarray((clock < self.start) | (clock > self.end))
        return off if self.step == 1 else off | ((clock - self.start) % self.step != 0)

    def size(self, early: bool) -> int:
        """Returns how many times there are, up to an early close if there is one."""
        return max((self.last(early) - self.start) // self.step + 1, 0)


def usual_step(code: Ints, time: Ints) -> int:
    """Returns the most frequent time between two rows of a contract; 0 if there are none."""
    between = (time[1:] - time[:-1])[code[1:] == code[:-1]]
    between = between[(between > 0) & (between < DAY_MS)]
    return _usual(between) if len(between) else 0


def inferred(runs: Runs, step: int) -> Grid | None:
    """Returns the times of day that contracts usually have, or None if they have no grid."""
    day = runs.first // DAY_MS
    shapes = np.unique(np.stack([runs.first - day * DAY_MS, runs.count]), axis=1)
    _, times = Runs(shapes[0], shapes[0], shapes[1]).expand(step)
    between = np.asarray(np.diff(np.unique(times)), np.int64)
    if not len(between):
        return None
    usual = _usual(between)
    index = begins(runs.code, day)
    ends = np.append(index[1:], len(runs)) - 1
    start = _usual((runs.first - day * DAY_MS)[index])
    # Of two ends as usual as each other, the later: a day that was cut off is the shorter one.
    end = -_usual(-(runs.last(step) - day * DAY_MS)[ends])
    if end < start or (end - start) % usual:
        return None
    on = (runs.first - day * DAY_MS - start) % usual == 0
    # Rows of ticks come when they come.
    return Grid(start, end, usual) if runs.count[on].sum() > 0.9 * runs.count.sum() else None


def _usual(values: Ints) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])

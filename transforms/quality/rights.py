"""Which rights each trade date has: both were asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.market.clock import DAY_MS
from transforms.quality.block import Block, Flags, code_of
from transforms.quality.presence import Spots


@dataclass
class _Day:
    code: int
    time: int
    calls: int = 0
    puts: int = 0


class Rights:
    """Counts the calls and the puts of each trade date.

    Args:
        most: how many trade dates to keep as examples.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._days: dict[int, _Day] = {}

    def add(self, block: Block) -> None:
        """Takes the next rows."""
        for day, rows in _days(block):
            place = 0 if rows is None else int(np.argmax(rows))
            if day not in self._days:
                one = slice(place, place + 1)
                code = int(code_of(block["strike"][one], block.is_call[one])[0])
                self._days[day] = _Day(code, day * DAY_MS)
            calls = block.is_call if rows is None else block.is_call[rows]
            count = int(np.count_nonzero(calls))
            self._days[day].calls += count
            self._days[day].puts += len(calls) - count

    def finish(self) -> Spots:
        """Returns the trade dates with one right only, counted in rows."""
        spots = Spots()
        for _, day in sorted(self._days.items()):
            if day.calls and day.puts:
                continue
            spots.count += day.calls + day.puts
            if len(spots.first) < self._most:
                figures = {"calls": day.calls, "puts": day.puts}
                spots.first.append((day.code, day.time, figures))
        return spots


def _days(block: Block) -> Iterator[tuple[int, Flags | None]]:
    """Yields each date of a block and which rows are of it; None for all."""
    if block.offset is not None:
        first, last = ((end + block.offset) // DAY_MS for end in block.ends)
        if first == last:
            yield first, None
            return
    for day in np.unique(block.day).tolist():
        yield day, block.day == day

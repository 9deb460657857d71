"""Which contract has which times: duplicates, order and holes, in whatever order rows come.

Rows are kept as runs: a contract, its first time, and how many times follow one another at the
interval's step. A clean trade date of a contract is one run of 20 bytes, whatever the interval;
a hole begins another one. Runs are merged whenever there are many, so that also rows that come
time by time take little more. All answers depend on the rows and their order alone, not on how
they are cut into batches.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice

import numpy as np

from transforms.arrays import Flags, Ints
from transforms.market.calendar import EARLY_CLOSE_MS, closing_time
from transforms.market.clock import DAY_MS, EPOCH
from transforms.quality.findings import MOST_EXAMPLES
from transforms.quality.grid import Grid, inferred, usual_step
from transforms.quality.time_runs import Runs, begins

_MERGE_AT = 1 << 16
# Beyond this rows are on no grid, and keeping them all would not be flat.
_MOST_RUNS = 1 << 18

Spot = tuple[int, int, dict[str, int]]
"""A contract, a time and figures."""


@dataclass
class Spots:
    """How often something was found, and where first: at most `MOST_EXAMPLES` places."""

    count: int = 0
    first: list[Spot] = field(default_factory=list)

    def add(self, count: int, places: Iterable[Spot]) -> None:
        """Takes what was found in some places, which are looked at as far as there is room."""
        self.count += count
        self.first += islice(places, MOST_EXAMPLES - len(self.first))


class Presence:
    """Finds duplicates, disorder and holes from the contract and the time of every row.

    Args:
        grid: the times of day, if they are known: else they are inferred from the rows.
        daily: there is one row for each contract and trade date: times are midnights.

    Attributes:
        duplicates: rows whose contract and time were there before.
        out_of_order: rows before an earlier row of their contract that are no duplicates.
        tracked: False if there were too many times on no grid: then nothing was looked for.
    """

    def __init__(self, grid: Grid | None = None, *, daily: bool = False) -> None:
        self.duplicates, self.out_of_order = Spots(), Spots()
        self.tracked = True
        self._grid = grid
        self._daily = daily
        self._step = DAY_MS if daily else grid.step if grid else 0
        self._runs: list[Runs] = []
        self._known = 0  # how many of the first runs are sorted, and counted already
        self._pending = 0

    def add(self, code: Ints, time: Ints) -> None:
        """Takes rows in the order in which they came.

        Args:
            code: names the contract.
            time: milliseconds since 1970-01-01 on New York's clocks.
        """
        if not self.tracked or not len(code):
            return
        if not self._step:
            self._step = usual_step(code, time)
        runs = Runs.of(code, time, self._step or 1)
        self._runs.append(runs)
        self._pending += len(runs)
        if self._pending > _MERGE_AT:
            self._settle()
            if self._known > _MOST_RUNS:
                self.tracked = False
                self._runs, self._known = [], 0

    def finish(self, *, bars: bool = False) -> tuple[int, int, Spots]:
        """Returns the numbers of contracts and of trade dates, and the missing ones.

        Missing is counted in rows; its places are contracts' trade dates, the worst first, with
        `missing`, `rows` and the first missing time. At the end of day, a contract has no row
        missing before its first or after its last.

        Args:
            bars: as `Grid.bars`.
        """
        self._settle()
        if not self._runs:
            return 0, 0, Spots()
        runs = self._runs[0]
        contracts, dates = len(np.unique(runs.code)), np.unique(runs.first // DAY_MS)
        if self._daily:
            _, days = runs.expand(self._step)
            dates = np.unique(days // DAY_MS)
            return contracts, len(dates), self._missing_days(runs, dates)
        grid = self._grid or inferred(runs, self._step or 1)
        if not grid:
            return contracts, len(dates), Spots()
        return contracts, len(dates), self._missing_times(runs, replace(grid, bars=bars))

    def _settle(self) -> None:
        """Counts double and misplaced rows, sorts the runs, and merges those that touch."""
        if not self._runs:
            return
        runs = Runs.joined(self._runs)
        old = np.arange(len(runs)) < self._known
        order = np.argsort(runs.code, kind="stable")
        runs, old = runs.pick(order), old[order]
        if not self._step:
            # Rows that come time by time show their step only here; each was a run of its own.
            self._step = usual_step(runs.code, runs.first)
        step = self._step or 1
        back = (runs.code[1:] == runs.code[:-1]) & (runs.first[1:] <= runs.last(step)[:-1])
        if back.any():
            which = np.isin(runs.code, runs.code[1:][back])
            code, time = runs.pick(which).expand(step)
            self._count(code, time, np.repeat(old[which], runs.count[which]))
            kept = np.unique(np.stack([code, time]), axis=1)
            runs = Runs.joined([runs.pick(~which), Runs.of(kept[0], kept[1], step)])
            runs = runs.pick(np.lexsort((runs.first, runs.code)))
        starts = np.ones(len(runs), np.bool_)
        starts[1:] = (runs.code[1:] != runs.code[:-1]) | (
            runs.first[1:] != runs.last(step)[:-1] + step
        )
        index = np.flatnonzero(starts)
        counts = np.add.reduceat(runs.count, index)
        self._runs = [Runs(runs.code[index], runs.first[index], counts)]
        self._known, self._pending = len(index), 0

    def _count(self, code: Ints, time: Ints, old: Flags) -> None:
        """Takes all rows of some contracts, in the order in which they came by contract."""
        order = np.lexsort((time, code))  # stable
        again = np.zeros(len(code), np.bool_)
        same = (code[order][1:] == code[order][:-1]) & (time[order][1:] == time[order][:-1])
        again[order[1:]] = same
        again &= ~old
        # Contracts ascend, so that one running maximum serves them all.
        rank = np.cumsum(np.append(False, code[1:] != code[:-1])) << 44
        latest = np.maximum.accumulate(rank + time)
        back = np.zeros(len(code), np.bool_)
        back[1:] = (rank + time)[1:] < latest[:-1]
        back &= (code == np.append(code[:1], code[:-1])) & ~again & ~old
        for spots, found in ((self.duplicates, again), (self.out_of_order, back)):
            places = np.flatnonzero(found)
            spots.add(len(places), ((int(code[n]), int(time[n]), {}) for n in places))

    def _missing_times(self, runs: Runs, grid: Grid) -> Spots:
        step = self._step or 1
        if step != grid.step:
            runs = Runs.of(*runs.expand(step), grid.step)
        day = runs.first // DAY_MS
        days = np.unique(day)
        closes = [closing_time(date.fromordinal(EPOCH + int(d))) for d in days]
        early = np.array(closes) == EARLY_CLOSE_MS
        first = runs.first - day * DAY_MS
        end = np.where(early[np.searchsorted(days, day)], grid.last(True), grid.last(False))
        skipped = np.maximum(-((first - grid.start) // grid.step), 0)
        present = np.clip((end - first) // grid.step + 1, 0, runs.count) - skipped
        present = np.where((first - grid.start) % grid.step == 0, np.maximum(present, 0), 0)
        index = begins(runs.code, day)
        sizes = np.array([grid.size(bool(is_early)) for is_early in early])
        found = np.add.reduceat(present, index)
        missing = sizes[np.searchsorted(days, day[index])] - found

        def first_missing(n: int) -> tuple[int, int]:
            code, on = int(runs.code[index[n]]), int(day[index[n]])
            _, times = runs.pick((runs.code == code) & (day == on)).expand(grid.step)
            wanted = on * DAY_MS + grid.start + grid.step * np.arange(found[n] + missing[n])
            return code, int(np.setdiff1d(wanted, times)[0])

        return _worst(missing, found, first_missing)

    def _missing_days(self, runs: Runs, dates: Ints) -> Spots:
        index = begins(runs.code)
        lasts = np.append(index[1:], len(runs)) - 1
        low = np.searchsorted(dates, runs.first[index] // DAY_MS)
        high = np.searchsorted(dates, runs.last(self._step)[lasts] // DAY_MS)
        found = np.add.reduceat(runs.count, index)
        missing = high - low + 1 - found

        def first_missing(n: int) -> tuple[int, int]:
            code = int(runs.code[index[n]])
            _, times = runs.pick(runs.code == code).expand(self._step)
            return code, int(np.setdiff1d(dates[low[n] : high[n]], times // DAY_MS)[0]) * DAY_MS

        return _worst(missing, found, first_missing)


def _worst(missing: Ints, found: Ints, first_missing: Callable[[int], tuple[int, int]]) -> Spots:
    """Returns what is missing, where most is first; of each place, the contract and the time."""
    worst = np.argsort(-missing, kind="stable")[:MOST_EXAMPLES].tolist()
    places = [
        (*first_missing(n), {"missing": int(missing[n]), "rows": int(found[n])})
        for n in worst
        if missing[n] > 0
    ]
    return Spots(int(missing.clip(0).sum()), places)

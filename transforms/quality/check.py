"""Whether the numbers can be trusted: statistics and findings, while rows pass by."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from transforms.market.calendar import CLOSE_MS, OPEN_MS
from transforms.market.clock import DAY_MS, clock_ms, interval_ms
from transforms.model import GreeksRequest
from transforms.orders import END_OF_DAY
from transforms.quality.block import Block
from transforms.quality.columns import arrays
from transforms.quality.contracts import Rights, StrikeRange
from transforms.quality.finding_counts import FindingCounts
from transforms.quality.findings import Quality
from transforms.quality.grid import Grid
from transforms.quality.limits import MISSING_DATES
from transforms.quality.presence import Presence
from transforms.quality.rules import violations
from transforms.quality.statistics import counted, error_of
from transforms.quality.ticks import Ticks
from transforms.workers.turns import CONVERTING


class QualityCheck:
    """Checks the rows of one expiration, group by group: statistics and findings.

    Rows come in the groups of `RowGroups`, so that the answer depends on the rows alone and not on
    how their batches were cut. What is kept: 20 bytes for each contract and trade date, and the
    examples.

    Args:
        interval: between two rows of a contract, one of `orders.INTERVALS` or `eod`; None if it is
            not known, and then what every contract lacks can't be missed.
        start_ms: the first time of day, milliseconds since midnight in New York.
        end_ms: the last one.
        annual_dividend: that the Greeks were requested with, in dollars.
        both_rights: whether calls and puts were both requested.
        strike_range: how many strikes were requested above the money, and below; None for all.
    """

    def __init__(
        self,
        interval: str | None = None,
        start_ms: int = OPEN_MS,
        end_ms: int = CLOSE_MS,
        annual_dividend: float = 0.0,
        *,
        both_rights: bool = False,
        strike_range: int | None = None,
    ) -> None:
        self._daily = interval == END_OF_DAY
        self._maybe_snapshot = interval is None
        grid = None
        if interval and not self._daily and interval != "tick":
            grid = Grid(start_ms, end_ms, interval_ms(interval))
        self._grid = grid
        if interval == "tick" and (start_ms, end_ms) != (OPEN_MS, CLOSE_MS):
            self._grid = Grid(start_ms, end_ms, 1)
        self._rights = Rights() if both_rights else None
        self._strikes = StrikeRange(strike_range, daily=self._daily) if strike_range else None
        self._presence = None if interval == "tick" else Presence(grid, daily=self._daily)
        self._ticks = Ticks()
        self._sparse = self._bars = False
        self._dividend = annual_dividend
        self._rows = 0
        self._counts: dict[str, int] = {}
        self._error_rows, self._error_sum, self._error_max = 0, 0.0, 0.0
        self._findings = FindingCounts("", date.min)

    @classmethod
    def of(cls, request: GreeksRequest) -> "QualityCheck":
        """Returns the check of what a request asks for."""
        given = dict(request.parameters)
        return cls(
            request.interval,
            clock_ms(given["start_time"]) if "start_time" in given else OPEN_MS,
            clock_ms(given["end_time"]) if "end_time" in given else CLOSE_MS,
            float(given.get("annual_dividend", 0)),
            both_rights=True,
            strike_range=int(given["strike_range"]) if "strike_range" in given else None,
        )

    def add(self, group: pa.RecordBatch) -> None:
        """Takes the next row group, whose columns are named and typed as in `schema`.

        Only the columns that are there are looked at; `KEY_COLUMNS` must be.

        Args:
            group: at least one row.
        """
        with CONVERTING:
            self._look(group)

    def finish(self, missing: Sequence[date] = ()) -> Quality:
        """Returns what all the rows show. No row may follow.

        Args:
            missing: the trade dates that should have rows and have none.
        """
        for day in missing:
            self._findings.note_date(MISSING_DATES, day)
        contracts, dates = self._ticks.finish()
        self._findings.note_spots("duplicates", self._ticks.duplicates)
        if self._presence is not None:
            contracts, dates, holes = self._presence.finish(bars=self._bars)
        if self._presence is not None and self._presence.tracked:
            for rule, spots in (
                ("duplicates", self._presence.duplicates),
                ("out_of_order", self._presence.out_of_order),
                # A contract without open interest may have no report.
                *(() if self._sparse else (("holes", holes),)),
            ):
                self._counts[rule] = spots.count
                self._findings.note_spots(rule, spots)
        if self._rights is not None:
            self._findings.note_spots("one_right", self._rights.finish())
        if self._strikes is not None:
            self._findings.note_spots("strike_range", self._strikes.finish())
        findings = self._findings.findings(self._rows)
        mean = self._error_sum / self._error_rows if self._error_rows else 0.0
        error = {"rows": self._error_rows, "mean": mean, "max": self._error_max}
        return Quality(self._rows, contracts, dates, dict(self._counts), error, findings)

    @np.errstate(all="ignore")  # it looks for numbers that are none
    def _look(self, group: pa.RecordBatch) -> None:
        if not self._rows:
            key = (group["symbol"][0].as_py(), group["expiration"][0].as_py())
            self._findings = FindingCounts(*key)
        self._rows += group.num_rows
        columns = arrays(group)
        self._sparse |= self._daily and "open_interest" in columns
        self._bars |= not self._daily and "open" in columns
        block = Block(columns, self._findings.expiration, self._daily, self._dividend, self._grid)
        if self._rights is not None:
            self._rights.add(block)
        if self._strikes is not None:
            self._strikes.add(block)
        for violation in violations(block, maybe_snapshot=self._maybe_snapshot):
            self._findings.note(violation, block)
        for name, count in counted(block):
            self._counts[name] = self._counts.get(name, 0) + count
        rows, total, most = error_of(block)
        self._error_rows += rows
        self._error_sum += total
        self._error_max = max(self._error_max, most)
        if self._presence is not None:
            times = block.day * DAY_MS if self._daily else block.time
            self._presence.add(block.code, times)
        else:
            self._ticks.add(block)

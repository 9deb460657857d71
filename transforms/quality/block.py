"""Rows of one expiration as NumPy arrays, on New York's clocks."""

import math
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrays import Flags, Floats, Ints
from transforms.market.calendar import closing_time
from transforms.market.clock import DAY_MS, EPOCH, NEW_YORK, offset_at, steady_offset
from transforms.orders.schema import ALL_GREEKS, KEY_COLUMNS
from transforms.pricing.conventions import midpoint
from transforms.quality.columns import TIMES, UNKNOWN, Columns
from transforms.quality.grid import Grid


@dataclass
class Block:
    """Rows of one expiration.

    Attributes:
        columns: as `arrays` returns them.
        expiration: of the contracts.
        daily: one row for each contract and trade date.
        annual_dividend: that the Greeks were computed with, in dollars.
        grid: the times of day that were asked for, or None if they are not known.
        priced_by: the column that the volatilities were solved from, `midpoint` for the quote's
            middle; empty for the usual one.
        instant: of each row, milliseconds since 1970 in UTC.
        ends: the least and the greatest of them.
        offset: what New York's clocks show more at all of them, in milliseconds; None if that
            changes among them.
        is_call: whether it is of a call.
    """

    columns: Columns
    expiration: date
    daily: bool
    annual_dividend: float = 0.0
    grid: Grid | None = None
    priced_by: str = ""
    instant: Ints = field(init=False)
    ends: tuple[int, int] = field(init=False)
    offset: int | None = field(init=False)
    is_call: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.columns.keys()
        self.instant, self.is_call = self.columns["timestamp"], self.columns["right"]
        self.ends = _ends(self.instant)
        self.offset = steady_offset(*self.ends)

    def __len__(self) -> int:
        return len(self.instant)

    def __getitem__(self, name: str) -> Floats:
        """Returns a column of numbers; null is NaN."""
        return self.columns[name]

    def value(self, name: str, row: int) -> Any:
        """Returns what a cell holds, JSON-ready: a number, a time with its offset, or None."""
        cell = self.columns[name][row].item()
        if name in TIMES:
            return None if cell == UNKNOWN else stamp(cell + offset_at(cell))
        if cell != cell:
            return None
        return str(cell) if cell in (math.inf, -math.inf) else cell

    @cached_property
    def time(self) -> Ints:
        """What New York's clocks show at each row, in milliseconds."""
        return _shown(self.instant, self.offset)

    @cached_property
    def only_day(self) -> int | None:
        """The date of all rows, as days since 1970; None if they are, or may be, of several."""
        if self.offset is None:
            return None
        first, last = ((end + self.offset) // DAY_MS for end in self.ends)
        return first if first == last else None

    @cached_property
    def day(self) -> Ints:
        """The date of each row, as days since 1970."""
        if self.only_day is not None:
            return np.broadcast_to(np.int64(self.only_day), len(self))
        return self.time // DAY_MS

    @cached_property
    def clock(self) -> Ints:
        """The time of day of each row, in milliseconds since midnight."""
        return self.time - self.day * DAY_MS

    @cached_property
    def greeks(self) -> list[str]:
        """The Greeks among the columns that hold any."""
        return [name for name in ALL_GREEKS if self.has(name)]

    @property
    def measured(self) -> list[str]:
        """The columns of numbers and times that name no row."""
        return [name for name in self.names if name not in KEY_COLUMNS]

    def lacks(self, name: str) -> bool:
        """Returns whether a value of a column is missing: null, or no finite number."""
        if name in TIMES:
            return bool(self.columns[name].min() == UNKNOWN)
        # A sum is finite only if every number is.
        return not np.isfinite(self[name].sum())

    def empty(self, name: str) -> Flags:
        """Returns where a column's values are missing."""
        if name in TIMES:
            return np.asarray(self.columns[name] == UNKNOWN)
        return ~np.isfinite(self[name])

    @cached_property
    def closes(self) -> Ints:
        """When trading ends on each row's date, in milliseconds since midnight."""
        if self.only_day is not None:
            close = closing_time(date.fromordinal(EPOCH + self.only_day))
            return np.broadcast_to(np.int64(close), len(self))
        days = np.unique(self.day)
        closes = [closing_time(date.fromordinal(EPOCH + int(day))) for day in days]
        return np.array(closes, np.int64)[np.searchsorted(days, self.day)]

    @cached_property
    def age(self) -> Ints:
        """By how many milliseconds the underlying's price is older than the row; 0 if unknown."""
        other = self.columns["underlying_timestamp"]
        age = self.instant - other
        if other.min() == UNKNOWN:
            age[other == UNKNOWN] = 0
        return age

    @cached_property
    def all_zero(self) -> Ints:
        """The rows whose Greeks are all 0."""
        first, *rest = self.greeks
        rows = np.flatnonzero(self[first] == 0)
        for name in rest:
            rows = rows[self[name][rows] == 0] if len(rows) else rows
        return rows

    @property
    def code(self) -> Ints:
        """A number for each contract: its strike in tenths of a cent, its right in the last bit."""
        return code_of(self["strike"], self.is_call)

    def years(self, rows: Ints) -> Floats:
        """Returns the most time to expiration that each row may have; one number if it is all's."""
        day = np.asarray(self.day[rows] if self.only_day is None else self.only_day)
        years: Floats = np.maximum(self.expiration.toordinal() - EPOCH - day + 1, 1) / 365
        return years

    @property
    def prices(self) -> tuple[str, ...]:
        """The columns that a volatility may have been solved from, the usual one first.

        Of a trade that is its `price`; of a quote the `midpoint`; at the end of the day v3 takes
        the last quote's, and v2 the `close`.
        """
        found = []
        if self.has("price"):
            found.append("price")
        elif self.has("bid") and self.has("ask"):
            found.append("midpoint")
        if self.daily and self.has("close"):
            found.append("close")
        return tuple(found)

    @cached_property
    def price(self) -> Floats:
        """What the volatility was solved from, in dollars; NaN where the rows have no price."""
        return self.price_by(self.priced_by or next(iter(self.prices), ""))

    @property
    def other_prices(self) -> list[Floats]:
        """What it may have been solved from instead, where that is not known."""
        return [] if self.priced_by else [self.price_by(name) for name in self.prices[1:]]

    def price_by(self, name: str) -> Floats:
        """Returns one of the `prices`."""
        if name == "midpoint" and name not in self.names:
            return midpoint(self["bid"], self["ask"])
        return self[name] if name in self.names else np.full(len(self), np.nan)

    @property
    def missing_inputs(self) -> str:
        """What a recomputation needs and the rows lack, in words; empty if nothing."""
        lacking = [name for name in ("implied_vol", "underlying_price") if not self.has(name)]
        if not self.prices:
            lacking.append("price (bid and ask, price or close)")
        return " and no ".join(lacking)

    @cached_property
    def three(self) -> tuple[tuple[str, str], ...]:
        """The price and the volatility of each solution in a row; none if a row has but one."""
        found = (
            ("bid", "bid_implied_vol"),
            ("midpoint", "implied_vol"),
            ("ask", "ask_implied_vol"),
        )
        return found if {name for pair in found for name in pair} <= self.names else ()

    def has(self, name: str) -> bool:
        """Returns whether there is such a column, and any number in it."""
        if name not in self.names:
            return False
        column = self[name]
        return not bool(column[0] != column[0] and np.isnan(column).all())


def new_york(instant: Ints) -> Ints:
    """Returns instants, milliseconds since 1970 in UTC, as milliseconds on New York's clocks."""
    return _shown(instant, steady_offset(*_ends(instant)))


def _ends(instant: Ints) -> tuple[int, int]:
    return int(instant.min()), int(instant.max())


def _shown(instant: Ints, offset: int | None) -> Ints:
    if offset is not None:
        return instant + offset
    stamps = pa.array(instant).cast(pa.timestamp("ms", str(NEW_YORK)))
    return np.asarray(pc.local_timestamp(stamps).cast(pa.int64()).to_numpy())


def stamp(time: int) -> str:
    """Returns milliseconds on New York's clocks as the files have them, with the offset."""
    wall = datetime.fromtimestamp(time // 1000, timezone.utc)
    wall = wall.replace(tzinfo=NEW_YORK, microsecond=time % 1000 * 1000)
    return wall.isoformat(timespec="milliseconds")


def code_of(strike: Floats, is_call: Flags) -> Ints:
    """Returns a number for each contract, from which `contract` has strike and right."""
    return np.asarray(np.rint(strike * 1000).astype(np.int64) * 2 + ~is_call)


def contract(code: int) -> tuple[float, str]:
    """Returns the strike and the right of a contract's number."""
    return code // 2 / 1000, "CP"[code % 2]

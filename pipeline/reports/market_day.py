"""One trade date of one symbol, gathered in one pass: what the figures of the data are drawn from.

Memory is bounded by the contracts and the five-minute buckets of a day, whatever the interval.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from pipeline.inspection.files import UnreadableFile, columns_of
from pipeline.reports.coverage import BUCKET, Coverage
from pipeline.reports.last_rows import WINDOW_MS, LastRows, joined
from pipeline.reports.rows import BASE, NoRows, NoSuchDay, Piece, pieces
from pipeline.text import clock_text, count
from transforms.arrays import Floats, Ints

LOOK_BACK = 7
"""Calendar days before the trade date among which the one before it is looked for."""

_MINUTE = 60_000
_USUAL = 10 * 60 * _MINUTE
_MOST_LISTED = 16
_BAND = 0.002  # of the underlying: two rows of one time may have prices so far apart


@dataclass
class MarketDay:
    """What one pass over the files gathered.

    Attributes:
        symbol: the option root.
        trade_date: the date of the figures.
        until: the time of the snapshots, milliseconds of the day in New York.
        columns: the columns of the files besides the keys.
        rows: of the trade date.
        coverage: where rows are and where not, by expiration.
        snapshots: by trade date: this one and those before it.
        near: by expiration, the solved rows nearest the money on each five minutes, and all that
            another row's price of the underlying could make so.
        interest: the open interest of the trade date, by expiration.
        spot: the price of the underlying by time.
        minutes: of the trade date that have rows.
        unreadable: the error of each file that can't be read; the rows of it that come
            before are in the rest.
    """

    symbol: str
    trade_date: date
    until: int
    columns: tuple[str, ...]
    rows: int = 0
    coverage: dict[date, Coverage] = field(default_factory=dict)
    snapshots: dict[date, LastRows] = field(default_factory=dict)
    near: dict[date, Piece] = field(default_factory=dict)
    interest: dict[date, list[Piece]] = field(default_factory=dict)
    spot: dict[int, float] = field(default_factory=dict)
    minutes: set[int] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)

    @property
    def end_of_day(self) -> bool:
        """Whether there are no times: a row bears that of its contract's last trade."""
        return self._no_more or ("volume" in self.columns and "vwap" not in self.columns)

    @property
    def _no_more(self) -> bool:
        """Whether the rows have their open interest and nothing else."""
        return set(self.columns) - set(BASE) == {"open_interest"}

    @property
    def now(self) -> dict[date, Piece]:
        """The snapshot of the trade date, by expiration."""
        return self.snapshots.get(self.trade_date, LastRows()).by_expiration()

    @property
    def before(self) -> tuple[date, dict[date, Piece]] | None:
        """The trade date before this one and its snapshot, or None if it is not in the files."""
        days = [day for day in self.snapshots if day < self.trade_date]
        return (max(days), self.snapshots[max(days)].by_expiration()) if days else None

    def add(self, piece: Piece) -> None:
        """Takes some rows."""
        if self._take_interest(piece) and not self._no_more:
            return
        if self.end_of_day:
            piece = replace(piece, time=np.full_like(piece.time, self.until))
        self.snapshots.setdefault(piece.trade_date, LastRows()).add(piece, self.until)
        if piece.trade_date != self.trade_date:
            return
        self.rows += len(piece)
        if self.end_of_day:
            return
        self.minutes.update((np.unique(piece.time // _MINUTE)).tolist())
        self.coverage.setdefault(piece.expiration, Coverage()).add(piece)
        spot = piece.values["underlying_price"]
        on_step = (piece.time % BUCKET == 0) & (spot > 0)
        times, first = np.unique(piece.time[on_step], return_index=True)
        for when, price in zip(times.tolist(), spot[on_step][first].tolist(), strict=True):
            self.spot.setdefault(when, price)
        solved = on_step & piece.solved
        if solved.any():
            candidates = piece.where(solved)
            if piece.expiration in self.near:
                candidates = joined([self.near[piece.expiration], candidates])
            distance = _distance(candidates)
            band = _BAND * candidates.values["underlying_price"]
            kept = distance <= _least(candidates.time, distance) + band
            self.near[piece.expiration] = candidates.where(kept)

    def _take_interest(self, piece: Piece) -> bool:
        """Keeps what rows have of open interest, and returns whether it is all that they have."""
        interest = piece.values.get("open_interest")
        if interest is None or np.isnan(interest).all():
            return False
        if piece.trade_date == self.trade_date:
            self.interest.setdefault(piece.expiration, []).append(piece.where(interest >= 0))
            self.rows += 0 if self._no_more else len(piece)
        return True

    def course(self, expiration: date) -> dict[int, float]:
        """Returns the volatility at the money by time, milliseconds of the day, ascending."""
        nearest = at_the_money(self.near[expiration])
        times, place = np.unique(nearest.time, return_inverse=True)
        total = np.bincount(place, nearest.values["implied_vol"])
        mean = total / np.bincount(place)
        return dict(zip(times.tolist(), mean.tolist(), strict=True))

    def times_text(self) -> str:
        """Returns the times that have rows as a sentence has them."""
        clocks = [clock_text(minute * _MINUTE) for minute in sorted(self.minutes)]
        if len(clocks) <= _MOST_LISTED:
            return ", ".join(clocks)
        return f"{count(len(clocks), 'minute')}: {', '.join(clocks[:3])}, … {clocks[-1]}"


def gather(
    paths: Sequence[str],
    symbol: str,
    trade_date: date,
    until: int | None,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> MarketDay:
    """Reads the files, a second time only where none has a row at the usual time.

    Args:
        paths: of the files.
        symbol: the option root.
        trade_date: of the figures.
        until: the time of the snapshots, milliseconds of the day in New York; None for 10:00, or
            the minute with rows that is nearest to it.
        track: yields the files that it is given, and shows how many are done.

    Raises:
        NoSuchDay: none has a row of the symbol on the trade date.
        NoRows: none has one at the time.
        UnreadableFile: no row can be read, for a file can't.
    """
    day = _read(paths, symbol, trade_date, _USUAL if until is None else until, track)
    if day.now or (day.interest and not day.minutes):
        return day
    if until is None:
        minute = min(day.minutes, key=lambda each: abs(each * _MINUTE - _USUAL))
        return _read(paths, symbol, trade_date, (minute + 1) * _MINUTE - 1, track)
    raise NoRows(
        f"--time: the files have no row of {symbol} at {clock_text(until)} on {trade_date}, nor in "
        f"the {WINDOW_MS // _MINUTE} minutes before; they have rows at {day.times_text()}"
    )


def _read(
    paths: Sequence[str],
    symbol: str,
    trade_date: date,
    until: int,
    track: Callable[[Sequence[str]], Iterable[str]],
) -> MarketDay:
    columns: dict[str, None] = dict.fromkeys(BASE)
    wrong: dict[str, UnreadableFile] = {}
    for path in paths:
        try:
            columns |= dict.fromkeys(columns_of(path))
        except UnreadableFile as error:
            wrong[path] = error
    names = tuple(name for name in columns if name not in _NOT_VALUES)
    day = MarketDay(symbol, trade_date, until, names)
    read = tuple(name for name in names if name in (*BASE, *DRAWN, *_BESIDES))
    first = trade_date - timedelta(LOOK_BACK)
    for path in track(paths):
        if path in wrong:
            continue
        try:
            for piece in pieces(path, symbol, first, trade_date, read):
                day.add(piece)
        except UnreadableFile as error:
            wrong[path] = error
    day.unreadable += map(str, wrong.values())
    if not day.rows and wrong:
        raise next(iter(wrong.values()))
    if not day.rows:
        raise NoSuchDay(f"the files have no row of {symbol} on {trade_date}")
    return day


DRAWN = {
    "delta": "USD per USD",
    "gamma": "delta per USD",
    "theta": "USD per calendar day",
    "vega": "USD per 1.00 of volatility",
    "rho": "USD per 1.00 of rate",
    "vanna": "delta per 1.00 of volatility",
    "charm": "delta per year",
    "vomma": "vega per 1.00 of volatility",
    "speed": "gamma per USD",
    "zomma": "gamma per 1.00 of volatility",
    "color": "gamma per year",
    "ultima": "vomma per 1.00 of volatility",
    "epsilon": "USD per 1.00 of yield",
    "lambda": "percent per percent",
    "veta": "vega per year",
}
"""The Greeks that are read, the best known first, and their units."""

_BESIDES = (
    "open_interest",
    "close",
    "midpoint",
    "price",
    "dual_delta",
    "vera",
    "d1",
    "d2",
    "dual_gamma",
)
"""Read besides: for the independent check, and for the figures of the open interest."""

_NOT_VALUES = {"symbol", "expiration", "strike", "right", "timestamp", "underlying_timestamp"}


def at_the_money(piece: Piece) -> Piece:
    """Returns at each time the solved call and put of the strike nearest the underlying.

    Only strikes with a solved row count; of two that are as near, it is the lower one. So the view
    `term_structure` of the catalog has it.
    """
    piece = piece.where(piece.solved)
    order = np.lexsort((piece.strike, _distance(piece), piece.time))
    first = order[np.flatnonzero(np.diff(piece.time[order], prepend=-1))]
    times = np.searchsorted(piece.time[first], piece.time)
    return piece.where(piece.strike == piece.strike[first][times])


def volatility_at_the_money(piece: Piece) -> float:
    """Returns the mean volatility of a snapshot's call and put at the money, or nan."""
    nearest = at_the_money(replace(piece, time=np.zeros_like(piece.time)))
    volatility = nearest.values["implied_vol"]
    return float(volatility.mean()) if len(volatility) else float("nan")


def _distance(piece: Piece) -> Floats:
    """Returns how far each strike is from the underlying, in dollars."""
    return np.abs(piece.strike - piece.values["underlying_price"])


def _least(time: Ints, distance: Floats) -> Floats:
    """Returns for each row the least distance of its time."""
    times, place = np.unique(time, return_inverse=True)
    least = np.full(len(times), np.inf)
    np.minimum.at(least, place, distance)
    return np.asarray(least[place])

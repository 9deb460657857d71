"""One trade date of one symbol, gathered in one pass: what the figures of the data are drawn from.

Memory is bounded by the contracts and the five-minute buckets of a day, whatever the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from pipeline.inspection.files import UnreadableFile, columns_of
from pipeline.reports.coverage import BUCKET, Coverage
from pipeline.reports.last_rows import LastRows
from pipeline.reports.rows import BASE, NoRows, Piece, pieces

LOOK_BACK = 7
"""Calendar days before the trade date among which the one before it is looked for."""

_NEAR = 0.1  # of log-moneyness, around the money


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
        near: solved rows near the money, on each five minutes, in pieces.
        spot: the price of the underlying by time.
        unreadable: what is wrong with each file that can't be read; the rows of it that come
            before are in the rest.
    """

    symbol: str
    trade_date: date
    until: int
    columns: tuple[str, ...]
    rows: int = 0
    coverage: dict[date, Coverage] = field(default_factory=dict)
    snapshots: dict[date, LastRows] = field(default_factory=dict)
    near: list[Piece] = field(default_factory=list)
    spot: dict[int, float] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @property
    def end_of_day(self) -> bool:
        """Whether there are no times: a row bears that of its contract's last trade."""
        return "volume" in self.columns

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
        if self.end_of_day:
            piece = replace(piece, time=np.full_like(piece.time, self.until))
        self.snapshots.setdefault(piece.trade_date, LastRows()).add(piece, self.until)
        if piece.trade_date != self.trade_date:
            return
        self.rows += len(piece)
        if self.end_of_day:
            return
        self.coverage.setdefault(piece.expiration, Coverage(piece.expiration)).add(piece)
        spot = piece.values["underlying_price"]
        on_step = (piece.time % BUCKET == 0) & (spot > 0)
        times, first = np.unique(piece.time[on_step], return_index=True)
        for when, price in zip(times.tolist(), spot[on_step][first].tolist(), strict=True):
            self.spot.setdefault(when, price)
        with np.errstate(divide="ignore", invalid="ignore"):
            near = on_step & piece.solved & (np.abs(np.log(piece.strike / spot)) < _NEAR)
        if near.any():
            self.near.append(at_the_money(piece.where(near)))


def gather(paths: Sequence[Path], symbol: str, trade_date: date, until: int) -> MarketDay:
    """Reads the files once.

    Raises:
        NoRows: none has a row of the symbol on the trade date.
        UnreadableFile: no row can be read, for a file can't.
    """
    columns: dict[str, None] = dict.fromkeys(BASE)
    wrong: dict[Path, UnreadableFile] = {}
    for path in paths:
        try:
            columns |= dict.fromkeys(columns_of(str(path)))
        except UnreadableFile as error:
            wrong[path] = error
    names = tuple(name for name in columns if name not in _NOT_VALUES)
    day = MarketDay(symbol, trade_date, until, names)
    read = tuple(name for name in names if name in (*BASE, *DRAWN, *_CHECKED))
    first = trade_date - timedelta(LOOK_BACK)
    for path in paths:
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
        raise NoRows(f"the files have no row of {symbol} on {trade_date}")
    return day


DRAWN = (
    "delta",
    "gamma",
    "theta",
    "vega",
    "rho",
    "vanna",
    "charm",
    "vomma",
    "speed",
    "zomma",
    "color",
    "ultima",
    "epsilon",
    "lambda",
    "veta",
)
"""The Greeks that are read, the best known first."""

_CHECKED = ("close", "midpoint", "dual_delta", "vera", "d1", "d2", "dual_gamma")
"""Read only for the independent check: recomputed, or what price a volatility is solved for."""

_NOT_VALUES = {"symbol", "expiration", "strike", "right", "timestamp", "underlying_timestamp"}


def at_the_money(piece: Piece) -> Piece:
    """Returns at each time the solved call and put of the strike nearest the underlying."""
    piece = piece.where(piece.solved)
    distance = np.abs(piece.strike - piece.values["underlying_price"])
    order = np.lexsort((piece.strike, distance, piece.is_call, piece.time))
    key = piece.time[order] * 2 + piece.is_call[order]
    first = np.zeros(len(piece), bool)
    first[order[np.flatnonzero(np.diff(key, prepend=-1))]] = True
    return piece.where(first)


def volatility_at_the_money(piece: Piece) -> float:
    """Returns the mean of the nearest call's and put's volatility at the last time, or nan."""
    nearest = at_the_money(piece)
    volatility = nearest.values["implied_vol"]
    return float(volatility.mean()) if len(volatility) else float("nan")

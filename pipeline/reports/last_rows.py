"""The market at a time of the day: the last row of each contract."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipeline.reports.rows import Piece

WINDOW_MS = 30 * 60_000
"""A row that is older at the time of a snapshot is none of it."""


@dataclass
class LastRows:
    """The last row of each contract at or before a time of a trade date.

    Where most contracts have a row at one last time, as all do but ticks, only rows at that time
    count: a row from before would be of another market.
    """

    parts: list[Piece] = field(default_factory=list)

    def add(self, piece: Piece, until: int) -> None:
        """Takes the last rows of a piece at or before `until`, milliseconds of the day."""
        mask = (piece.time <= until) & (piece.time > until - WINDOW_MS)
        if mask.any():
            self.parts.append(_last(piece.where(mask)))

    def by_expiration(self) -> dict[date, Piece]:
        """Returns each expiration's rows, by strike, calls before puts."""
        groups: dict[date, list[Piece]] = {}
        for part in self.parts:
            groups.setdefault(part.expiration, []).append(part)
        return {day: _at_one_time(_last(joined(groups[day]))) for day in sorted(groups)}


def _at_one_time(piece: Piece) -> Piece:
    last = piece.time == piece.time.max()
    return piece.where(last) if 2 * np.count_nonzero(last) > len(piece) else piece


def _last(piece: Piece) -> Piece:
    """Returns the last row of each contract, by strike, calls first."""
    order = np.lexsort((np.arange(len(piece)), piece.time, ~piece.is_call, piece.strike))
    strike, call = piece.strike[order], piece.is_call[order]
    last = np.ones(len(piece), bool)
    last[:-1] = (strike[1:] != strike[:-1]) | (call[1:] != call[:-1])
    return piece.where(order[last])


def joined(parts: Iterable[Piece]) -> Piece:
    """Returns the rows of several pieces of one expiration and trade date as one."""
    parts = list(parts)
    names = parts[0].values
    return Piece(
        parts[0].expiration,
        parts[0].trade_date,
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.strike for part in parts]),
        np.concatenate([part.is_call for part in parts]),
        {name: np.concatenate([part.values[name] for part in parts]) for name in names},
    )

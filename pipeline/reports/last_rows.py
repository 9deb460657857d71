"""The market at a time of the day: the last row of each contract."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipeline.reports.rows import Piece

_WINDOW = 30 * 60_000


@dataclass
class LastRows:
    """The last row of each contract at or before a time of a trade date."""

    parts: list[Piece] = field(default_factory=list)

    def add(self, piece: Piece, until: int) -> None:
        """Takes the last rows of a piece at or before `until`, milliseconds of the day."""
        mask = (piece.time <= until) & (piece.time > until - _WINDOW)
        if mask.any():
            self.parts.append(_last(piece.where(mask)))

    def by_expiration(self) -> dict[date, Piece]:
        """Returns each expiration's rows, by strike, calls before puts."""
        groups: dict[date, list[Piece]] = {}
        for part in self.parts:
            groups.setdefault(part.expiration, []).append(part)
        return {day: _last(_joined(groups[day])) for day in sorted(groups)}


def _last(piece: Piece) -> Piece:
    """Returns the last row of each contract, by strike, calls first."""
    order = np.lexsort((np.arange(len(piece)), piece.time, ~piece.is_call, piece.strike))
    strike, call = piece.strike[order], piece.is_call[order]
    last = np.ones(len(piece), bool)
    last[:-1] = (strike[1:] != strike[:-1]) | (call[1:] != call[:-1])
    picked = order[last]
    return Piece(
        piece.expiration,
        piece.trade_date,
        piece.time[picked],
        piece.strike[picked],
        piece.is_call[picked],
        {name: column[picked] for name, column in piece.values.items()},
    )


def _joined(parts: Iterable[Piece]) -> Piece:
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

"""The lines of a run's results: a table for a person."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TextIO

from pipeline.table import Column, Table
from pipeline.text import size_text


class ResultLines(Protocol):
    """Makes lines of results.

    Attributes:
        out: where they go.
        for_programs: whether they go there whatever progress is shown, and without colour.
    """

    out: TextIO
    for_programs: bool

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        """Yields the lines of a described `ExpirationResult`."""


class ResultTable:
    """A line for each result, as soon as it comes, below the headings.

    Args:
        folder: of the data files, which the paths are relative to; empty for whole paths.
        by_day: whether each trade date has a file of its own.
        room: for a path.
        width: of the screen; None for any.

    Attributes:
        out: where the lines go.
    """

    for_programs = False

    def __init__(
        self, folder: str = "", *, by_day: bool = False, room: int = 0, width: int | None = None
    ) -> None:
        self.out: TextIO = sys.stdout
        self._folder = f"{folder.rstrip('/')}/" if folder else ""
        self._by_day = by_day
        day = [Column("trade date", 12)] if by_day else []
        columns = [
            Column("symbol", 8, leaves=3),
            *day,
            Column("expiration", 12, leaves=4),
            Column("status", 12),
            Column("rows", 11, right=True),
            Column("size", 10, right=True, leaves=2),
            Column("time", 9, right=True, leaves=1),
        ]
        self._table = Table(columns, "file", room, width=width)
        self._headed = False

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        """Yields the line of a described `ExpirationResult`, before the first one the headings."""
        if not self._headed:
            self._headed = True
            yield from ("", self._table.heading())
        day = [result["last_trade_date"]] if self._by_day else []
        cells = (
            result["symbol"],
            *day,
            result["expiration"],
            result["status"],
            f"{result['rows']:,}",
            size_text(result["bytes"]),
            f"{result['seconds']:.2f} s",
        )
        path = (result["path"] or "-").removeprefix(self._folder)
        if not result["path"] and not self._table.has("expiration"):
            path = f"{result['symbol']} {result['expiration']}"
        yield from self._table.lines(cells, path)

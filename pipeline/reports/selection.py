"""Which files of a source have the rows of the figures."""

import contextlib
import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import date

from pipeline.inspection.entries import known_entry
from pipeline.inspection.files import UnreadableFile, find_files
from pipeline.reports.rows import NoRows, dates_and_symbols, trade_dates
from pipeline.reports.source import Source
from transforms.model import key_of
from transforms.orders import ORDERS
from transforms.orders.open_interest import OPEN_INTEREST

_MOST_LISTED = 16


@dataclass(frozen=True)
class Selection:
    """The files that may hold rows of a symbol's trade date and of the week before it.

    Attributes:
        symbol: of the figures.
        others: symbols of the files besides.
        other_orders: of data in the files besides, which are not drawn: a figure has one.
        trade_date: of the figures.
        files: that may hold their rows.
        unreadable: the error of each file that can't be read.
    """

    symbol: str
    others: tuple[str, ...]
    other_orders: tuple[str, ...]
    trade_date: date
    files: tuple[str, ...]
    unreadable: tuple[str, ...]


def select(source: Source, symbol: str, trade_date: date | None) -> Selection:
    """Returns the symbol and the trade date of the figures, and their files.

    Args:
        source: the files.
        symbol: empty for the one with the most files.
        trade_date: None for the last.

    Raises:
        NoRows: the files have no such symbol.
        UnreadableFile: no file can be read.
    """
    spans = {}
    unreadable: list[UnreadableFile] = []
    for path in source.files:
        try:
            spans[path] = _span(path)
        except UnreadableFile as error:
            unreadable.append(error)
    if not spans:
        raise unreadable[0]
    counts = Counter(each for names, *_ in spans.values() for each in sorted(names))
    symbols = sorted(counts)
    chosen = symbol.upper() or max(symbols, key=counts.__getitem__)
    if chosen not in symbols:
        raise NoRows(f"--symbol {chosen} is not in the files; they have {', '.join(symbols)}")
    orders = {order for names, *_, order in spans.values() if chosen in names}
    drawn = {*sorted(orders - {OPEN_INTEREST.name}, key=_rank)[:1], OPEN_INTEREST.name}
    of_symbol = {
        path: (low, high)
        for path, (names, low, high, order) in spans.items()
        if chosen in names and order in drawn
    }
    day = trade_date or _last_with_rows(of_symbol, chosen)
    files = tuple(
        path for path, (low, high) in of_symbol.items() if low <= day and (day - high).days <= 7
    )
    others = tuple(each for each in symbols if each != chosen)
    left = tuple(sorted(orders - drawn))
    return Selection(chosen, others, left, day, files, tuple(map(str, unreadable)))


def _rank(name: str) -> tuple[bool, bool, bool, int]:
    """Returns what sorts first the order of data to draw: of most Greeks, and of some interval."""
    if name not in ORDERS:
        return False, False, False, 0
    order = ORDERS[name]
    return not order.v3.priced_by, order.daily, not order.has_interval, -len(order.columns)


def no_rows_on(source: Source, symbol: str, trade_date: date) -> NoRows:
    """Returns the error for a trade date without rows, which lists those with rows."""
    days: set[date] = set()
    for path in source.files:
        with contextlib.suppress(UnreadableFile):  # that there is no row is the worse news
            days |= trade_dates(path, symbol)
    near = sorted(sorted(days, key=lambda day: abs(day - trade_date))[:_MOST_LISTED])
    listed = ", ".join(map(str, near))
    which = "of" if len(near) == len(days) else f"of {len(days)} trade dates, the nearest"
    return NoRows(
        f"--trade_date: the files have no row of {symbol} on {trade_date}; they have rows {which} "
        f"{listed}"
    )


def no_files(source: Source) -> NoRows:
    """Returns the error for figures of a run without files, which names what its folder has."""
    run = source.run["run_id"] if source.run else ""
    try:
        spans = [_span(path) for path in find_files([source.output])]
    except UnreadableFile as error:
        return NoRows(f"run {run} wrote no file, and {error}")
    symbols = sorted({name for names, *_ in spans for name in names})
    first, last = min(low for _, low, *_ in spans), max(high for _, _, high, _ in spans)
    return NoRows(
        f"run {run} wrote no file; greeks report --output {shlex.quote(source.output)} draws the "
        f"files there, of {', '.join(symbols)} from {first} to {last}"
    )


def _last_with_rows(spans: dict[str, tuple[date, date]], symbol: str) -> date:
    """Returns the last trade date with rows: a file may have none of the last that it is for."""
    found: set[date] = set()
    last = max(high for _, high in spans.values())
    for path, (_, high) in sorted(spans.items(), key=lambda item: item[1][1], reverse=True):
        if last in found or (found and high <= max(found)):
            break
        with contextlib.suppress(UnreadableFile):  # `gather` reports it
            found |= trade_dates(path, symbol)
    return max(found, default=last)


def _span(path: str) -> tuple[frozenset[str], date, date, str]:
    """A file's symbols, its first and last trade date, and its order of data.

    They are the manifest's; those of another tool's file are of its rows, without the order.
    """
    entry = known_entry(path)
    if entry is None:
        return *dates_and_symbols(path), ""
    symbol, _, first, last, order = key_of(entry.request)
    return frozenset([symbol]), date.fromisoformat(first), date.fromisoformat(last), order

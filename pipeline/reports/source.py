"""What a report is about: a run's summary, and the files that hold its rows."""

import contextlib
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.history import (
    RUNNING,
    NoSuchRun,
    Query,
    Record,
    RunHistory,
    StoreError,
    find_run,
    open_to_read,
)
from pipeline.inspection.entries import known_entry
from pipeline.inspection.files import UnreadableFile, find_files, is_far
from pipeline.reports.rows import NoRows, dates_and_symbols, trade_dates
from transforms.model import key_of
from transforms.orders import ORDERS
from transforms.orders.open_interest import OPEN_INTEREST
from transforms.output.folder import OutputFolder

_FOLDER = "data/greeks"  # where `greeks download` writes by default
_NEWEST = 100
_MOST_LISTED = 16


@dataclass(frozen=True)
class Source:
    """What a report is about.

    Attributes:
        run: the run's summary, or None.
        output: the folder of the files.
        files: the data files, none if the run wrote none.
        history: that has the run, or None if the run's summary lists all of its results.
    """

    run: Record | None
    output: str
    files: tuple[str, ...]
    history: RunHistory | None = None

    def results(self) -> Iterator[Record]:
        """Yields every result of the run, none if there is no run."""
        return _results(self.run, self.history)

    @property
    def meta(self) -> str:
        """The folder beside the output for all that is not data."""
        folder = OutputFolder(self.output)
        return OutputFolder(folder.whole).meta if folder.whole else folder.meta

    def parameter(self, name: str) -> str | None:
        """Returns a parameter of the API that the files were asked for with, if all had it."""
        entries = map(known_entry, self.files)
        found = {entry.request.get(name) if entry else None for entry in entries}
        return found.pop() if len(found) == 1 else None


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


def find_source(run: str, output: str, metrics: str) -> Source:
    """Returns what to report on.

    Args:
        run: a run's summary, its id, `last` or `previous`; empty for the newest of `metrics`, or
            of those that wrote to `output`.
        output: the folder of the data files; empty for the run's own files, or those in
            `data/greeks` if there is no run.
        metrics: the run history, as `--metrics` names it.

    Raises:
        NoRows: there is no such run, or nothing in the folder.
    """
    if output:
        try:
            files = tuple(find_files([output]))
        except UnreadableFile as error:
            raise NoRows(f"--output: {error}") from None
        found, history = _find(run, metrics) if run else _newest(metrics, output)
        return Source(found, output, files, history)
    found, history = _find(run, metrics) if run else _newest(metrics, None)
    if found is None and Path(_FOLDER).is_dir():
        return find_source("", _FOLDER, metrics)
    if found is None:
        raise NoRows(
            f"there is neither a run in {metrics} nor a folder {_FOLDER}: name a run's summary, or "
            "give the files' folder with --output"
        )
    folder = str(found.get("request", {}).get("output", ""))
    paths = [str(each["path"]) for each in _results(found, history) if each.get("path")]
    there = _there(paths, folder)
    if paths and not there:
        raise NoRows(
            f"none of the files of run {found['run_id']} is there, such as {paths[0]}: "
            "run this where the download ran, or give --output FOLDER"
        )
    return Source(found, folder, there, history)


def _there(paths: Sequence[str], folder: str) -> tuple[str, ...]:
    """Returns those of a run's files that are there; in a store, by one listing of its folder."""
    if not is_far(folder):
        return tuple(dict.fromkeys(path for path in paths if Path(path).is_file()))
    try:
        listed = set(find_files([folder])) if paths else set()
    except UnreadableFile as error:
        raise NoRows(str(error)) from None
    return tuple(dict.fromkeys(path for path in paths if path in listed))


def whole(path: str) -> str:
    """Returns a path as it is the same in whatever folder it is used."""
    return path if is_far(path) else str(Path(path).absolute())


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


def _results(run: Record | None, history: RunHistory | None) -> Iterator[Record]:
    if run is None:
        return iter(())
    return iter(run.get("expirations", ())) if history is None else history.results(run)


def _find(run: str, metrics: str) -> tuple[Record, RunHistory]:
    path = Path(run)
    if path.is_file():
        try:
            document = json.loads(path.read_text("utf-8"))
            datetime.fromisoformat(document["start_time"])
            str(document["run_id"])
        except (ValueError, KeyError, TypeError):
            raise NoRows(f"{path} is not a run's summary") from None
        return dict(document), open_to_read(str(path.parent))
    try:
        history = open_to_read(metrics)
        return find_run(history, run), history
    except (NoSuchRun, StoreError) as error:
        raise NoRows(f"there is no run {run}: {error.args[0]}") from None


def _newest(metrics: str, output: str | None) -> tuple[Record | None, RunHistory | None]:
    """Returns the newest run that has ended, or the newest of the last ones that wrote there."""
    try:
        store = open_to_read(metrics)
        for head in store.heads(Query(limit=_NEWEST)):
            if head["status"] == RUNNING:
                continue
            run = store.read(head["run_id"])
            wrote = str(run.get("request", {}).get("output", ""))
            if output is None or whole(wrote) == whole(output.rstrip("/")):
                return run, store
    except StoreError as error:
        raise NoRows(f"--metrics can't be read: {error.args[0]}") from None
    return None, None

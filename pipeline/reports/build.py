"""From a run or a folder to a report."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import numpy as np

from pipeline.history import Record
from pipeline.reports.axes import clock
from pipeline.reports.changes import changes_section
from pipeline.reports.check_section import check_section
from pipeline.reports.completeness_figures import completeness_figures, missing_rows
from pipeline.reports.course_figures import course_figures
from pipeline.reports.figure import Section
from pipeline.reports.greek_figures import greek_figures
from pipeline.reports.interest_figures import interest_figures
from pipeline.reports.market_day import MarketDay, gather, volatility_at_the_money
from pipeline.reports.page import Report
from pipeline.reports.quality_section import FoundQuality, quality_section
from pipeline.reports.rows import NoSuchDay
from pipeline.reports.run_section import outcome, run_section
from pipeline.reports.selection import Selection, no_files, no_rows_on, select
from pipeline.reports.smile_figures import smile_figures
from pipeline.reports.source import Source
from pipeline.text import count
from transforms.model import FAILED, INTERRUPTED
from transforms.version import __version__

_MOST_NAMED = 12


def build(
    source: Source,
    symbol: str,
    trade_date: date | None,
    until: int | None,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> Report:
    """Returns the report.

    Args:
        source: what it is about.
        symbol: of the figures; empty for the one with the most files.
        trade_date: of the figures; None for the last.
        until: the time of the snapshots, milliseconds of the day in New York; None for 10:00, or
            the time with rows that is nearest to it.
        track: yields the files that it is given, and shows how many are done.

    Raises:
        NoRows: the files have no such rows.
        UnreadableFile: nothing can be read.
    """
    run = source.run
    footer = f"Made by theta-greeks-pipeline {__version__}. All times are New York's."
    if not source.files and (symbol or trade_date or until is not None):
        raise no_files(source)
    if not source.files:
        nothing = Section.without("data", "The data", "No files", "This run wrote no file.")
        assert run is not None  # noqa: S101 -- a folder without files is refused
        return Report(
            f"Run {run['run_id']}",
            _outcome(run),
            _notes(run),
            [nothing, quality_section(FoundQuality.of(source)), run_section(run)],
            footer,
        )
    selection = select(source, symbol, trade_date)
    try:
        day = gather(selection.files, selection.symbol, selection.trade_date, until, track)
    except NoSuchDay:
        raise no_rows_on(source, selection.symbol, selection.trade_date) from None
    unreadable = (*selection.unreadable, *day.unreadable)
    quality = FoundQuality.of(source, track)
    sections = [
        _data_section(day, selection),
        check_section(
            day,
            float(source.parameter("annual_dividend") or 0),
            source.parameter("version"),
        ),
        quality_section(quality),
        changes_section(day),
        run_section(run),
    ]
    return Report(
        f"{day.symbol} option Greeks, {day.trade_date:%A %d %B %Y}",
        " ".join(filter(None, (_market(day), _quality(quality), _outcome(run)))),
        [
            *_notes(run),
            *_missing(source.results()),
            *(f"A file can't be read: {error}." for error in unreadable),
        ],
        sections,
        footer,
        unreadable,
    )


def _data_section(day: MarketDay, selection: Selection) -> Section:
    now = day.now
    contracts = sum(len(piece) for piece in now.values())
    facts = [
        ("rows of the day", f"{day.rows:,}"),
        (f"at {clock(day)}", f"{count(len(now), 'expiration')}, {count(contracts, 'contract')}"),
    ]
    if others := selection.others:
        facts.append(("also in the files", f"{', '.join(others)}; --symbol draws it"))
    if orders := selection.other_orders:
        facts.append(("not drawn", f"{', '.join(orders)}, which the files have, too"))
    if day.spot:
        prices = list(dict(sorted(day.spot.items())).values())
        facts.append(
            (
                "underlying",
                f"{prices[0]:,.2f} to {prices[-1]:,.2f}, between "
                f"{min(prices):,.2f} and {max(prices):,.2f}",
            )
        )
    return Section(
        "data",
        "The data",
        facts,
        [
            *smile_figures(day),
            *course_figures(day),
            *completeness_figures(day),
            *greek_figures(day),
            *interest_figures(day),
        ],
    )


def _market(day: MarketDay) -> str:
    now = day.now
    parts = [count(day.rows, "row")]
    if day.coverage:
        there, expected = missing_rows(day)
        missing = expected - there
        parts.append(
            f"{missing:,} missing ({missing / expected:.2%}) between the first and the last"
            if missing > 0
            else f"none missing in {count(len(day.coverage), 'expiration')} of the files"
        )
    volatilities = [volatility_at_the_money(piece) for piece in now.values()]
    solved = [value for value in volatilities if np.isfinite(value)]
    text = f"{', '.join(parts)}."
    if len(solved) == 1:
        text += f" At the money, volatility is {solved[0]:.1%} at {clock(day)}."
    elif solved:
        text += (
            f" At the money, volatility goes from {solved[0]:.1%} (nearest expiration) to "
            f"{solved[-1]:.1%} (farthest) at {clock(day)}."
        )
    return text


def _quality(found: FoundQuality) -> str:
    if not found.rows:
        return ""
    return f"The checks found {count(found.total, 'row') if found.total else 'nothing'}."


def _outcome(run: Record | None) -> str:
    if run is None:
        return ""
    return f"The run {run['status']}: {outcome(run)}."


def _missing(results: Iterable[Record]) -> list[str]:
    """Returns which expirations of the run are not in its files, by what became of them."""
    notes = []
    without: dict[str, list[str]] = {FAILED: [], INTERRUPTED: []}
    for each in results:
        if each["status"] in without:
            without[each["status"]].append(f"{each['symbol']} {each['expiration']}")
    for status, names in without.items():
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            notes.append(
                f"Not in the figures, for the run has no rows of it ({status}): "
                f"{', '.join(names[:_MOST_NAMED])}{more}."
            )
    return notes


def _notes(run: Record | None) -> list[str]:
    notes = []
    if run is not None and run.get("source", {}).get("data") == "simulated":
        notes.append("Simulated data, from a stand-in Terminal: not the market's.")
    if run is not None and run.get("provisional_expirations"):
        number = run["provisional_expirations"]
        are = "is provisional: its" if number == 1 else "are provisional: their"
        notes.append(
            f"{count(number, 'expiration')} {are} session had not ended at the time of the fetch."
        )
    return notes

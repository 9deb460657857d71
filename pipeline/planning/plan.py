"""From a configuration to requests: which expirations, on which trade dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.config import DownloadConfig
from pipeline.errors import NothingMatched
from transforms.market import calendar
from transforms.model import Failure, GreeksRequest
from transforms.model.requests import RequestGrid
from transforms.output.layout import DAILY
from transforms.thetadata import NotServed, StatusError, ThetaClient, ThetaError
from transforms.thetadata.errors import Stopped


@dataclass(frozen=True)
class Plan:
    """What to fetch.

    Attributes:
        requests: one for each file, made as they are needed: nearest expirations first, which
            are the largest, and day by day where each has a file.
        trading_days: the days of the range on which the market opened.
        closed: the weekdays of the range on which it did not, and the weekend days if the range
            has no other day.
        notes: what the user should know before the run.
        failures: why the expirations of a symbol are not known; the requests are the others'.
        expirations: how many the requests are of.
    """

    requests: Sequence[GreeksRequest]
    trading_days: tuple[date, ...]
    closed: tuple[date, ...]
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    expirations: int = 0


def make_plan(client: ThetaClient, config: DownloadConfig) -> Plan:
    """Returns the requests of a download.

    A trade date d takes the expirations e with d <= e <= d + max_dte calendar days, so each
    expiration's request covers exactly the trading days from e - max_dte to e within the range.

    Where the Terminal answers, but not with a list of a symbol's expirations, that is a failure of
    that symbol, and the others are planned.

    Raises:
        NotServed: this generation of the API does not have the requested data.
        NothingMatched: a symbol or an expiration is not known, or none is within reach.
        ThetaError: the Terminal did not answer, or there is no symbol whose expirations it lists.
    """
    notes: list[str] = []
    try:
        days = client.trading_days(config.start_date, config.end_date, notes.append)
    except (NotServed, StatusError) as error:
        days = tuple(calendar.trading_days(config.start_date, config.end_date))
        notes.append(f"the exchange's usual holidays, since the Terminal has no calendar: {error}")
    closed = tuple(
        day for day in _weekdays(config.start_date, config.end_date) if day not in set(days)
    ) or (() if days else (config.start_date,))
    if not days:
        return Plan((), (), closed, tuple(notes))

    expirations: list[tuple[str, date]] = []
    failures: list[Failure] = []
    unlisted = set(config.expirations)
    known: set[date] = set()
    known_symbols: set[str] = set()
    for symbol in config.symbols:
        try:
            listed = client.expirations(symbol)
        except Stopped:
            raise
        except ThetaError as error:
            if error.of_terminal or len(failures) + 1 == len(config.symbols):
                raise
            message = f"{symbol}: nothing of it is fetched, as its expirations are not known: "
            failures.append(Failure(type(error).__name__, message + str(error)))
            continue
        if not listed:
            raise NothingMatched(
                f"the Terminal lists no expirations of {symbol}: nothing was fetched. Is it the "
                "option root? (the S&P 500's are SPX, settled in the morning, and SPXW)"
            )
        unlisted -= set(listed)
        known |= set(listed)
        known_symbols.add(symbol)
        wanted = sorted(set(config.expirations) & set(listed)) if config.expirations else listed
        expirations += [(symbol, expiration) for expiration in wanted]
    if unlisted and not failures:
        near = sorted(listed, key=lambda day: abs(day - min(unlisted)))[:3]
        raise NothingMatched(
            f"--expirations {', '.join(map(str, sorted(unlisted)))}: not listed for "
            f"{', '.join(config.symbols)}; the nearest are {', '.join(map(str, sorted(near)))}"
        )
    requests = RequestGrid(
        expirations,
        days,
        reach=None if config.expirations else config.max_dte,
        by_day=config.layout == DAILY,
        terms=config.terms,
    )
    if not requests:
        raise NothingMatched(
            f"no expiration of {', '.join(config.symbols)} is within --max_dte {config.max_dte} "
            f"days of {_span(days)}{_nearest(known, days)}"
            f"{''.join(f'; {each.message}' for each in failures)}"
        )
    if idle := sorted(known_symbols - requests.symbols):
        if config.expirations:
            why = "it has none of --expirations"
        else:
            why = f"no expiration is within --max_dte {config.max_dte} days"
        notes.append(f"nothing of {', '.join(idle)} is fetched: {why}")
    for request in requests[: len(config.terms)]:
        client.check_served(request)
    return Plan(requests, days, closed, tuple(notes), tuple(failures), requests.expirations)


def _weekdays(first: date, last: date) -> tuple[date, ...]:
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return tuple(day for day in days if day.weekday() < 5)


def _nearest(known: set[date], days: tuple[date, ...]) -> str:
    """Returns the expiration that a larger --max_dte would reach, or the last one there was."""
    later = min((day for day in known if day >= days[0]), default=None)
    if later is None:
        return f"; the last one is {max(known)}" if known else ""
    distance = (later - max(day for day in days if day <= later)).days
    return f"; the nearest is {later}: --max_dte {distance}"


def _span(days: tuple[date, ...]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"

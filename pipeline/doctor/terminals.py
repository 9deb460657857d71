"""The Terminals: which answer, with which API, and the orders that the subscription includes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pyarrow as pa
import requests

from pipeline.config.source import APIS
from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from pipeline.text import count
from transforms.market import calendar, clock
from transforms.model import GreeksRequest
from transforms.orders import DEFAULT, ORDERS, order_of
from transforms.thetadata import (
    NotServed,
    RetryPolicy,
    StatusError,
    ThetaClient,
    ThetaError,
)
from transforms.thetadata.http import is_loopback
from transforms.thetadata.listings import DIALECTS

_TIMEOUT = 15.0
_WAYS_OUT = {"UNVERIFIED": "its credentials are wrong: see its creds.txt, and restart it"}
_POLICY = RetryPolicy(attempts=3, seconds=20)
_REFUSED = (403, 471)
_MOST_DRIFT = 120
_EXCUSES = {"underlyer_use_nbbo": "; an index has no quote, so that it has no effect there"}
_LAST_WEEK = 7  # days, in which the versions of the count of time differ
_PROBES = (DEFAULT, "second_order", "eod")
# What may be ignored: a parameter, its flag, and another value than its default.
_PARAMETERS = (
    ("version", "greeks_version", "1"),
    ("annual_dividend", "annual_dividend", "10"),
    ("option_use_nbbo", "option_use_nbbo", "false"),
    ("underlyer_use_nbbo", "underlyer_use_nbbo", "true"),
)


def terminals(choices: Sequence[Sequence[str]], api: str, symbol: str) -> Iterator[Diagnosis]:
    """Yields which Terminals answer, and the orders that each one serves.

    A Terminal that does not answer is a failure where it is the only one; a download with several
    leaves it out, so there it is a warning.

    Args:
        choices: the addresses of each Terminal: it may answer at any of them.
        api: `v3`, `v2`, or `auto` for both.
        symbol: an option root to request.
    """
    connected: list[tuple[str, str]] = []
    silent: list[Diagnosis] = []
    for urls in choices:
        answering, reasons = _answering(urls, api)
        for url, name in answering:
            yield Diagnosis(OK, f"Terminal at {url}", f"CONNECTED, and speaks {name}")
        if answering:
            connected.append(answering[0])
        else:
            silent.extend(_reasons(reasons))
        for url, name in answering:
            yield from _clock(url, name)
    for diagnosis in silent:
        yield replace(diagnosis, level=WARN) if connected else diagnosis
    simulations: dict[str | None, str] = {}
    for url, name in connected:
        with ThetaClient(url, api=name, timeout=_TIMEOUT, policy=_POLICY) as client:
            try:
                simulation = client.simulation()
            except ThetaError as error:
                yield _refusal(f"data at {url}", error, FAIL)
                continue
            simulations.setdefault(simulation, url)
            if simulation:
                yield Diagnosis(
                    WARN,
                    f"data at {url}",
                    f"simulated ({simulation}): this is the stand-in, and no Theta Terminal",
                    "for market data start the Theta Terminal, and end greeks terminal",
                )
            where = f" at {url}" if len(choices) > 1 else ""
            for diagnosis in _subscription(client, symbol, name):
                yield replace(diagnosis, about=diagnosis.about + where)
    if len(simulations) > 1:
        each = ", ".join(f"{url} has {has or 'live data'}" for has, url in simulations.items())
        yield Diagnosis(
            FAIL,
            "Terminals",
            f"they do not serve the same: {each}",
            "name only Terminals of one market: a download refuses to mix them",
        )


def _answering(urls: Sequence[str], api: str) -> tuple[list[tuple[str, str]], list[Diagnosis]]:
    """Returns the addresses that are connected, with their generation, and why others are not."""
    answering: list[tuple[str, str]] = []
    reasons: list[Diagnosis] = []
    for url in urls:
        for name in DIALECTS if api == APIS[0] else (api,):
            diagnosis = _status(url, name)
            if diagnosis.level == OK:
                answering.append((url, name))
                break
            reasons.append(diagnosis)
    return answering, reasons


def _status(url: str, api: str) -> Diagnosis:
    about = f"Terminal at {url}"
    with ThetaClient(url, api=api, timeout=_TIMEOUT) as client:
        try:
            status = client.status()
        except StatusError as error:
            words, _, way_out = str(error).rpartition(" - ")
            return Diagnosis(FAIL, about, words, way_out)
        except ThetaError as error:
            words, _, way_out = str(error).partition(": ")
            return Diagnosis(FAIL, about, words, way_out or "restart the Terminal; see its log")
    if status == "CONNECTED":
        return Diagnosis(OK, about, f"CONNECTED, and speaks {api}")
    return Diagnosis(
        FAIL,
        about,
        f"it says {status[:80]!r}, not 'CONNECTED'",
        _WAYS_OUT.get(status, "wait until it has connected, or look at its log"),
    )


def _reasons(reasons: list[Diagnosis]) -> Iterator[Diagnosis]:
    """Yields the reasons why nobody is connected: the most precise one of each address."""
    seen: set[str] = set()
    for diagnosis in sorted(reasons, key=lambda each: "it says" not in each.words):
        if diagnosis.about not in seen:
            seen.add(diagnosis.about)
            yield diagnosis


def _clock(url: str, api: str) -> Iterator[Diagnosis]:
    """Yields how this machine's clock compares with the Terminal's, if its answer has a date."""
    with requests.Session() as session:
        session.trust_env = not is_loopback(url)
        try:
            answer = session.get(f"{url.rstrip('/')}{DIALECTS[api].status}", timeout=_TIMEOUT)
            there = parsedate_to_datetime(answer.headers["Date"]).replace(tzinfo=timezone.utc)
        except (requests.RequestException, KeyError, ValueError, TypeError):
            return  # no date
    drift = abs((datetime.now(timezone.utc) - there).total_seconds())
    if drift > _MOST_DRIFT:
        yield Diagnosis(
            FAIL,
            f"clock of {url}",
            f"{there:%Y-%m-%d %H:%M:%S} UTC there, {drift:,.0f} s from this machine's",
            "set both by a time server: the clock decides whether a session has ended",
        )
    else:
        yield Diagnosis(OK, f"clock of {url}", "the same as this machine's")


def _subscription(client: ThetaClient, symbol: str, api: str) -> Iterator[Diagnosis]:
    try:
        listed = client.expirations(symbol)
    except ThetaError as error:
        yield _refusal(f"expirations of {symbol}", error, FAIL)
        return
    day = _last_trading_day(clock.now().date())
    later = [expiration for expiration in listed if expiration >= day]
    if not later:
        yield Diagnosis(
            WARN,
            f"expirations of {symbol}",
            f"none after {day}",
            "choose another --symbol; the S&P 500's are SPX and SPXW",
        )
        return
    yield Diagnosis(OK, f"expirations of {symbol}", f"{len(listed):,}, up to {listed[-1]}")
    for order in map(order_of, _PROBES):
        request = GreeksRequest(symbol, later[0], (day,), order.interval("1h"), order.name)
        yield _probe(client, request, order.title, FAIL if order.name == DEFAULT else WARN)
    if api == "v3":
        yield from _parameters(client, symbol, later[0], day)


def _parameters(
    client: ThetaClient, symbol: str, expiration: date, day: date
) -> Iterator[Diagnosis]:
    """Yields which parameters of the computation change no row: the Terminal may ignore them.

    A refusal of the rows themselves is `_subscription`'s to report.
    """
    few = ("strike_range", "2")
    tables: dict[tuple[str, tuple[tuple[str, str], ...]], pa.Table | None] = {}

    def rows(greeks: str, parameters: tuple[tuple[str, str], ...]) -> pa.Table | None:
        if (greeks, parameters) not in tables:
            interval = order_of(greeks).interval("1h")
            request = GreeksRequest(symbol, expiration, (day,), interval, greeks, parameters)
            try:
                tables[greeks, parameters] = client.table(request)
            except ThetaError:
                tables[greeks, parameters] = None
        return tables[greeks, parameters]

    for name, flag, value in _PARAMETERS:
        greeks = next(order.name for order in ORDERS.values() if name in order.v3.parameters)
        if name == "version" and (expiration - day).days >= _LAST_WEEK:
            continue
        without = rows(greeks, (few,))
        if without is None or not without.num_rows:
            continue
        given = rows(greeks, tuple(sorted([few, (name, value)])))
        about = f"--{flag} {value}"
        if given is None:
            yield Diagnosis(WARN, about, "refused", f"download without --{flag}")
        elif given.equals(without):
            yield Diagnosis(
                WARN,
                about,
                f"no row of {symbol} {expiration} on {day} differs: the Terminal may ignore it",
                f"don't rely on --{flag}{_EXCUSES.get(name, '')}",
            )
        else:
            yield Diagnosis(OK, about, "changes the rows")


def _probe(client: ThetaClient, request: GreeksRequest, about: str, level: str) -> Diagnosis:
    try:
        rows = sum(batch.num_rows for batch in client.stream(request))
    except ThetaError as error:
        return _refusal(about, error, level)
    words = (
        f"served: {count(rows, 'row')} of {request}"
        if rows
        else f"nothing for {request}, no refusal"
    )
    return Diagnosis(OK, about, words)


def _refusal(about: str, error: ThetaError, level: str) -> Diagnosis:
    if isinstance(error, NotServed):
        return Diagnosis(WARN, about, str(error), "use a v3 Terminal")
    if isinstance(error, StatusError):
        words, _, way_out = str(error).rpartition(" - ")
        return Diagnosis(level if error.status in _REFUSED else FAIL, about, words, way_out)
    return Diagnosis(FAIL, about, str(error), "see the Terminal's log, or try again in a minute")


def _last_trading_day(today: date) -> date:
    """Returns the last trading day before today, by the exchange's usual holidays."""
    return calendar.on_or_before(today - timedelta(days=1))

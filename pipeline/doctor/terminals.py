"""The Terminals: which answer, with which API, and by which clock."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import requests

from pipeline.config.source import APIS
from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from pipeline.doctor.subscription import refusal, subscription
from pipeline.planning.source import ONE_GENERATION, ONE_MARKET
from transforms.thetadata import (
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
_MOST_DRIFT = 120


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
                yield refusal(f"data at {url}", error, FAIL)
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
            for diagnosis in subscription(client, symbol, name):
                yield replace(diagnosis, about=diagnosis.about + where)
    if len(simulations) > 1:
        each = ", ".join(f"{url} has {has or 'live data'}" for has, url in simulations.items())
        yield Diagnosis(
            FAIL,
            "Terminals",
            f"they do not serve the same: {each}",
            f"{ONE_MARKET}: a download refuses to mix them",
        )
    if len({name for _, name in connected}) > 1:
        each = ", ".join(f"{url} speaks {name}" for url, name in connected)
        yield Diagnosis(FAIL, "Terminals", f"they are of two generations: {each}", ONE_GENERATION)


def _answering(urls: Sequence[str], api: str) -> tuple[list[tuple[str, str]], list[Diagnosis]]:
    """Returns the addresses that are connected, with their generation, and why others are not."""
    answering: list[tuple[str, str]] = []
    reasons: list[Diagnosis] = []
    for url in urls:
        for name in DIALECTS if api == APIS[0] else (api,):
            reason = _silence(url, name)
            if reason is None:
                answering.append((url, name))
                break
            reasons.append(reason)
    return answering, reasons


def _silence(url: str, api: str) -> Diagnosis | None:
    """Returns why a Terminal is not connected, or None if it is."""
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
        return None
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

"""The subscription: which orders it includes, and which parameters have an effect."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

import pyarrow as pa

from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from pipeline.text import count
from transforms.market import calendar, clock
from transforms.model import GreeksRequest
from transforms.orders import DEFAULT, ORDERS, order_of
from transforms.thetadata import NotServed, StatusError, ThetaClient, ThetaError

_REFUSED = (403, 471)
_EXCUSES = {"underlyer_use_nbbo": "; an index has no quote, so that it has no effect there"}
_LAST_WEEK = 7  # days, in which the versions of the count of time differ
_PROBES = (DEFAULT, "second_order", "eod", "open_interest")
# What may be ignored: a parameter, its flag, and another value than its default.
_PARAMETERS = (
    ("version", "greeks_version", "1"),
    ("annual_dividend", "annual_dividend", "10"),
    ("option_use_nbbo", "option_use_nbbo", "false"),
    ("underlyer_use_nbbo", "underlyer_use_nbbo", "true"),
)


def subscription(client: ThetaClient, symbol: str, api: str) -> Iterator[Diagnosis]:
    """Yields what a Terminal lists and serves of a symbol, and which parameters it takes.

    Args:
        client: of the Terminal.
        symbol: an option root to request.
        api: the Terminal's generation.
    """
    try:
        listed = client.expirations(symbol)
    except ThetaError as error:
        yield refusal(f"expirations of {symbol}", error, FAIL)
        return
    # By the usual holidays.
    day = calendar.on_or_before(clock.now().date() - timedelta(days=1))
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
        level = FAIL if order.name == DEFAULT else WARN
        yield _probe(client, request, order.title, level, order.needs(api))
    if api == "v3":
        yield from _parameters(client, symbol, later[0], day)


def _parameters(
    client: ThetaClient, symbol: str, expiration: date, day: date
) -> Iterator[Diagnosis]:
    """Yields which parameters of the computation change no row: the Terminal may ignore them.

    A refusal of the rows themselves is `subscription`'s to report.
    """
    few = ("strike_range", "2")

    @cache
    def rows(greeks: str, *parameters: tuple[str, str]) -> pa.Table | None:
        interval = order_of(greeks).interval("1h")
        request = GreeksRequest(symbol, expiration, (day,), interval, greeks, parameters)
        try:
            return client.table(request)
        except ThetaError:
            return None

    for name, flag, value in _PARAMETERS:
        greeks = next(order.name for order in ORDERS.values() if name in order.v3.parameters)
        if name == "version" and (expiration - day).days >= _LAST_WEEK:
            continue
        without = rows(greeks, few)
        if without is None or not without.num_rows:
            continue
        given = rows(greeks, *sorted([few, (name, value)]))
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


def _probe(
    client: ThetaClient, request: GreeksRequest, about: str, level: str, needed: str
) -> Diagnosis:
    try:
        rows = sum(batch.num_rows for batch in client.stream(request))
    except ThetaError as error:
        return refusal(about, error, level)
    words = (
        f"served: {count(rows, 'row')} of {request}"
        if rows
        else f"nothing for {request}, no refusal"
    )
    return Diagnosis(OK, about, f"{words}; needs {needed}")


def refusal(about: str, error: ThetaError, level: str) -> Diagnosis:
    """Returns the diagnosis of an error; `level` counts where the subscription is refused."""
    if isinstance(error, NotServed):
        return Diagnosis(WARN, about, str(error), "use a v3 Terminal")
    if isinstance(error, StatusError):
        words, _, way_out = str(error).rpartition(" - ")
        return Diagnosis(level if error.status in _REFUSED else FAIL, about, words, way_out)
    return Diagnosis(FAIL, about, str(error), "see the Terminal's log, or try again in a minute")

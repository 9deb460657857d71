"""Which expirations, trade dates and rows are downloaded."""

import argparse
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.config.checks import between, positive_integer, readable, time_of_day
from pipeline.config.setting import Several, setting
from pipeline.config.values import words
from transforms.market import clock
from transforms.model import checked_symbol
from transforms.orders import DEFAULT, INTERVALS, ORDERS, Order, order_of

FIRST_DATE = date(2012, 6, 1)
"""ThetaData's option history begins here."""

_setting = partial(setting, group="selection")


def _symbols(text: str) -> tuple[str, ...]:
    listed = (symbol for word in words(text) for symbol in _listed(word))
    return tuple(dict.fromkeys(symbol.upper() for symbol in listed))


def _listed(word: str) -> Iterator[str]:
    """Yields a symbol, or where `@` and a file are named those in its lines."""
    if not word.startswith("@"):
        yield word
        return
    try:
        text = Path(word[1:]).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise argparse.ArgumentTypeError(f"{word}: {reason}") from None
    symbols = [symbol for line in text.splitlines() for symbol in words(line.partition("#")[0])]
    if not symbols:
        raise argparse.ArgumentTypeError(f"{word} names no symbol")
    yield from symbols


def _check_symbols(symbols: tuple[str, ...], _config: Any) -> str:
    for symbol in symbols:
        checked_symbol(symbol)
    return "" if symbols else "names no symbol"


def _check_start(day: date, _config: Any) -> str:
    if day < FIRST_DATE:
        return f"is {day}; ThetaData's option history begins on {FIRST_DATE}"
    return _future(day)


def _check_end(day: date, config: Any) -> str:
    if day < config.start_date:
        return f"is {day}, before --start_date {config.start_date}"
    return _future(day)


def _future(day: date) -> str:
    today = clock.now().date()
    return f"is {day}, in the future: today is {today} in New York" if day > today else ""


def _check_expirations(days: tuple[date, ...], config: Any) -> str:
    early = [day for day in days if day < config.start_date]
    if not early:
        return ""
    return f"names {', '.join(map(str, early))}, before --start_date {config.start_date}"


def _orders(text: str) -> str:
    return ",".join(dict.fromkeys(words(text)))


def orders_of(config: Any) -> tuple[Order, ...]:
    """Returns the orders of data that a configuration names.

    Raises:
        ValueError: there is no order of a name.
    """
    return tuple(map(order_of, config.greeks.split(",")))


def _of_interval(config: Any) -> Order:
    """Returns an order that has a choice of intervals, or the first one if none has."""
    orders = orders_of(config)
    return next((order for order in orders if order.has_interval), orders[0])


def _default_interval(config: Any) -> str:
    return _of_interval(config).interval("5m")


def _check_interval(interval: str, config: Any) -> str:
    known = _of_interval(config).intervals
    return "" if interval in known else f"is {interval!r}, not one of {', '.join(known)}"


def _check_end_time(time: str, config: Any) -> str:
    time_of_day(time)
    return "is before --start_time" if time < (config.start_time or "") else ""


@dataclass(frozen=True)
class SelectionSettings:
    """Settings of which expirations, trade dates and rows are downloaded."""

    symbols: tuple[str, ...] = _setting(
        MISSING,
        "option roots, separated by commas; @FILE for those in a file, with # before comments",
        flag="symbol",
        metavar="SPXW[,SPX]",
        parse=_symbols,
        check=_check_symbols,
    )
    start_date: date = _setting(  # noqa: RUF009 -- it makes a field
        MISSING,
        "first trade date: YYYY-MM-DD, YYYYMMDD, today or yesterday, in New York",
        metavar="DATE",
        check=_check_start,
    )
    end_date: date = _setting(  # noqa: RUF009 -- likewise
        MISSING,
        "last trade date, inclusive",
        metavar="DATE",
        check=_check_end,
        implied=lambda config: config.start_date,
        default_text="--start_date",
    )
    max_dte: int = _setting(
        30,
        "maximum number of calendar days from a trade date to an expiration",
        metavar="DAYS",
        check=between(0, 4000),
    )
    expirations: tuple[date, ...] = _setting(
        (),
        "only these expirations, regardless of --max_dte",
        metavar="DATE[,DATE]",
        check=_check_expirations,
        default_text="all within --max_dte",
    )
    greeks: str = _setting(
        DEFAULT,
        f"order of data: {', '.join(ORDERS)}; eod and open_interest have one row per contract "
        "and trade date, the trade_ ones a row per trade. Each of several has a folder of its own "
        "below --output, and of the other settings those that it takes",
        metavar="ORDER[,ORDER]",
        parse=_orders,
        choices=Several(ORDERS),
    )
    interval: str = _setting(
        "5m",
        f"time between two rows of a contract: {', '.join(INTERVALS)}",
        metavar="INTERVAL",
        check=_check_interval,
        implied=_default_interval,
        default_text="5m, or the only one that --greeks has",
    )
    start_time: str | None = _setting(
        None,
        "time of the first row of a trade date, in New York",
        metavar="HH:MM:SS",
        check=readable(time_of_day),
        default_text="09:30:00",
        parameter="start_time",
    )
    end_time: str | None = _setting(
        None,
        "time of the last row of a trade date, inclusive, in New York",
        metavar="HH:MM:SS",
        check=_check_end_time,
        default_text="16:00:00",
        parameter="end_time",
    )
    strike_range: str | None = _setting(
        None,
        "only N strikes above and N below the money; needs v3",
        metavar="N",
        check=readable(positive_integer),
        default_text="all strikes",
        parameter="strike_range",
    )

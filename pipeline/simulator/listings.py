"""The lists of a v3 Terminal: symbols, expirations and dates, and when the market is open.

The rows of `list/contracts` come by symbol, expiration and strike, the call before the put; the
real Terminal's order is not known, nor how it answers for years beyond the next: here with no row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.simulator.formats import Cell, Decimal3
from pipeline.simulator.market.market import Market
from pipeline.simulator.parameters import (
    Parameters,
    Refused,
    parse_date,
    required,
    rights_of,
    strike_of,
    whole_of,
)
from transforms.market import calendar

_EARLY_CLOSE = ("early_close", "09:30:00", "13:00:00")


@dataclass(frozen=True)
class Listing:
    """A list.

    Attributes:
        columns: their names.
        rows: in the order of the columns.
        spaced: a blank line stands between two rows of CSV, where the style has such lines.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    spaced: bool = False


def _symbols(market: Market, parameters: Parameters) -> Listing:
    return Listing(("symbol",), [(symbol,) for symbol in sorted(market.symbols)])


def _wanted(market: Market, symbols: str) -> Sequence[str]:
    return market.symbols if symbols == "*" else symbols.upper().split(",")


def _expirations(market: Market, parameters: Parameters) -> Listing:
    return Listing(
        ("symbol", "expiration"),
        [
            (symbol, day.isoformat())
            for symbol in _wanted(market, required(parameters, "symbol"))
            for day in market.expirations(symbol)
        ],
    )


def _strikes(market: Market, parameters: Parameters) -> Listing:
    symbols = _wanted(market, required(parameters, "symbol"))
    expiration = parse_date(parameters, "expiration")
    return Listing(
        ("symbol", "strike"),
        [
            (symbol, Decimal3(strike))
            for symbol in symbols
            for strike in market.strikes(symbol, expiration)
        ],
    )


def _dates(market: Market, parameters: Parameters) -> Listing:
    symbol = required(parameters, "symbol").upper()
    expiration = parse_date(parameters, "expiration")
    rights_of(parameters)  # calls and puts are listed on the same dates
    days = market.trade_dates(symbol, expiration, strike=strike_of(parameters))
    return Listing(("date",), [(day.isoformat(),) for day in days])


def _contracts(market: Market, parameters: Parameters) -> Listing:
    day = parse_date(parameters, "date")
    reach = whole_of(parameters, "max_dte", 0)
    return Listing(
        ("symbol", "expiration", "strike", "right"),
        [
            (symbol, expiration.isoformat(), Decimal3(strike), right)
            for symbol in _wanted(market, parameters.get("symbol", "*"))
            for expiration, strike in market.contracts(symbol, day)
            if reach is None or (expiration - day).days <= reach
            for right in ("CALL", "PUT")
        ],
    )


def _today(market: Market, parameters: Parameters) -> Listing:
    return _hours(market.last_date)


def _on_date(market: Market, parameters: Parameters) -> Listing:
    return _hours(parse_date(parameters, "date"))


def _hours(day: date) -> Listing:
    rows: list[tuple[Cell, ...]] = []
    if calendar.FIRST_YEAR <= day.year <= calendar.LAST_YEAR:
        if not calendar.is_trading_day(day):
            rows = [("weekend" if day.weekday() >= 5 else "full_close", None, None)]
        elif calendar.closing_time(day) == calendar.EARLY_CLOSE_MS:
            rows = [_EARLY_CLOSE]
        else:
            rows = [("open", "09:30:00", "16:00:00")]
    return Listing(("type", "open", "close"), rows)


def _holidays(market: Market, parameters: Parameters) -> Listing:
    text = required(parameters, "year")
    if not text.isdecimal():
        raise Refused(400, f"Invalid year: {text}")
    year = int(text)
    rows: list[tuple[Cell, ...]] = []
    if calendar.FIRST_YEAR <= year <= min(calendar.LAST_YEAR, market.last_date.year + 1):
        closed = [(day.isoformat(), "full_close", None, None) for day in calendar.holidays(year)]
        short = [(day.isoformat(), *_EARLY_CLOSE) for day in calendar.early_closes(year)]
        rows = sorted([*closed, *short])
    return Listing(("date", "type", "open", "close"), rows, spaced=True)


LISTINGS: dict[str, Callable[[Market, Parameters], Listing]] = {
    "option/list/symbols": _symbols,
    "option/list/expirations": _expirations,
    "option/list/strikes": _strikes,
    **{f"option/list/dates/{kind}": _dates for kind in ("quote", "trade")},
    **{f"option/list/contracts/{kind}": _contracts for kind in ("quote", "trade")},
    "calendar/today": _today,
    "calendar/on_date": _on_date,
    "calendar/year_holidays": _holidays,
}
"""What makes each list, by its path under /v3/; an empty list is answered with 472.

`today` is the market's own: its last date. Every quote's date is a trade's, too, in this market.
"""

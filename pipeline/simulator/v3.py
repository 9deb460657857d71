"""What a v3 Terminal answers: the routes, the refusals, the answers.

`NO_DATA`, the text for a path outside v3 and the one for the v2 parameter `exp` are byte-exact, as
recorded from a real Terminal; so are three of `parameters.Refused`. The bodies of 404, 429 and 570,
and how several v2 parameters are listed, are not known and are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from pipeline.simulator import formats
from pipeline.simulator.answers import Answer, Request, text_answer
from pipeline.simulator.formats import CONTENT_TYPES, DOCUMENTED, Cell, Decimal3, Style
from pipeline.simulator.market.greeks import EOD, ORDERS
from pipeline.simulator.market.market import Market
from pipeline.simulator.parameters import Refused, format_of, parse_date, required
from pipeline.simulator.queries import eod_queries, greeks_query
from pipeline.simulator.rows import greeks
from transforms.market import calendar

NO_DATA = "No data found for your request"
UPGRADE_PATH = (
    "We have upgraded to API v3. Please use API v3 instead. Update your endpoint URLs to /v3/* "
    "format. Consult API v3 documentation for more information: https://docs.thetadata.us/"
)
_UPGRADE_PARAMETERS = (
    "We have upgraded to API v3. Please use API v3 query parameters instead. \n"
    "Deprecated query parameters:\n{lines}\n"
    "Consult API v3 documentation for more information: https://docs.thetadata.us/"
)
_DEPRECATED = {
    "annual_div": "annual_dividend",
    "exp": "expiration",
    "ivl": "interval",
    "perf_boost": "*unnecessary*",
    "pretty_time": "*unnecessary*",
    "rate": "rate_type",
    "root": "symbol",
    "rth": "*unnecessary*",
    "sec": "*path parameter*",
    "under_price": "stock_price",
    "use_csv": "format",
}

_EARLY_CLOSE = ("early_close", "09:30:00", "13:00:00")


@dataclass(frozen=True)
class V3:
    """A v3 Terminal: called with a request, it answers it.

    Attributes:
        market: what is served.
        style: of CSV.
        row_limit: an answer with more rows is refused with 570; None for no limit.
    """

    market: Market
    style: Style = DOCUMENTED
    row_limit: int | None = None

    def __call__(self, request: Request) -> Answer:
        """Returns the answer to a request."""
        path = request.path.removeprefix("/v3/")
        if path == request.path:
            return text_answer(410, UPGRADE_PATH)
        route = ROUTES.get(path)
        if route is None:
            return text_answer(404, f"Not found: {request.path}")
        deprecated = sorted(_DEPRECATED.keys() & request.parameters.keys())
        if deprecated:
            lines = "\n".join(f"\t{name} -> {_DEPRECATED[name]}" for name in deprecated)
            return text_answer(410, _UPGRADE_PARAMETERS.format(lines=lines))
        try:
            return route(self, request)
        except Refused as refusal:
            return text_answer(refusal.status, str(refusal))


def _table(
    terminal: V3,
    request: Request,
    columns: tuple[str, ...],
    rows: list[tuple[Cell, ...]],
    *,
    spaced: bool = False,
) -> Answer:
    form = format_of(request.parameters)
    if not rows:
        return text_answer(472, NO_DATA)
    parts = formats.table(columns, rows, form, terminal.style, spaced=spaced)
    return Answer(200, CONTENT_TYPES[form], parts)


def _status(terminal: V3, request: Request) -> Answer:
    return text_answer(200, "CONNECTED")


def _symbols(terminal: V3, request: Request) -> Answer:
    return _table(
        terminal, request, ("symbol",), [(symbol,) for symbol in sorted(terminal.market.symbols)]
    )


def _expirations(terminal: V3, request: Request) -> Answer:
    wanted = required(request.parameters, "symbol").upper()
    symbols = terminal.market.symbols if wanted == "*" else wanted.split(",")
    rows: list[tuple[Cell, ...]] = [
        (symbol, day.isoformat())
        for symbol in symbols
        for day in terminal.market.expirations(symbol)
    ]
    return _table(terminal, request, ("symbol", "expiration"), rows)


def _strikes(terminal: V3, request: Request) -> Answer:
    symbol = required(request.parameters, "symbol").upper()
    expiration = parse_date(request.parameters, "expiration")
    rows: list[tuple[Cell, ...]] = [
        (symbol, Decimal3(strike)) for strike in terminal.market.strikes(symbol, expiration)
    ]
    return _table(terminal, request, ("symbol", "strike"), rows)


def _hours(terminal: V3, request: Request) -> Answer:
    """Answers `on_date`, and `today` with the market's own today: its last date."""
    today = request.path.endswith("today")
    day = terminal.market.last_date if today else parse_date(request.parameters, "date")
    if not calendar.FIRST_YEAR <= day.year <= calendar.LAST_YEAR:
        return text_answer(472, NO_DATA)
    row: tuple[Cell, ...]
    if calendar.is_trading_day(day):
        early = calendar.closing_time(day) == calendar.EARLY_CLOSE_MS
        row = _EARLY_CLOSE if early else ("open", "09:30:00", "16:00:00")
    else:
        row = ("weekend" if day.weekday() >= 5 else "full_close", None, None)
    return _table(terminal, request, ("type", "open", "close"), [row])


def _holidays(terminal: V3, request: Request) -> Answer:
    text = required(request.parameters, "year")
    if not text.isdecimal():
        raise Refused(400, f"Invalid year: {text}")
    year = int(text)
    rows: list[tuple[Cell, ...]] = []
    if calendar.FIRST_YEAR <= year <= calendar.LAST_YEAR:
        closed = [(day.isoformat(), "full_close", None, None) for day in calendar.holidays(year)]
        short = [(day.isoformat(), *_EARLY_CLOSE) for day in calendar.early_closes(year)]
        rows = sorted([*closed, *short])
    return _table(
        terminal, request, ("date", "type", "open", "close"), rows, spaced=terminal.style.blank_line
    )


def _greeks(terminal: V3, request: Request) -> Answer:
    order = request.path.rpartition("/")[2]
    form = format_of(request.parameters)
    market = terminal.market
    if order == EOD:
        queries = eod_queries(request.parameters, order, market.expirations)
    else:
        queries = [greeks_query(request.parameters, order)]
    rows = sum(map(market.size, queries))
    if not rows:
        return text_answer(472, NO_DATA)
    if terminal.row_limit is not None and rows > terminal.row_limit:
        text = f"Large request: {rows} rows are more than {terminal.row_limit}"
        return text_answer(570, text)
    blocks = chain.from_iterable(map(market.blocks, queries))
    parts = greeks(blocks, order, form, terminal.style)
    return Answer(200, CONTENT_TYPES[form], parts, rows)


Route = Callable[[V3, Request], Answer]

ROUTES: dict[str, Route] = {
    "terminal/mdds/status": _status,
    "terminal/fpss/status": _status,
    "option/list/symbols": _symbols,
    "option/list/expirations": _expirations,
    "option/list/strikes": _strikes,
    "calendar/today": _hours,
    "calendar/on_date": _hours,
    "calendar/year_holidays": _holidays,
    **{f"option/history/greeks/{order}": _greeks for order in (*ORDERS, EOD)},
}
"""What is answered under /v3/, by path."""

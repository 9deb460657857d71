"""What the stand-in answers to a request, without HTTP: the routes, the refusals, the answers.

`NO_DATA`, the text for a path outside v3 and the one for the v2 parameter `exp` are byte-exact, as
recorded from a real Terminal; so are two of `parameters.Refused`. The bodies of 404, 429 and 570,
and how several v2 parameters are listed, are not known and are ours.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from pipeline.terminal import calendar, formats
from pipeline.terminal.formats import CONTENT_TYPES, Cell, Decimal3, Part, Style
from pipeline.terminal.greeks import ORDERS
from pipeline.terminal.market import Market
from pipeline.terminal.parameters import Refused, format_of, greeks_query, parse_date, required

TEXT = "text/plain"

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
class Request:
    """A GET request.

    Attributes:
        path: without the query.
        parameters: the query's; of one that is given twice, the last.
    """

    path: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What to send back.

    Attributes:
        status: the HTTP status.
        content_type: the header's value.
        parts: the body, made while it is read; to be read once.
    """

    status: int
    content_type: str
    parts: Iterable[Part]


Responder = Callable[[Request], Answer]
"""What a server asks for answers. One that wraps another can add faults, or another dialect."""


def text_answer(status: int, text: str) -> Answer:
    """Returns an answer of plain text."""
    return Answer(status, TEXT, [Part(text.encode(), 0)])


def respond(market: Market, style: Style, request: Request) -> Answer:
    """Returns the answer of a v3 Terminal whose data are those of the market."""
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
        return route(market, style, request)
    except Refused as refusal:
        return text_answer(refusal.status, str(refusal))


def _table(
    request: Request,
    style: Style,
    columns: tuple[str, ...],
    rows: list[tuple[Cell, ...]],
    *,
    spaced: bool = False,
) -> Answer:
    form = format_of(request.parameters)
    if not rows:
        return text_answer(472, NO_DATA)
    parts = formats.table(columns, rows, form, style, spaced=spaced)
    return Answer(200, CONTENT_TYPES[form], parts)


def _status(market: Market, style: Style, request: Request) -> Answer:
    return text_answer(200, "CONNECTED")


def _symbols(market: Market, style: Style, request: Request) -> Answer:
    return _table(request, style, ("symbol",), [(symbol,) for symbol in sorted(market.symbols)])


def _expirations(market: Market, style: Style, request: Request) -> Answer:
    wanted = required(request.parameters, "symbol").upper()
    symbols = market.symbols if wanted == "*" else wanted.split(",")
    rows: list[tuple[Cell, ...]] = [
        (symbol, day.isoformat()) for symbol in symbols for day in market.expirations(symbol)
    ]
    return _table(request, style, ("symbol", "expiration"), rows)


def _strikes(market: Market, style: Style, request: Request) -> Answer:
    symbol = required(request.parameters, "symbol").upper()
    expiration = parse_date(request.parameters, "expiration")
    rows: list[tuple[Cell, ...]] = [
        (symbol, Decimal3(strike)) for strike in market.strikes(symbol, expiration)
    ]
    return _table(request, style, ("symbol", "strike"), rows)


def _hours(market: Market, style: Style, request: Request) -> Answer:
    """Answers `on_date`, and `today` with the market's own today: its last date."""
    today = request.path.endswith("today")
    day = market.last_date if today else parse_date(request.parameters, "date")
    if not calendar.FIRST_YEAR <= day.year <= calendar.LAST_YEAR:
        return text_answer(472, NO_DATA)
    row: tuple[Cell, ...]
    if calendar.is_trading_day(day):
        early = calendar.closing_time(day) == calendar.EARLY_CLOSE
        row = _EARLY_CLOSE if early else ("open", "09:30:00", "16:00:00")
    else:
        row = ("weekend" if day.weekday() >= 5 else "full_close", None, None)
    return _table(request, style, ("type", "open", "close"), [row])


def _holidays(market: Market, style: Style, request: Request) -> Answer:
    text = required(request.parameters, "year")
    if not text.isdecimal():
        raise Refused(400, f"Invalid year: {text}")
    year = int(text)
    rows: list[tuple[Cell, ...]] = []
    if calendar.FIRST_YEAR <= year <= calendar.LAST_YEAR:
        closed = [(day.isoformat(), "full_close", None, None) for day in calendar.holidays(year)]
        short = [(day.isoformat(), *_EARLY_CLOSE) for day in calendar.early_closes(year)]
        rows = sorted([*closed, *short])
    return _table(request, style, ("date", "type", "open", "close"), rows, spaced=style.blank_line)


def _greeks(market: Market, style: Style, request: Request) -> Answer:
    order = request.path.rpartition("/")[2]
    form = format_of(request.parameters)
    blocks = market.blocks(greeks_query(request.parameters, order))
    first = next(blocks, None)
    if first is None:
        return text_answer(472, NO_DATA)
    return Answer(
        200, CONTENT_TYPES[form], formats.greeks(chain([first], blocks), order, form, style)
    )


Route = Callable[[Market, Style, Request], Answer]

ROUTES: dict[str, Route] = {
    "terminal/mdds/status": _status,
    "terminal/fpss/status": _status,
    "option/list/symbols": _symbols,
    "option/list/expirations": _expirations,
    "option/list/strikes": _strikes,
    "calendar/today": _hours,
    "calendar/on_date": _hours,
    "calendar/year_holidays": _holidays,
    **{f"option/history/greeks/{order}": _greeks for order in ORDERS},
}
"""What is answered under /v3/, by path."""

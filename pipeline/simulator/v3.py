"""What a v3 Terminal answers: the routes, the refusals, the answers.

`NO_DATA`, the text for a path outside v3 and the one for the v2 parameter `exp` are byte-exact, as
recorded from a real Terminal; so are three of `parameters.Refused`. The bodies of 404, 429 and 570,
and how several v2 parameters are listed, are not known and are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from pipeline.simulator.answers import Answer, Request, not_found, text_answer
from pipeline.simulator.formats import CONTENT_TYPES, DOCUMENTED, Style, table
from pipeline.simulator.listings import LISTINGS
from pipeline.simulator.market.market import Market
from pipeline.simulator.parameters import Refused, format_of
from pipeline.simulator.queries import queries_of
from pipeline.simulator.rows import greeks
from transforms.orders import ORDERS, Order

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


@dataclass(frozen=True)
class V3:
    """A v3 Terminal: called with a request, it answers it.

    Attributes:
        market: the data that are served.
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
            return not_found(request, "/v3/", ROUTES)
        deprecated = sorted(_DEPRECATED.keys() & request.parameters.keys())
        if deprecated:
            lines = "\n".join(f"\t{name} -> {_DEPRECATED[name]}" for name in deprecated)
            return text_answer(410, _UPGRADE_PARAMETERS.format(lines=lines))
        try:
            return route(self, request)
        except Refused as refusal:
            return text_answer(refusal.status, str(refusal))


def _status(terminal: V3, request: Request) -> Answer:
    return text_answer(200, "CONNECTED")


def _listing(terminal: V3, request: Request) -> Answer:
    form = format_of(request.parameters)
    listing = LISTINGS[request.path.removeprefix("/v3/")](terminal.market, request.parameters)
    if not listing.rows:
        return text_answer(472, NO_DATA)
    spaced = listing.spaced and terminal.style.blank_line
    parts = table(listing.columns, listing.rows, form, terminal.style, spaced=spaced)
    return Answer(200, CONTENT_TYPES[form], parts)


def _history(terminal: V3, request: Request, *, order: Order) -> Answer:
    form = format_of(request.parameters)
    market = terminal.market
    queries = queries_of(request.parameters, order, market.expirations)
    rows = sum(map(market.size, queries))
    if not rows:
        return text_answer(472, NO_DATA)
    if terminal.row_limit is not None and rows > terminal.row_limit:
        text = f"Large request: {rows} rows are more than {terminal.row_limit}"
        return text_answer(570, text)
    blocks = chain.from_iterable(map(market.blocks, queries))
    parts = greeks(blocks, order.name, form, terminal.style)
    return Answer(200, CONTENT_TYPES[form], parts, rows)


ROUTES: dict[str, Callable[[V3, Request], Answer]] = {
    "terminal/mdds/status": _status,
    "terminal/fpss/status": _status,
    **dict.fromkeys(LISTINGS, _listing),
    **{
        f"option/history/{order.v3.path}": partial(_history, order=order)
        for order in ORDERS.values()
    },
}
"""The answers under /v3/, by path."""

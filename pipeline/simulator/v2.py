"""What a v2 Terminal answers: the routes, the refusals, the pages.

`NO_DATA` was recorded from a real Terminal. The texts of 404, 473, 477 and 570 are not known and
are ours. The rows are those of v3's `version` 1, which counts whole days in the last week, too, and
0.15 of a day on the day of expiration; where no volatility is found, all_greeks and eod_greeks have
a delta of 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.simulator import rows_v2
from pipeline.simulator.answers import Answer, Request, not_found, text_answer
from pipeline.simulator.formats import CONTENT_TYPES, DOCUMENTED, Style
from pipeline.simulator.market.greeks import COLUMNS, ContractRows, Query
from pipeline.simulator.market.greeks import V2 as OF_V2
from pipeline.simulator.market.market import Market
from pipeline.simulator.pages import Page, Pages
from pipeline.simulator.parameters import Refused, whole_of
from pipeline.simulator.parameters_v2 import bulk_queries, flag, parse_date, required
from transforms.orders import ORDERS, Order

NO_DATA = ":No data for the specified timeframe & contract."
NEXT_PAGE = "Next-Page"

_PAGE = "/v2/page/"


@dataclass(frozen=True)
class V2:
    """A v2 Terminal: called with a request, it answers it.

    Attributes:
        market: the data that are served.
        url: the server's address, for the addresses of pages.
        pages: those that wait to be fetched.
        style: its line end is that of CSV; the rest does not matter.
        tick_limit: rows of an answer or page; a longer answer comes in pages, which may begin and
            end within a contract.
        page_header: whether the CSV of every page has the names of the columns, or the first only.
    """

    market: Market
    url: str
    pages: Pages
    style: Style = DOCUMENTED
    tick_limit: int = 500_000
    page_header: bool = False

    def __call__(self, request: Request) -> Answer:
        """Returns the answer to a request."""
        if request.path.startswith(_PAGE):
            page = self._page(request)
            return text_answer(477, "No page found") if page is None else self.page_answer(page)
        route = ROUTES.get(request.path.removeprefix("/v2/"))
        if route is None or not request.path.startswith("/v2/"):
            return not_found(request, "/v2/", ROUTES)
        try:
            return route(self, request)
        except Refused as refusal:
            return text_answer(refusal.status, str(refusal))

    def key(self, request: Request) -> str:
        """Returns what names a request, whatever the order of its parameters.

        For a page that is the request that it belongs to, and its first row: the ids of pages
        depend on what else is going on.
        """
        page = self._page(request) if request.path.startswith(_PAGE) else None
        return request.canonical if page is None else f"{page.origin}#{page.first}"

    def _page(self, request: Request) -> Page | None:
        number = request.path.removeprefix(_PAGE)
        return self.pages.get(int(number)) if number.isdecimal() else None

    def page_answer(self, page: Page) -> Answer:
        """Returns the answer that is a page, be it the first or the only one."""
        end = min(page.first + self.tick_limit, page.rows)
        next_page = rows_v2.NO_NEXT_PAGE
        if end < page.rows:
            number = self.pages.add(replace(page, first=end))
            next_page = f"{self.url}{_PAGE}{number}"
        blocks = self._blocks(page.queries, page.first, end)
        order = page.queries[0].greeks
        if page.as_csv:
            header = self.page_header or page.first == 0
            parts = rows_v2.csv(blocks, order, self.style.line_end, header=header)
        else:
            parts = rows_v2.json_answer(blocks, order, next_page)
        if end < page.rows:
            parts = self.pages.named_by(parts, number)
        content_type = CONTENT_TYPES["csv" if page.as_csv else "json"]
        return Answer(200, content_type, parts, end - page.first, {NEXT_PAGE: next_page})

    def _blocks(self, queries: Sequence[Query], first: int, end: int) -> Iterator[ContractRows]:
        """Yields the rows from number `first` to before `end` of some queries together."""
        for query in queries:
            rows = self.market.size(query)
            if first < rows and end > 0:
                yield from self.market.blocks(query, max(first, 0), min(end, rows))
            first, end = first - rows, end - rows

    def list_answer(self, request: Request, column: str, values: list[int] | list[str]) -> Answer:
        """Returns the answer that is a list; 472 if it is empty."""
        as_csv = flag(request.parameters, "use_csv", default=False)
        if not values:
            return text_answer(472, NO_DATA)
        parts = rows_v2.list_answer(column, values, self.style.line_end, as_csv=as_csv)
        return Answer(200, CONTENT_TYPES["csv" if as_csv else "json"], parts)


def _status(terminal: V2, request: Request) -> Answer:
    return text_answer(200, "CONNECTED")


def _roots(terminal: V2, request: Request) -> Answer:
    return terminal.list_answer(request, "root", sorted(terminal.market.symbols))


def _expirations(terminal: V2, request: Request) -> Answer:
    root = required(request.parameters, "root").upper()
    days = [int(f"{day:%Y%m%d}") for day in terminal.market.expirations(root)]
    return terminal.list_answer(request, "date", days)


def _strikes(terminal: V2, request: Request) -> Answer:
    root = required(request.parameters, "root").upper()
    expiration = parse_date(request.parameters, "exp")
    return terminal.list_answer(request, "strike", terminal.market.strikes(root, expiration))


def _dates(terminal: V2, request: Request) -> Answer:
    root = required(request.parameters, "root").upper()
    expiration = parse_date(request.parameters, "exp")
    strike = whole_of(request.parameters, "strike", 0, 473)
    days = terminal.market.trade_dates(root, expiration, strike=strike)
    return terminal.list_answer(request, "date", [int(f"{day:%Y%m%d}") for day in days])


def _bulk(order: Order) -> Callable[[V2, Request], Answer]:
    own = f"{order.name}{OF_V2}"
    columns = own if own in COLUMNS else order.name

    def answer(terminal: V2, request: Request) -> Answer:
        market = terminal.market
        queries = bulk_queries(request.parameters, order, columns, market.expirations)
        as_csv = flag(request.parameters, "use_csv", default=False)
        rows = sum(map(market.size, queries))
        if not rows:
            return text_answer(472, NO_DATA)
        return terminal.page_answer(Page(queries, as_csv, request.canonical, rows))

    return answer


ROUTES: dict[str, Callable[[V2, Request], Answer]] = {
    "system/mdds/status": _status,
    "system/fpss/status": _status,
    "list/roots/option": _roots,
    "list/expirations": _expirations,
    "list/strikes": _strikes,
    **{f"list/dates/option/{kind}": _dates for kind in ("quote", "trade")},
    **{f"bulk_hist/option/{order.v2.path}": _bulk(order) for order in ORDERS.values() if order.v2},
}
"""The answers under /v2/, by path; the pages are not among them."""

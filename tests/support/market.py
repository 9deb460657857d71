"""A scripted Terminal with a few expirations of SPXW, for tests that say what it answers."""

from collections.abc import Callable, Mapping
from datetime import date

from tests.support.answers import rows_of
from tests.support.scripted import Answer, Script
from transforms.model import GreeksRequest

NO_DATA = Answer(b"No data found for your request", status=472, content_type="text/plain")
HOLIDAYS = (
    b"date,type,open,close\r\n"
    b"2024-03-29,full_close,,\r\n"
    b"2024-07-03,early_close,09:30:00,13:00:00\r\n"
)
EXPIRATIONS = {
    "SPXW": ("2024-03-14", "2024-03-15", "2024-03-18", "2024-04-19"),
    "SPX": ("2024-03-15", "2024-04-19"),
}


def terminal(
    greeks: Callable[[GreeksRequest], Answer] | None = None,
    *,
    status: bytes = b"CONNECTED",
    expirations: Mapping[str, tuple[str, ...]] = EXPIRATIONS,
    holidays: Answer | None = None,
) -> Script:
    """Returns the script of a Terminal that answers Greeks by `greeks`, else with 10 rows."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/terminal/mdds/status":
            return Answer(status, content_type="text/plain")
        if path == "/v3/calendar/year_holidays":
            return holidays or Answer(HOLIDAYS)
        if path == "/v3/option/list/expirations":
            listed = expirations.get(query["symbol"])
            if listed is None:
                return NO_DATA
            lines = [f"{query['symbol']},{day}" for day in listed]
            return Answer("\r\n".join(["symbol,expiration", *lines, ""]).encode())
        if path == "/v3/option/history/greeks/first_order":
            day = date.fromisoformat(query["date"])
            request = GreeksRequest(
                query["symbol"], date.fromisoformat(query["expiration"]), (day,), query["interval"]
            )
            return greeks(request) if greeks else Answer(rows_of(request, day, 10))
        return Answer(b"no such path", status=404, content_type="text/plain")

    return answer

"""A scripted Terminal with a few expirations of SPXW, for tests that say what it answers."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from tests.support.answers import rows_of
from tests.support.scripted import Answer, Script, scripted_server
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


@contextmanager
def silent_terminal(
    answer: Callable[[GreeksRequest], Answer | None] = lambda _: None,
) -> Iterator[tuple[str, threading.Event]]:
    """Runs a Terminal that is silent where `answer` returns None, until the block ends.

    Gives its address, and what is set once a request waits there.
    """
    silence, asked = threading.Event(), threading.Event()

    def greeks(request: GreeksRequest) -> Answer:
        answered = answer(request)
        if answered is None:
            asked.set()
        return answered or Answer(b"", hold=silence)

    with scripted_server(terminal(greeks)) as server:
        try:
            yield server.url, asked
        finally:
            silence.set()

"""The stand-in's HTTP server: one thread for each connection, on loopback only."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from operator import attrgetter
from socketserver import TCPServer
from typing import Any

from pipeline.simulator.answers import Answer, Request, Responder
from pipeline.simulator.connection import Connection, TerminalHTTPServer
from pipeline.simulator.faults.chaos import Chaos
from pipeline.simulator.faults.rules import parse_rules
from pipeline.simulator.formats import DOCUMENTED, Style
from pipeline.simulator.gate import Gate, Stats
from pipeline.simulator.market.market import Market
from pipeline.simulator.pages import Pages
from pipeline.simulator.v2 import V2
from pipeline.simulator.v3 import V3

HOST = "127.0.0.1"


class TerminalServer:
    """A stand-in Theta Terminal, running from `__enter__` to `__exit__`.

    ```python
    with TerminalServer(Market()) as terminal:
        requests.get(f"{terminal.url}/v3/option/list/expirations", {"symbol": "SPXW"})
        assert terminal.stats()["most_in_flight"] == 1
    ```

    Beyond the Terminal's own paths, `/stats` answers with `stats()` as JSON. The paths under
    `/v3/terminal/`, `/v2/system/` and `/stats` are answered whatever else is going on.

    Args:
        market: the data that are served.
        port: 0 for any free one.
        api: `v3` or `v2`: the generation of the API.
        latency: seconds to wait before each answer.
        style: of the CSV.
        slots: requests answered at once; a professional subscription has 8.
        queue: requests that wait for a slot; beyond them, the answer is 429.
        row_limit: v3: an answer with more rows is refused with 570.
        tick_limit: v2: an answer with more rows comes in pages of so many.
        page_expire: v2: seconds until a page that nobody fetches is dropped.
        page_header: v2: whether each page of CSV begins with the names of the columns.
        chaos: what goes wrong, as `rules.parse_rules` reads it; the market's seed decides when.
        chaos_limit: the most faulty answers to the same request.
        retry_after: seconds, the Retry-After of each 429; None for no such header.
        clock: seconds, for the age of pages and the times of `stats`.
        responder: gives the answers instead of the market, if it is not None.

    Raises:
        OSError: on construction, if the port is taken.
        ValueError: on construction, for `chaos` or `api`.
    """

    def __init__(
        self,
        market: Market | None = None,
        *,
        port: int = 0,
        api: str = "v3",
        latency: float = 0.0,
        style: Style = DOCUMENTED,
        slots: int = 8,
        queue: int = 16,
        row_limit: int | None = None,
        tick_limit: int = 500_000,
        page_expire: float = 10.0,
        page_header: bool = False,
        chaos: str = "",
        chaos_limit: int = 3,
        retry_after: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        responder: Responder | None = None,
    ) -> None:
        if api not in ("v2", "v3"):
            raise ValueError(f"api is {api!r}, neither 'v2' nor 'v3'")
        rules = parse_rules(chaos)
        self.market = market or Market()
        self.api = api
        self.latency = latency
        self.stopping = threading.Event()
        self.counts = Stats(clock)
        self.gate = Gate(slots, queue)
        self.retry_headers: Mapping[str, str] = (
            {} if retry_after is None else {"Retry-After": str(retry_after)}
        )
        self._server = _Server((HOST, port), self)
        key: Callable[[Request], str] = attrgetter("canonical")
        if responder is None and api == "v2":
            pages = Pages(page_expire, clock)
            terminal = V2(self.market, self.url, pages, style, tick_limit, page_header)
            responder, key = terminal, terminal.key
        self._responder = responder or V3(self.market, style, row_limit)
        if rules:
            self._responder = Chaos(
                self._responder,
                rules,
                self.market.seed,
                limit=chaos_limit,
                api=api,
                headers=self.retry_headers,
                key=key,
                on_fault=self.counts.fault,
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="terminal"
        )

    @property
    def url(self) -> str:
        """The server's address, such as `http://127.0.0.1:25503`."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def stats(self) -> dict[str, Any]:
        """Returns what was served so far.

        Keys:

        - `stand_in` (true), `seed`, `api`;
        - `requests`: answers by path and status (`reset` and `hang` have none; pages count as
          `/v2/page`);
        - `rows`: of Greeks, sent or about to be;
        - `broken_off`: answers whose reader went away;
        - `faults`: by kind;
        - `most_in_flight`: requests that were received and not yet answered, at the same time;
        - `history`: of requests for rows of Greeks: `requests`, `most_in_flight`, `busy_seconds`
          (the sum of the times from a request to the end of its answer),
          `busy_seconds_at_last_start`, and `first_start`, `last_start` and `last_end` (seconds
          since the server began, or null). Hence `busy_seconds / (last_end - first_start)`
          requests were in flight on the average.
        """
        head = {"stand_in": True, "seed": self.market.seed, "api": self.api}
        return head | self.counts.describe() | {"most_in_flight": self.gate.most_in_flight}

    def answer(self, request: Request) -> Answer:
        """Returns the answer to a request."""
        return self._responder(request)

    def __enter__(self) -> "TerminalServer":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(TerminalHTTPServer):
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], terminal: TerminalServer) -> None:
        self.terminal = terminal
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Connection)

    def server_bind(self) -> None:
        # HTTPServer would ask the DNS for this machine's name.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends every connection, which wakes its thread."""
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A reader that goes away is no error of ours.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

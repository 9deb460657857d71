"""The stand-in's HTTP server: one thread for each connection, on loopback only."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.terminal.answers import Answer, Request, Responder, respond, text_answer
from pipeline.terminal.formats import DOCUMENTED, Part, Style
from pipeline.terminal.gate import Gate, Stats
from pipeline.terminal.market import Market

HOST = "127.0.0.1"

SMALL = 1 << 15
"""Bytes up to which an answer has a content-length; a longer one is sent in chunks.

The real Terminal's limit lies between 4,272 and 90,044 bytes.
"""
_CHUNK = 1 << 16


class TerminalServer:
    """A stand-in Theta Terminal, running from `__enter__` to `__exit__`.

    ```python
    with TerminalServer(Market()) as terminal:
        requests.get(f"{terminal.url}/v3/option/list/expirations", {"symbol": "SPXW"})
        assert terminal.stats()["most_in_flight"] == 1
    ```

    Beyond the Terminal's own paths, `/stats` answers with `stats()` as JSON. The paths under
    `/v3/terminal/` and `/stats` are answered whatever else is going on.

    Args:
        market: what is served.
        port: 0 for any free one.
        latency: seconds to wait before each answer.
        style: of the CSV.
        slots: requests answered at once; a professional subscription has 8.
        queue: requests that wait for a slot; beyond them, the answer is 429.
        responder: gives the answers instead of the market, if it is not None.

    Raises:
        OSError: on construction, if the port is taken.
    """

    def __init__(
        self,
        market: Market | None = None,
        *,
        port: int = 0,
        latency: float = 0.0,
        style: Style = DOCUMENTED,
        slots: int = 8,
        queue: int = 16,
        responder: Responder | None = None,
    ) -> None:
        self.market = market or Market()
        self.latency = latency
        self.stopping = threading.Event()
        self.counts = Stats()
        self.gate = Gate(slots, queue)
        self._responder = responder or partial(respond, self.market, style)
        self._server = _Server((HOST, port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="terminal"
        )

    @property
    def url(self) -> str:
        """The server's address, such as `http://127.0.0.1:25503`."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def stats(self) -> dict[str, Any]:
        """Returns what was served so far.

        Keys: `stand_in` (true), `seed`, `requests` (answers by path and status), `rows` (of Greeks,
        sent or about to be), `broken_off` (answers whose reader went away) and `most_in_flight`
        (requests that were received and not yet answered, at the same time).
        """
        head = {"stand_in": True, "seed": self.market.seed}
        return head | self.counts.describe() | {"most_in_flight": self.gate.most_in_flight}

    def answer(self, request: Request) -> Answer:
        """Returns the answer to a request."""
        if request.path == "/stats":
            return Answer(200, "application/json", [Part(json.dumps(self.stats()).encode(), 0)])
        return self._responder(request)

    def __enter__(self) -> "TerminalServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], terminal: TerminalServer) -> None:
        self.terminal = terminal
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def version_string(self) -> str:
        return "Jetty(12.0.14)"

    def log_message(self, *args: Any) -> None:
        """Keeps quiet: `/stats` tells what was served."""

    def do_GET(self) -> None:
        terminal = self.server.terminal
        url = urlsplit(self.path)
        request = Request(url.path, dict(parse_qsl(url.query, keep_blank_values=True)))
        if request.path == "/stats":
            self._send(terminal.answer(request))
            return
        if request.path.startswith("/v3/terminal/"):
            self._answer(request)
            return
        if not terminal.gate.enter():
            self._count(request, 429)
            self._send(text_answer(429, "Too many requests: the queue is full"))
            return
        try:
            terminal.stopping.wait(terminal.latency)
            self._answer(request)
        finally:
            terminal.gate.leave()

    def _answer(self, request: Request) -> None:
        answer = self.server.terminal.answer(request)
        self._count(request, answer.status)
        try:
            self._send(answer)
        except ConnectionError:
            self.server.terminal.counts.broken_off()
            self.close_connection = True

    def _count(self, request: Request, status: int) -> None:
        self.server.terminal.counts.answered(request.path, status)

    def _send(self, answer: Answer) -> None:
        parts = iter(answer.parts)
        first, rows = b"", 0
        for part in parts:
            first += part.text
            rows += part.rows
            if len(first) > SMALL:
                break
        else:
            self._head(answer, "Content-Length", str(len(first)))
            self.server.terminal.counts.served(rows)
            self.wfile.write(first)
            return
        if self.request_version == "HTTP/1.0":  # which has no chunks: the end is the end
            self._head(answer, "Connection", "close")
            for text in self._texts(first, rows, parts):
                self.wfile.write(text)
            return
        self._head(answer, "Transfer-Encoding", "chunked")
        for text in self._texts(first, rows, parts):
            for start in range(0, len(text), _CHUNK):
                chunk = text[start : start + _CHUNK]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _texts(self, first: bytes, rows: int, parts: Iterator[Part]) -> Iterator[bytes]:
        """Yields the body in stretches of more than `SMALL` bytes, but for the last."""
        text = first
        for part in parts:
            if len(text) > SMALL:
                self.server.terminal.counts.served(rows)
                yield text
                text, rows = b"", 0
            text += part.text
            rows += part.rows
        self.server.terminal.counts.served(rows)
        if text:
            yield text

    def _head(self, answer: Answer, name: str, value: str) -> None:
        known = answer.status in HTTPStatus.__members__.values()
        phrase = HTTPStatus(answer.status).phrase if known else ""
        self.send_response(answer.status, phrase)
        self.send_header("Content-Type", answer.content_type)
        self.send_header(name, value)
        self.end_headers()

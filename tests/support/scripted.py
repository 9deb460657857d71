"""A real HTTP server on loopback that answers as scripted: the fake at the HTTP seam."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from urllib.parse import parse_qsl, urlsplit

from transforms.thetadata import RetryPolicy, ThetaClient


@dataclass
class Answer:
    """What to send.

    With `cut`, so many bytes of the body go out, and the connection is dropped once `end` returns
    something. With `hold`, nothing goes out until it is set. With `closes`, only the end of the
    connection says where the body ends. With `forever`, the body goes on with it without end.
    """

    body: bytes
    status: int = 200
    content_type: str = "text/csv"
    chunked: bool = False
    closes: bool = False
    forever: bytes = b""
    cut: int | None = None
    hold: threading.Event | None = None
    end: Callable[[], object] = lambda: True
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Scripted:
    """The running server: its address, and the requests it saw as (path, parameters).

    Attributes:
        heads: the headers of those.
    """

    url: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    heads: list[Message] = field(default_factory=list)


Script = Callable[[str, dict[str, str]], Answer]


@contextmanager
def scripted_server(script: Script) -> Iterator[Scripted]:
    """Serves what `script` returns for each path and its parameters."""
    scripted = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a small answer waits for no acknowledgement

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked is gone
                super().handle()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = dict(parse_qsl(parts.query))
            scripted.seen.append((parts.path, parameters))
            scripted.heads.append(self.headers)
            answer = script(parts.path, parameters)
            if answer.hold is not None:
                answer.hold.wait(60)
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            self.send_header("Date", answer.headers.pop("Date", self.date_time_string()))
            self.send_header("Content-Type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif answer.closes or answer.forever:
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            if answer.chunked:
                for start in range(0, len(body), 1000):
                    piece = body[start : start + 1000]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                if answer.cut is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(body)
            while answer.forever:
                self.wfile.write(answer.forever)
            if answer.cut is not None:
                self.wfile.flush()
                while answer.end() is None:
                    time.sleep(0.01)
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Serve = Callable[..., tuple[Scripted, ThetaClient]]
"""Starts a server that answers as a script says; returns it, and a client of it."""


@contextmanager
def scripted_clients(usual: RetryPolicy) -> Iterator[Serve]:
    """Gives what starts servers and clients, which are closed at the end."""
    with ExitStack() as stack:

        def start(script: Script, policy: RetryPolicy = usual) -> tuple[Scripted, ThetaClient]:
            server = stack.enter_context(scripted_server(script))
            return server, stack.enter_context(ThetaClient(server.url, timeout=5, policy=policy))

        yield start


def one_by_one(*answers: Answer) -> Script:
    """Gives one answer after the other, and the last one for ever."""
    left = chain(answers, repeat(answers[-1]))
    return lambda path, query: next(left)

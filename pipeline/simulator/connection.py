"""A connection to the stand-in: reads requests, sends their answers, right or broken."""

import json
import select
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pipeline.simulator.answers import Answer, Request, text_answer
from pipeline.simulator.faults.chaos import TEXTS
from pipeline.simulator.formats import Stretch
from pipeline.simulator.gate import Gate, Stats

SMALL = 1 << 15
"""Bytes up to which an answer has a content-length; a longer one is sent in chunks.

The real Terminal's limit lies between 4,272 and 90,044 bytes.
"""
_CHUNK = 1 << 16
_HANG_SECONDS = 60
_PAUSES = 8  # of a slow answer, however long it is


class Answering(Protocol):
    """What a connection needs of the Terminal it belongs to.

    Attributes:
        counts: what was served.
        gate: the slots, and the queue for them.
        retry_headers: of each 429.
        latency: seconds to wait before each answer.
        stopping: set when the server ends.
    """

    counts: Stats
    gate: Gate
    retry_headers: Mapping[str, str]
    latency: float
    stopping: threading.Event

    def stats(self) -> dict[str, Any]:
        """Returns what was served so far."""

    def answer(self, request: Request) -> Answer:
        """Returns the answer to a request."""


class TerminalHTTPServer(ThreadingHTTPServer):
    """A server that knows the Terminal it belongs to."""

    terminal: Answering


class Connection(BaseHTTPRequestHandler):
    """Handles the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TerminalHTTPServer
    _pauses = 0

    def version_string(self) -> str:
        """Returns the name of the server."""
        return "Jetty(12.0.14)"

    def log_message(self, *args: Any) -> None:
        """Prints nothing: `/stats` counts what was served."""

    def do_GET(self) -> None:
        """Answers a request, once there is a slot for it."""
        self._flight = ExitStack()
        terminal = self.server.terminal
        url = urlsplit(self.path)
        request = Request(url.path, dict(parse_qsl(url.query, keep_blank_values=True)))
        if request.path == "/stats":
            text = json.dumps(terminal.stats())
            self._send(replace(text_answer(200, text), content_type="application/json"))
            return
        if request.path.startswith(("/v3/terminal/", "/v2/system/")):
            self._answer(request, terminal.answer(request))
            return
        with self._flight as flight:
            flight.enter_context(terminal.counts.flight(request))
            if not terminal.gate.enter():
                answer = text_answer(429, TEXTS[429])
                self._answer(request, replace(answer, headers=terminal.retry_headers))
                return
            flight.callback(terminal.gate.leave)
            terminal.stopping.wait(terminal.latency)
            self._answer(request, terminal.answer(request))

    def _over(self) -> None:
        """Ends the time in flight of a request.

        That has to be before the last bytes are sent: with them, the other side is free to make
        its next request, and it must not be seen to have two in flight.
        """
        self._flight.close()

    def _answer(self, request: Request, answer: Answer) -> None:
        counts = self.server.terminal.counts
        counts.answered(request, answer.trouble.instead or str(answer.status))
        try:
            self._send(answer)
        except ConnectionError:
            counts.broken_off()
            self.close_connection = True

    def _send(self, answer: Answer) -> None:
        if answer.trouble.instead:
            self._send_nothing(hang=answer.trouble.instead == "hang")
            return
        parts = iter(answer.parts)
        first, size = [], 0
        for part in parts:
            first.append(part)
            size += len(part.text)
            if size > SMALL:
                break
        else:
            self._head(answer, "Content-Length", str(size))
            if not answer.trouble.pause:
                self._over()
            for text in self._texts(answer, first):
                self._write(answer, text)
            return
        texts = self._texts(answer, chain(first, parts))
        if self.request_version == "HTTP/1.0":  # which has no chunks: the end is the end
            self._head(answer, "Connection", "close")
            for text in texts:
                self._write(answer, text)
            return
        self._head(answer, "Transfer-Encoding", "chunked")
        self._send_chunks(answer, texts)

    def _texts(self, answer: Answer, parts: Iterable[Stretch]) -> Iterator[bytes]:
        """Yields the sent bytes of a body, more than `SMALL` at a time but for the last."""
        cut = answer.trouble.cut
        text, rows = b"", 0
        for part in cut.beginning(parts) if cut else parts:
            if len(text) > SMALL:
                self.server.terminal.counts.served(rows)
                yield text
                text, rows = b"", 0
            text += part.text
            rows += part.rows
        self.server.terminal.counts.served(rows)
        if text:
            yield text
        # Else the other side would wait for the rest.
        self.close_connection |= cut is not None

    def _send_chunks(self, answer: Answer, texts: Iterator[bytes]) -> None:
        cut = answer.trouble.cut
        last = b""
        for text in texts:
            for start in range(0, len(text), _CHUNK):
                if last:
                    self._write(answer, b"%x\r\n%b\r\n" % (len(last), last))
                last = text[start : start + _CHUNK]
        if cut and cut.inside_chunk:
            self._write(answer, b"%x\r\n%b" % (len(last) + _CHUNK, last))
            return
        if last:  # an empty one would be the end
            self._write(answer, b"%x\r\n%b\r\n" % (len(last), last))
        if not cut:
            self._over()
            self._write(answer, b"0\r\n\r\n")

    def _write(self, answer: Answer, text: bytes) -> None:
        pause = answer.trouble.pause
        size = len(text) // 4 + 1 if pause else len(text) + 1
        for start in range(0, len(text), size):
            self.wfile.write(text[start : start + size])
            if pause and self._pauses < _PAUSES:
                self._pauses += 1
                self.server.terminal.stopping.wait(pause)

    def _send_nothing(self, *, hang: bool) -> None:
        self.close_connection = True
        if hang:
            # It becomes readable when the other side, or the whole server, hangs up.
            select.select([self.connection], [], [], _HANG_SECONDS)
            return
        self._over()
        # Closing it now sends RST; else it would first be shut down in order.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def _head(self, answer: Answer, name: str, value: str) -> None:
        known = answer.status in HTTPStatus.__members__.values()
        phrase = HTTPStatus(answer.status).phrase if known else ""
        self._pauses = 0
        self.send_response(answer.status, phrase)
        self.send_header("Content-Type", answer.content_type)
        self.send_header(name, value)
        for further, content in answer.headers.items():
            self.send_header(further, content)
        self.end_headers()

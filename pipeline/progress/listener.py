"""Live progress: receives the workers' messages, adds them up, shows them and keeps samples."""

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.process.colour import can_redraw
from pipeline.process.memory import MemorySampler
from pipeline.progress.cell import Cell, in_notebook
from pipeline.progress.display import Display, Plain
from pipeline.progress.results import ResultLines
from pipeline.progress.samples import Samples
from pipeline.progress.snapshot import Snapshot
from pipeline.progress.tally import Tally
from pipeline.text import without_urls
from transforms.model import FAILED, INTERRUPTED, key_of
from transforms.model.trade_dates import readable
from transforms.workers.socket_path import SocketPath

_POLL_SECONDS = 0.1
_LOOK_SECONDS = 0.1


def make_display(
    mode: str, seconds: float, results: ResultLines | None = None, *, shared: bool = False
) -> Display:
    """Returns the display of a mode.

    Args:
        mode: one of `config.PROGRESS`; `auto` is a bar where standard error is a terminal that
            can redraw, and in a notebook.
        seconds: between two plain lines.
        results: makes lines of the results; None for a table of any width.
        shared: whether the program prints to the terminal as well; a bar has that above it.
    """
    if mode == "none":
        return Display(results if results and results.for_programs else None)
    if mode in ("auto", "bar") and in_notebook():
        return Cell()
    if mode == "bar" or (mode == "auto" and can_redraw(sys.stderr)):
        from pipeline.progress.bar import Bar

        return Bar(results, shared=shared)
    return Plain(seconds, results)


class Progress:
    """Shows a run by the messages of its workers, in whatever process of this machine.

    Args:
        display: where it is shown.
        tally: adds it up.
        memory: samples what the run's processes have resident.

    Attributes:
        address: of the Unix datagram socket that workers send to, or None.
        samples: the run over time.
    """

    def __init__(self, display: Display, tally: Tally, memory: MemorySampler) -> None:
        self._display = display
        self._tally = tally
        self._memory = memory
        self.samples = Samples()
        self._folder = tempfile.TemporaryDirectory(prefix="greeks-")
        path = os.path.join(self._folder.name, "reports")  # noqa: PTH118 -- for the socket
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = SocketPath(path)
        self.address: str | None = path
        try:
            self._socket.bind(self._path.path)
        except OSError:
            # Not every file system takes sockets: then the lines are shown at the end.
            self.address = None
        self._socket.settimeout(_POLL_SECONDS)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._next_look = 0.0
        self._next_drawing = time.monotonic() + display.seconds
        self._thread = threading.Thread(target=self._listen, name="progress", daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._wake()
        self._thread.join()
        self._display.draw_last(self._tally.snapshot(), self._memory.current)
        self._display.close()
        self._socket.close()
        self._path.close()
        self._folder.cleanup()
        self.samples.finish(self._sample(self._tally.snapshot()))

    def say(self, text: str) -> bool:
        """Has a line shown in its turn, without waiting for that; returns whether it will be."""
        return self._send(json.dumps({"kind": "line", "text": text}).encode())

    def _wake(self) -> None:
        """Lets the listener see the end at once, behind all that was sent before."""
        self._send(b"")

    def _send(self, message: bytes) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mine:
            mine.settimeout(_POLL_SECONDS)
            mine.sendto(message, self._path.path if self.address else "")
            return True
        return False

    def close_display(self) -> None:
        """Ends the display at once, and leaves the terminal as it was."""
        with self._lock:
            self._display.close()
            self._display = Display()

    def complete(self, results: Iterable[Mapping[str, Any]]) -> None:
        """Shows the results of which no message came, once the run has ended."""
        if self.all_came():
            return
        for result in results:
            with self._lock:
                self._take({"kind": "result", **result})

    def lessons(self) -> dict[str, Any]:
        """Returns what the run taught for later ones, as records keep it."""
        return {"contracts": self._tally.sizes.describe(), "pace": self._tally.pace.describe()}

    def all_came(self) -> bool:
        """Returns whether each request has its result."""
        return self._tally.ended >= self._tally.total

    def remote(self, state: str, counters: Mapping[str, int]) -> None:
        """Takes the state and the Beam counters of a runner whose workers may be elsewhere."""
        with self._lock:
            self._tally.take_remote(state, counters)

    def _listen(self) -> None:
        while True:
            try:
                message = self._socket.recv(1 << 16)
            except TimeoutError:
                if self._ended.is_set():
                    return
            else:
                if not message and self._ended.is_set():
                    return
                # Anybody may send to the socket: other data is ignored.
                with self._lock, contextlib.suppress(ValueError, KeyError, TypeError):
                    self._take(json.loads(message))
            with self._lock:
                self._draw()

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["kind"] == "line":
            self._display.line(str(message["text"]))
            return
        if not self._tally.take(message):
            return
        name = self._tally.name(key_of(message))
        if message["kind"] == "waiting":
            seconds, reason = message["seconds"], without_urls(message["reason"])
            self._display.news(f"{name}: retried in {seconds:.1f} s: {reason}")
        elif message["kind"] == "withdrawn":
            self._display.news(
                f"{name}: moved to another Terminal: {without_urls(message['reason'])}"
            )
        elif message["kind"] == "result":
            if message["status"] == INTERRUPTED and message["started"] is None:
                return  # it never began
            self._display.result(message)
            if message["missing_dates"]:
                self._display.news(f"{name}: no rows on {readable(message['missing_dates'])}")
            if message["status"] == FAILED and message.get("error"):
                self._display.news(f"{name} failed: {without_urls(message['error']['message'])}")

    def _draw(self) -> None:
        # To add up thousands of expirations at every message would slow them.
        clock = time.monotonic()
        if clock < self._next_look:
            return
        self._next_look = clock + _LOOK_SECONDS
        now = self._tally.snapshot()
        self.samples.offer(self._sample(now))
        if clock >= self._next_drawing:
            self._next_drawing = clock + self._display.seconds
            self._display.draw(now, self._memory.current)

    def _sample(self, now: Snapshot) -> dict[str, float]:
        return {
            "seconds": now.seconds,
            "rows": now.rows,
            "bytes": now.bytes,
            "done": now.done,
            "in_flight": len(now.in_flight),
            "memory": round(self._memory.current, 1),
        }

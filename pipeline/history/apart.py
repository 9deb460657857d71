"""A database's run history in a process of its own.

SQLAlchemy and a driver take 20 to 35 MiB, which a download has no use for while it downloads: they
are loaded for the first record and for the last one by a child, which ends in between.

The child reads one JSON object a line, `{"call": NAME, "url": URL, "arguments": …}` (a command line
is for everybody to read), and answers each with `{"value": …, "record": …}`, which is that of the
arguments as the call left it, or with `{"error": KIND, "message": …}`. The first call, `load`,
loads the libraries.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.history.model import Head, NoSuchRun, Query, Record, RunStore, StoreError, owner
from transforms.text.secrets import redacted

_MOMENT = 1.2
"""Seconds that a database may take for an answer once its run is to end."""

_ERRORS: dict[str, type[Exception]] = {
    each.__name__: each for each in (StoreError, FileExistsError, NoSuchRun)
}


class ApartStore(RunStore):
    """A run history that another process keeps. The methods are those of `RunStore`.

    Args:
        url: of a database.

    Attributes:
        name: the URL without its password.
        skipped: empty.

    Raises:
        StoreError: it can't be opened.
    """

    def __init__(self, url: str) -> None:
        self.name = redacted(url)
        self.skipped: list[str] = []
        self._url = url
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.RLock()
        self._hurried = self._given_up = False
        try:
            self._call("open")
        except StoreError:
            self.rest()
            raise

    def start(self, record: Record) -> str:
        """Keeps the record of a run of this process that begins, and returns its id."""
        record["owner"] = owner(os.getpid())
        return str(self._call("start", record=record))

    def finish(self, record: Record) -> str:
        """Keeps the record of an ended run, and returns where it is."""
        where = str(self._call("finish", record=record))
        self.rest()
        return where

    def bury(self) -> Iterator[Record]:
        """Marks the runs of this machine that were killed as died, and yields their records."""
        yield from self._call("bury")

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields the head of each run that a query matches, newest first."""
        yield from self._call("heads", query=vars(query))

    def read(self, run_id: str) -> Record:
        """Returns the whole record of a run."""
        record: Record = self._call("read", run_id=run_id)
        return record

    def rest(self) -> None:
        """Ends the child; the next call starts another one."""
        child, self._child = self._child, None
        if child is not None:
            child.communicate()

    def ready(self) -> None:
        """Starts the child; from now on a call that takes longer than a moment is given up."""
        self._hurried = True
        if not self._lock.acquire(timeout=_MOMENT):
            self._give_up()  # that ends the call under way
            return
        try:
            with contextlib.suppress(StoreError):
                # The next call raises it.
                self._call("open")
        finally:
            self._lock.release()

    def _give_up(self) -> None:
        self._given_up = True
        child = self._child
        if child is not None:
            child.kill()

    def _call(self, name: str, **arguments: Any) -> Any:
        with self._lock:
            if self._given_up:
                raise StoreError(f"the run history in {self.name} did not answer in time")
            if self._child is None:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "pipeline.history.apart"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    # A Ctrl-C is for the download, whose record is still to be kept.
                    start_new_session=True,
                )
                # Loading the libraries takes as long as it takes on this machine.
                self._ask(self._child, "load", {})
                if name != "open":
                    self._ask_soon(self._child, "open", {})
            return self._ask_soon(self._child, name, arguments)

    def _ask_soon(
        self, child: "subprocess.Popen[str]", name: str, arguments: Mapping[str, Any]
    ) -> Any:
        timer = threading.Timer(_MOMENT, self._give_up)
        if self._hurried:
            timer.start()
        try:
            return self._ask(child, name, arguments)
        finally:
            timer.cancel()

    def _ask(self, child: "subprocess.Popen[str]", name: str, arguments: Mapping[str, Any]) -> Any:
        question = {"call": name, "url": self._url, "arguments": arguments}
        assert child.stdin is not None  # noqa: S101 -- it is a pipe
        assert child.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            child.stdin.write(json.dumps(question) + "\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
        except (OSError, ValueError):
            self.rest()
            raise StoreError.unusable(self.name, "the process that keeps it ended") from None
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["message"])
        arguments.get("record", {}).update(answer["record"])
        return answer["value"]


def serve() -> None:
    """Answers the parent's questions until it closes the pipe."""
    store: RunStore | None = None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), name="parent", daemon=True).start()
    while True:
        question = json.loads(lines.get())
        name, arguments = question["call"], question["arguments"]
        try:
            from pipeline.history.sql import SqlStore

            if store is None and name != "load":
                store = SqlStore(question["url"])
            value = None if store is None or name == "open" else _called(store, name, arguments)
        except tuple(_ERRORS.values()) as error:
            kind = next(name for name, each in _ERRORS.items() if isinstance(error, each))
            answer: dict[str, Any] = {"error": kind, "message": str(error.args[0])}
        else:
            answer = {"value": value, "record": arguments.get("record", {})}
        print(json.dumps(answer), flush=True)


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    # Nobody waits for an answer any more, also where a database keeps this process waiting.
    os._exit(0)


def _called(store: RunStore, name: str, arguments: Mapping[str, Any]) -> Any:
    if name == "heads":
        return list(store.heads(Query(**arguments["query"])))
    value = getattr(store, name)(**arguments)
    return list(value) if isinstance(value, Iterator) else value


if __name__ == "__main__":
    serve()

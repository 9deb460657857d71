"""Pairs of runs that want one object of a store: `python -m tests.support.crossing FOLDER`."""

import sys
import threading
from collections.abc import Callable
from typing import Any

from tests.support.data import batches_of, request_for
from transforms.commit.expiration_writer import ExpirationWriter
from transforms.model import ExpirationResult, GreeksRequest, Trailer
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest
from transforms.sinks.base import OpenFile
from transforms.sinks.csv import CsvSink
from transforms.storage import files

SMALL, SEVERAL_PARTS = 10, 60_000


class HeldSink(CsvSink):
    """Does something right before it commits a file."""

    before: Callable[[], object] = staticmethod(lambda: None)

    def commit(self, file_handle: OpenFile, over: str | None = None) -> None:
        self.before()
        super().commit(file_handle, over)


def writer(folder: str, run_id: str) -> tuple[HeldSink, ExpirationWriter]:
    layout = Layout(folder, ".csv", run_id)
    sink = HeldSink(layout, "none")
    return sink, ExpirationWriter(sink, "live")


def send(to: ExpirationWriter, request: GreeksRequest, rows: int, results: list[Any]) -> None:
    batches = list(batches_of(request, rows))
    for batch in batches:
        to.write(request, batch)
    results.append(to.write(request, Trailer(len(batches), rows, 1)))


def crossing(folder: str, rows: int) -> list[str]:
    """Returns the outcome of two runs, one of which takes the other's entry before its commit."""
    request = request_for("2024-03-15")
    results: list[ExpirationResult] = []
    (first_sink, first), (second_sink, second) = (writer(folder, f"run-{n}") for n in range(2))
    looked, committed = threading.Event(), threading.Event()

    def let_the_second_look() -> None:
        other.start()
        assert looked.wait(60)

    def wait_for_the_first() -> None:
        looked.set()
        assert committed.wait(60)

    other = threading.Thread(target=send, args=(second, request, rows, results))
    first_sink.before, second_sink.before = let_the_second_look, wait_for_the_first
    send(first, request, rows, results)
    committed.set()
    other.join()
    return outcome(folder, request, results)


def together(folder: str, rows: int) -> list[str]:
    """Returns the outcome of two runs that begin at once."""
    request = request_for("2024-03-15")
    results: list[ExpirationResult] = []
    runs = [
        threading.Thread(target=send, args=(writer(folder, f"run-{n}")[1], request, rows, results))
        for n in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    return outcome(folder, request, results)


def outcome(folder: str, request: GreeksRequest, results: list[ExpirationResult]) -> list[str]:
    """Returns the results of the runs, after a look at what they have left."""
    layout = Layout(folder, ".csv", "run")
    entry = Manifest(layout.folder).entry_of(layout.path(request))
    whole = entry is not None and entry.state == "committed"
    assert whole, (entry, results)
    assert entry is not None
    assert entry.sha256 == files.sha256(layout.path(request))
    return sorted(each.status for each in results)


if __name__ == "__main__":
    for rows in (SMALL, SEVERAL_PARTS):
        print("crossing", *crossing(f"{sys.argv[1]}/crossing-{rows}", rows))
    for number in range(20):
        print("together", *together(f"{sys.argv[1]}/{number}", SMALL))

"""From streams of batches, each ended by a trailer, to whole files: what `WriteGreeks` does."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import pyarrow as pa

from transforms.commit.file_commit import FileCommit, failure_of, same
from transforms.model import (
    EMPTY,
    FAILED,
    INTERRUPTED,
    WITHDRAWN,
    WRITTEN,
    ExpirationResult,
    Failure,
    GreeksRequest,
    Item,
    Restart,
    Trailer,
    Withdrawn,
)
from transforms.model.row_groups import RowGroups
from transforms.model.trade_dates import missing, spans, within
from transforms.quality.check import QualityCheck
from transforms.quality.dates import TradeDates
from transforms.quality.gate import QualityGate
from transforms.sinks.base import ExpirationSink, OpenFile

if TYPE_CHECKING:
    from transforms.audit.derived import Derivation


class StreamError(RuntimeError):
    """The stream broke its own rules, so that no file could be trusted: the run must fail."""


@dataclass
class _Stream:
    """One expiration on its way to its file.

    Attributes:
        path: of that file.
        received: rows of its batches.
        rows: of them, those that the sink was given.
        dates: of those.
    """

    request: GreeksRequest
    path: str
    check: QualityCheck | None
    derivation: Optional["Derivation"]
    handle: OpenFile | None = None
    groups: RowGroups = field(default_factory=RowGroups)
    dates: TradeDates = field(default_factory=TradeDates)
    batches: int = 0
    received: int = 0
    rows: int = 0
    failure: Failure | None = None
    rows_by_second: Counter[int] = field(default_factory=Counter)


def derivation_of(request: GreeksRequest, generation: str) -> Optional["Derivation"]:
    """Returns what derives a request's Greeks, or None if it derives none.

    Args:
        request: of the rows.
        generation: of the API that they come from, `v2` or another.
    """
    if not request.derived:
        return None
    from transforms.audit.derived import Derivation  # the model takes 15 MiB

    return Derivation(request, generation)


class ExpirationWriter:
    """Writes each expiration to a temporary file, and commits it when its trailer comes.

    A trailer with a failure discards the file. So does a failure to write it: the rest of that
    stream is then passed over, and the run goes on. Rows are counted three times (by the trailer,
    as they are handed to the sink, and in the file), and a difference fails the expiration.

    Args:
        sink: the format.
        source: of the rows; see `GreeksRequest.origin`.
        handed_over: called with the rows as the sink takes them; see `Reporter.handed_over`.
        gate: whether rows are checked; findings above its limits fail the expiration.
    """

    def __init__(
        self,
        sink: ExpirationSink,
        source: str,
        handed_over: Callable[[GreeksRequest, int, int, int], None] = lambda *_: None,
        gate: QualityGate = QualityGate(),  # noqa: B008 -- frozen
    ) -> None:
        self._sink = sink
        self._handed_over = handed_over
        self._gate = gate
        self._files = FileCommit(sink, source)
        self._generation = source.rpartition(", ")[2]
        self._stream: _Stream | None = None

    def write(self, request: GreeksRequest, item: Item) -> ExpirationResult | None:
        """Takes the next item of a stream; returns the result when it ends with one.

        Raises:
            StreamError: the item belongs to another request than the one that is under way.
        """
        if isinstance(item, ExpirationResult) and self._stream is None:
            return item
        if self._stream is None:
            self._stream = self._begin(request)
        stream = self._stream
        if stream.request != request:
            self.discard()
            raise StreamError(
                f"a batch of {request} came while the stream of {stream.request} was under way: "
                "the runner does not keep fetch and write together. No file was written short; "
                "choose another --runner"
            )
        if isinstance(item, Trailer):
            self._stream = None
            return self._end(stream, item)
        if isinstance(item, Withdrawn):
            self._restart(stream)
            self._stream = None
            if item.terminal is not None:
                return ExpirationResult(
                    request, WITHDRAWN, failure=item.failure, withdrawn_from=item.terminal
                )
        elif isinstance(item, Restart):
            self._restart(stream)
        elif stream.failure is None:
            self._add(stream, item)
        return None

    def end(self) -> None:
        """Checks that the last stream has ended: no item will follow.

        Raises:
            StreamError: a stream is without its trailer.
        """
        if self._stream is not None:
            request = self._stream.request
            self.discard()
            raise StreamError(
                f"the stream of {request} ended without its trailer: its file was discarded"
            )

    def discard(self) -> None:
        """Throws away the file under way, if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None and stream.handle is not None:
            self._sink.discard(stream.handle)

    def _begin(self, request: GreeksRequest) -> _Stream:
        return _Stream(
            request,
            self._sink.layout.path(request),
            self._gate.begin(request),
            derivation_of(request, self._generation),
        )

    def _restart(self, stream: _Stream) -> None:
        handle = stream.handle if stream.failure is None else None
        self._stream = self._begin(stream.request)
        if handle is not None:
            self._sink.discard(handle)

    def _add(self, stream: _Stream, batch: pa.RecordBatch) -> None:
        stream.batches += 1
        stream.received += batch.num_rows
        stream.rows_by_second[int(time.time())] += batch.num_rows
        self._hand_over(stream, stream.groups.add(batch))
        size = stream.handle.file.bytes if stream.handle else 0
        self._handed_over(stream.request, batch.num_rows, stream.received, size)

    def _hand_over(self, stream: _Stream, groups: Iterator[pa.RecordBatch]) -> None:
        """Gives rows to the sink and to the check; an error fails the stream."""
        try:
            for rows in groups:
                if stream.handle is None:
                    stream.handle = self._sink.create(stream.path, stream.request.schema)
                full = rows if stream.derivation is None else stream.derivation.complete(rows)
                self._sink.write_record(stream.handle, full)
                stream.dates.add(rows)
                if stream.check is not None:
                    stream.check.add(rows)
                stream.rows += rows.num_rows
        except (OSError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
            self._fail(stream, error)

    def _fail(self, stream: _Stream, error: Exception) -> None:
        stream.failure = failure_of(error, stream.path)
        if stream.handle is not None:
            self._sink.discard(stream.handle)

    def _end(self, stream: _Stream, trailer: Trailer) -> ExpirationResult:
        received = time.monotonic()
        written = quality = None
        served = stream.request.served_dates
        with_rows = ""
        if stream.failure is None and trailer.failure is None and not trailer.interrupted:
            self._hand_over(stream, stream.groups.rest())
            with_rows = spans(stream.dates.found, served)
        failure = stream.failure or trailer.failure
        whole = failure is None and not trailer.interrupted
        if whole and stream.check is not None and stream.rows:
            lacking = missing(with_rows, served, provisional=trailer.provisional)
            found = stream.check.finish(within(lacking, served))
            failure = self._gate.failure(found)
            quality = found.describe()
        discard = failure is not None or trailer.interrupted
        if not discard:
            try:
                same("batches", fetched=trailer.batches, handed_over=stream.batches)
                same("rows", fetched=trailer.rows, handed_over=stream.rows)
                if stream.handle is not None:
                    written = self._files.commit(
                        stream.request,
                        stream.path,
                        stream.handle,
                        trailer,
                        stream.rows,
                        quality,
                        with_rows,
                    )
                elif served:  # else it is empty by rule, which nobody asks a Terminal
                    self._files.remember_empty(stream.request, stream.path, trailer)
            except (OSError, ValueError) as error:
                self._fail(stream, error)
                failure = stream.failure
        elif stream.handle is not None and stream.failure is None:
            self._sink.discard(stream.handle)

        status = WRITTEN if written else EMPTY
        if failure is not None:
            status = FAILED
        elif trailer.interrupted:
            status = INTERRUPTED
        seconds = trailer.seconds + time.monotonic() - received
        return ExpirationResult(
            request=stream.request,
            status=status,
            rows=written.rows if written else 0,
            bytes=written.bytes if written else 0,
            started=time.time() - seconds if trailer.requests or trailer.shared else None,
            seconds=seconds,
            requests=trailer.requests,
            waited=trailer.waited,
            provisional=trailer.provisional,
            dates_with_rows=with_rows if written else "",
            path=stream.path if written else None,
            failure=failure,
            quality=quality,
            rows_by_second=tuple(sorted(stream.rows_by_second.items())),
        )

"""FetchGreeks: from requests to streams of record batches, each ended by a trailer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import apache_beam as beam

from transforms.commit.file_commit import failure_of
from transforms.dispatch import SlotQueue, SlotWork, Terminal
from transforms.market import clock, sessions
from transforms.metrics.reporter import Reporter
from transforms.model import (
    ExpirationResult,
    Failure,
    GreeksRequest,
    Item,
    Restart,
    Trailer,
    Withdrawn,
)
from transforms.model.coders import Streamed
from transforms.output.layout import Layout
from transforms.output.manifest import result_of
from transforms.thetadata.client import BATCH_SIZE, ThetaClient
from transforms.thetadata.errors import AnswerChanged, Stopped, ThetaError
from transforms.workers.stop import NEVER, Stop

_RESTARTS = 3  # of a request whose answers change


def fetch(
    client: ThetaClient,
    request: GreeksRequest,
    batch_size: int = BATCH_SIZE,
    *,
    withdraw: Callable[[], bool] = lambda: False,
    now: Callable[[], datetime] = clock.now,
) -> Iterator[Item]:
    """Yields the request's record batches, then exactly one trailer, or that it is withdrawn.

    Where an answer changed between its pages, a `Restart` says that the
    batches before it must be thrown away, and the request begins again. Errors of the
    Terminal, and of the disk of shared trade dates, are in the trailer, and not raised: the other
    expirations go on.

    Args:
        client: where to fetch from.
        request: what to fetch.
        batch_size: the most rows in a batch.
        withdraw: called where the Terminal itself fails: whether another one gets the request.
        now: the time in New York, which determines provisional dates.
    """
    started = time.monotonic()
    sent, waited, shared = client.requests, client.waited, client.shared
    provisional = sessions.provisional(request, now())
    failure, interrupted, restarts = None, False, _RESTARTS
    while True:
        batches = rows = 0
        try:
            for batch in client.stream(request, batch_size):
                yield batch
                batches += 1
                rows += batch.num_rows
        except Stopped:
            interrupted = True
        except AnswerChanged as error:
            if restarts > 0:
                restarts -= 1
                yield Restart()
                continue
            failure = Failure.of(error)
        except ThetaError as error:
            if error.of_terminal and withdraw():
                yield Withdrawn(Failure.of(error))
                return
            failure = Failure.of(error)
        except OSError as error:
            failure = failure_of(error, "a trade date's temporary file")
        break
    yield Trailer(
        batches,
        rows,
        requests=client.requests - sent,
        shared=client.shared - shared,
        waited=client.waited - waited,
        seconds=time.monotonic() - started,
        failure=failure,
        interrupted=interrupted,
        provisional=provisional,
    )


@beam.typehints.with_input_types(SlotWork)
@beam.typehints.with_output_types(tuple[GreeksRequest, Streamed])
class _FetchFn(beam.DoFn):
    def __init__(
        self,
        batch_size: int,
        stop: Stop,
        listener: str | None,
        layout: Layout | None,
        queue: SlotQueue | None,
    ) -> None:
        self._batch_size = batch_size
        self._stop = stop
        self._listener = listener
        self._layout = layout
        self._queue = queue

    def setup(self) -> None:
        self._reporter = Reporter(self._listener)
        self._clients: dict[Terminal, ThetaClient] = {}

    def process(self, work: SlotWork) -> Iterator[tuple[GreeksRequest, Item]]:
        if self._queue is None:
            yield from self._as_dealt(work)
        else:
            yield from self._from(self._queue)

    def _from(self, queue: SlotQueue) -> Iterator[tuple[GreeksRequest, Item]]:
        while (taken := queue.take(self._stop.is_set)) is not None:
            request, terminal = taken
            try:
                yield from self._fetch(request, terminal, partial(queue.set_aside, *taken[::-1]))
            finally:
                queue.give_back(terminal)

    def _as_dealt(self, work: SlotWork) -> Iterator[tuple[GreeksRequest, Item]]:
        withdrawn: Withdrawn | None = None
        for request in work.requests:
            done = self._done(request)
            if done is None and self._stop.is_set():
                return
            if done is not None:
                yield request, done
            elif withdrawn is not None:
                yield request, withdrawn
            else:
                for item in self._fetch(request, work.terminal, lambda: work.withdraw):
                    if isinstance(item[1], Withdrawn):
                        withdrawn = replace(item[1], terminal=work.terminal.url)
                        yield request, withdrawn
                    else:
                        yield item

    def _done(self, request: GreeksRequest) -> ExpirationResult | None:
        """Returns the result of a request that this bundle completed before it was run again."""
        if self._layout is None:
            return None
        return result_of(request, self._layout)

    def _fetch(
        self, request: GreeksRequest, terminal: Terminal, withdraw: Callable[[], bool]
    ) -> Iterator[tuple[GreeksRequest, Item]]:
        client = self._clients.get(terminal)
        if client is None:
            client = terminal.client(
                self._stop,
                waiting=self._reporter.waiting,
                heard=self._reporter.heard,
                first_dates=self._queue.first_dates if self._queue else None,
                shared_answers=self._queue.shared_answers if self._queue else None,
            )
            self._clients[terminal] = client
        self._reporter.started(request)
        for item in fetch(client, request, self._batch_size, withdraw=withdraw):
            if isinstance(item, Withdrawn):
                self._reporter.withdrawn(item.failure.message)
            yield request, item

    def teardown(self) -> None:
        for client in self._clients.values():
            client.close()
        self._reporter.close()


class FetchGreeks(beam.PTransform):
    """Emits each request's rows in bounded batches, then its trailer.

    Takes a PCollection of `SlotWork` (see `transforms.dispatch.deal`); emits a PCollection of
    `(GreeksRequest, RecordBatch | Restart | Withdrawn | Trailer | ExpirationResult)`: for each
    request its batches, of 1 to `batch_size` rows of `schema_of(request.greeks)`, in the Terminal's
    order, then exactly one `Trailer`. A `Restart` among them takes back the batches before it. A
    result alone is of a request that this run had already ended when a bundle was run again.

    Where a Terminal fails (it is gone, or has lost ThetaData) and the `SlotWork` says `withdraw`, a
    `Withdrawn` ends the stream in place of the trailer, and stands alone for each request after it.

    Args:
        batch_size: the most rows in a batch, at least 1.
        stop: ends the fetching early; the streams under way end with an interrupted trailer.
        listener: the path of a Unix datagram socket that gets a message for each beginning and each
            wait (`transforms.metrics.reporter`); None sends none.
        layout: of the run, where a runner may run a bundle again, so that what it had committed is
            not fetched twice; None fetches all.
        queue: where all workers are threads of this process, a queue that they share
            (`transforms.dispatch.shared_queue`); None fetches as the elements were dealt.

    Attributes:
        queue: as given.
    """

    def __init__(
        self,
        batch_size: int = BATCH_SIZE,
        *,
        stop: Stop = NEVER,
        listener: str | None = None,
        layout: Layout | None = None,
        queue: SlotQueue | None = None,
    ) -> None:
        super().__init__()
        self.queue = queue
        self._fn = _FetchFn(batch_size, stop, listener, layout, queue)

    def expand(self, work: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return work | "FetchBatches" >> beam.ParDo(self._fn)

"""FetchGreeks: from requests to streams of record batches, each ended by a trailer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import apache_beam as beam

from transforms import dealing, sessions
from transforms.model import Failure, GreeksRequest, Item, Restart, Trailer
from transforms.stopping import Stop, StopSignal
from transforms.thetadata.client import BATCH_SIZE, ThetaClient
from transforms.thetadata.errors import AnswerChanged, Stopped, ThetaError
from transforms.thetadata.retry import RetryPolicy


@dataclass(frozen=True)
class Terminal:
    """How a worker reaches its Terminal.

    Attributes:
        url: its address, as seen from the worker.
        api: the generation that answers there, `v3` or `v2`.
        timeout: seconds without a byte after which an answer counts as broken.
        policy: how often, and how long, an answer is asked for again.
    """

    url: str
    api: str = "v3"
    timeout: float = 300.0
    policy: RetryPolicy = RetryPolicy()  # noqa: RUF009 -- frozen

    def client(self, stop: Stop) -> ThetaClient:
        """Returns a new client of this Terminal."""
        return ThetaClient(
            self.url, api=self.api, timeout=self.timeout, policy=self.policy, stop=stop
        )


def fetch(
    client: ThetaClient,
    request: GreeksRequest,
    batch_size: int = BATCH_SIZE,
    *,
    restarts: int = 3,
    now: Callable[[], datetime] = sessions.now,
) -> Iterator[Item]:
    """Yields the request's record batches, then exactly one trailer.

    Where the Terminal changed its mind in the middle of an answer, a `Restart` says that the
    batches before it must be thrown away, and the request begins again. What the Terminal can't
    give is told by the trailer, and raises nothing: the other expirations go on.

    Args:
        client: where to fetch from.
        request: what to fetch.
        batch_size: the most rows in a batch.
        restarts: how often the request may begin again.
        now: the time in New York, for what is provisional.
    """
    started = time.monotonic()
    sent, waited = client.requests, client.waited
    provisional = sessions.provisional(request, now())
    trailer = Trailer(0, 0)
    while True:
        batches = rows = 0
        try:
            for batch in client.stream(request, batch_size):
                yield batch
                batches += 1
                rows += batch.num_rows
        except Stopped:
            trailer = replace(trailer, interrupted=True)
        except AnswerChanged as error:
            if restarts > 0:
                restarts -= 1
                yield Restart()
                continue
            trailer = replace(trailer, failure=Failure.of(error))
        except ThetaError as error:
            trailer = replace(trailer, failure=Failure.of(error))
        break
    yield replace(
        trailer,
        batches=batches,
        rows=rows,
        requests=client.requests - sent,
        waited=client.waited - waited,
        seconds=time.monotonic() - started,
        provisional=provisional,
    )


@beam.typehints.with_input_types(GreeksRequest)
@beam.typehints.with_output_types(tuple[GreeksRequest, Item])
class _FetchFn(beam.DoFn):
    def __init__(self, terminal: Terminal, batch_size: int, stop: StopSignal) -> None:
        self._terminal = terminal
        self._batch_size = batch_size
        self._stop = stop

    def setup(self) -> None:
        self._client = self._terminal.client(self._stop)

    def process(self, request: GreeksRequest) -> Iterator[tuple[GreeksRequest, Item]]:
        for dealt in dealing.share(self._stop.path, request):
            for item in fetch(self._client, dealt, self._batch_size):
                yield dealt, item

    def teardown(self) -> None:
        self._client.close()


class FetchGreeks(beam.PTransform):
    """Emits each request's rows in bounded batches, then its trailer.

    Takes a PCollection of `GreeksRequest`; emits a PCollection of
    `(GreeksRequest, RecordBatch | Restart | Trailer)`: for each request its batches, of 1 to
    `batch_size` rows of `schema_of(request.greeks)`, in the Terminal's order, then exactly one
    `Trailer`. A `Restart` among them takes back the batches before it.

    Args:
        terminal: where to fetch from.
        batch_size: the most rows in a batch.
        stop: ends the fetching early; the streams under way end with an interrupted trailer.
    """

    def __init__(self, terminal: Terminal, stop: StopSignal, batch_size: int = BATCH_SIZE) -> None:
        super().__init__()
        self._terminal = terminal
        self._batch_size = batch_size
        self._stop = stop

    def expand(self, requests: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return requests | "FetchBatches" >> beam.ParDo(
            _FetchFn(self._terminal, self._batch_size, self._stop)
        )

"""FetchGreeks: from requests to streams of record batches, each ended by a trailer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.model import Failure, GreeksRequest, Trailer
from transforms.stopping import StopSignal
from transforms.thetadata.client import BATCH_SIZE, ThetaClient
from transforms.thetadata.errors import Stopped, ThetaError


@dataclass(frozen=True)
class Terminal:
    """How a worker reaches its Terminal.

    Attributes:
        url: its address, as seen from the worker.
        timeout: seconds without a byte after which an answer counts as broken.
    """

    url: str
    timeout: float = 300.0

    def client(self, stop: Callable[[], bool]) -> ThetaClient:
        """Returns a new client of this Terminal."""
        return ThetaClient(self.url, timeout=self.timeout, stop=stop)


def fetch(
    client: ThetaClient, request: GreeksRequest, batch_size: int = BATCH_SIZE
) -> Iterator[pa.RecordBatch | Trailer]:
    """Yields the request's record batches, then exactly one trailer.

    What the Terminal can't give is told by the trailer, and raises nothing: the other
    expirations go on.
    """
    started = time.monotonic()
    batches = rows = 0
    sent = client.requests
    failure: Failure | None = None
    interrupted = False
    try:
        for batch in client.stream(request, batch_size):
            yield batch
            batches += 1
            rows += batch.num_rows
    except Stopped:
        interrupted = True
    except ThetaError as error:
        failure = Failure.of(error)
    seconds = time.monotonic() - started
    yield Trailer(batches, rows, client.requests - sent, seconds, failure, interrupted)


@beam.typehints.with_input_types(GreeksRequest)
@beam.typehints.with_output_types(tuple[GreeksRequest, pa.RecordBatch | Trailer])
class _FetchFn(beam.DoFn):
    def __init__(self, terminal: Terminal, batch_size: int, stop: StopSignal) -> None:
        self._terminal = terminal
        self._batch_size = batch_size
        self._stop = stop

    def setup(self) -> None:
        self._client = self._terminal.client(self._stop.is_set)

    def process(
        self, request: GreeksRequest
    ) -> Iterator[tuple[GreeksRequest, pa.RecordBatch | Trailer]]:
        for item in fetch(self._client, request, self._batch_size):
            yield request, item

    def teardown(self) -> None:
        self._client.close()


class FetchGreeks(beam.PTransform):
    """Emits each request's rows in bounded batches, then its trailer.

    Takes a PCollection of `GreeksRequest`; emits a PCollection of
    `(GreeksRequest, RecordBatch | Trailer)`: for each request its batches, of 1 to `batch_size`
    rows of `schema_of(request.greeks)`, in the Terminal's order, then exactly one `Trailer`.

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

"""WriteGreeks: from streams of batches, each ended by a trailer, to whole files.

The work is done by `expiration_writer.ExpirationWriter`, which runs without Beam.
"""

from collections.abc import Iterator

import apache_beam as beam

from transforms.commit.expiration_writer import ExpirationWriter
from transforms.metrics.reporter import Reporter
from transforms.model import ExpirationResult, GreeksRequest, Item
from transforms.model.coders import Streamed
from transforms.quality.gate import QualityGate
from transforms.sinks.base import ExpirationSink


@beam.typehints.with_input_types(tuple[GreeksRequest, Streamed | Item])
@beam.typehints.with_output_types(ExpirationResult)
class _WriteFn(beam.DoFn):
    def __init__(
        self, sink: ExpirationSink, source: str, listener: str | None, gate: QualityGate
    ) -> None:
        self._sink = sink
        self._source = source
        self._listener = listener
        self._gate = gate

    def setup(self) -> None:
        self._reporter = Reporter(self._listener)

    def start_bundle(self) -> None:
        self._writer = ExpirationWriter(
            self._sink, self._source, self._reporter.handed_over, self._gate
        )

    def process(self, element: tuple[GreeksRequest, Item]) -> Iterator[ExpirationResult]:
        result = self._writer.write(*element)
        if result is not None:
            yield result

    def finish_bundle(self) -> None:
        self._writer.end()

    def teardown(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.discard()
        self._reporter.close()


class WriteGreeks(beam.PTransform):
    """Writes one file for each request, and emits its result as soon as the file is in place.

    Takes a PCollection of `(GreeksRequest, RecordBatch | Restart | Withdrawn | Trailer |
    ExpirationResult)` in which each request's items stand together and in order, its trailer last,
    as `FetchGreeks` emits them; emits a PCollection of `ExpirationResult`, one for each request. It
    must be fused with `FetchGreeks`: a stream that arrives in another order fails the run with
    `StreamError`, and leaves no short file.

    Args:
        sink: the format and the layout of the files.
        source: of the rows; see `GreeksRequest.origin`.
        listener: the path of a Unix datagram socket that gets a message as rows pass
            (`transforms.metrics.reporter`); None sends none.
        gate: which rows are findings, and how many of them fail an expiration; by default the
            rows are checked, and no finding fails one.

    Attributes:
        sink: as given.
        listener: as given.
    """

    def __init__(
        self,
        sink: ExpirationSink,
        source: str = "live",
        listener: str | None = None,
        gate: QualityGate = QualityGate(),  # noqa: B008 -- frozen
    ) -> None:
        super().__init__()
        self.sink, self.listener = sink, listener
        self._fn = _WriteFn(sink, source, listener, gate)

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return items | "WriteFiles" >> beam.ParDo(self._fn)

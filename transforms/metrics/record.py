"""Transforms that record results: Beam metrics, live messages, and the run summary."""

import json
from collections.abc import Iterable, Iterator

import apache_beam as beam

from transforms.metrics.reporter import Reporter
from transforms.metrics.summary import RunSummary
from transforms.model import ExpirationResult
from transforms.storage import files


@beam.typehints.with_input_types(ExpirationResult)
@beam.typehints.with_output_types(ExpirationResult)
class _RecordFn(beam.DoFn):
    def __init__(self, listener: str | None) -> None:
        self._listener = listener

    def setup(self) -> None:
        self._reporter = Reporter(self._listener)

    def process(self, result: ExpirationResult) -> Iterator[ExpirationResult]:
        self._reporter.ended(result)
        yield result

    def teardown(self) -> None:
        self._reporter.close()


class RecordResults(beam.PTransform):
    """Emits every `ExpirationResult` unchanged, and records it.

    The Beam metrics are those of `reporter.COUNTERS` and `reporter.DISTRIBUTIONS`; fetching and
    writing count those that grow while an expiration is under way.

    Args:
        listener: the path of a Unix datagram socket on this machine that is sent each result at
            once, or None.
    """

    def __init__(self, listener: str | None = None) -> None:
        super().__init__()
        self._listener = listener

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return results | "CountResults" >> beam.ParDo(_RecordFn(self._listener))


@beam.typehints.with_input_types(bytes, Iterable[ExpirationResult])
@beam.typehints.with_output_types(RunSummary)
class _SummarizeFn(beam.DoFn):
    """Adds the results up: a few hundred bytes for each file, and never a row."""

    def process(self, _once: bytes, results: Iterable[ExpirationResult]) -> Iterator[RunSummary]:
        yield RunSummary.of(list(results))


class SummarizeRun(beam.PTransform):
    """Emits exactly one `RunSummary` of a PCollection of `ExpirationResult`, even of none.

    The results are a side input of one element: a global combination with a summary of nothing
    takes thirteen transforms where this takes two, and a run waits for each at its beginning.
    """

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        once = results.pipeline | "Once" >> beam.Impulse()
        return once | "AddResults" >> beam.ParDo(_SummarizeFn(), beam.pvalue.AsIter(results))


@beam.typehints.with_input_types(RunSummary)
@beam.typehints.with_output_types(str)
class _EmitFn(beam.DoFn):
    def __init__(self, path: str) -> None:
        self._path = path

    def process(self, summary: RunSummary) -> Iterator[str]:
        # A copy of it, or a second text, would be megabytes where there are thousands of results.
        text = json.dumps(vars(summary))
        folder = self._path.rpartition("/")[0]
        files.write_bytes(self._path, text.encode(), "application/json", folder)
        yield text


class EmitRunSummary(beam.PTransform):
    """Emits the `RunSummary` as JSON text, and leaves it in a file for the launcher.

    Args:
        path: the file, on a file system that workers and launcher share.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, summaries: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return summaries | "WriteRunSummary" >> beam.ParDo(_EmitFn(self._path))

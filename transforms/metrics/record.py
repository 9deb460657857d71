"""Transforms that record results: Beam metrics, live messages, and the run summary."""

import json
from collections.abc import Iterable, Iterator

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.metrics.reporter import Reporter
from transforms.metrics.results_file import ResultsFile, read_results
from transforms.metrics.summary import RunSummary, Totals
from transforms.model import ExpirationResult
from transforms.storage import documents


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
        self._fn = _RecordFn(listener)

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return results | "CountResults" >> beam.ParDo(self._fn)


@beam.typehints.with_input_types(ExpirationResult)
@beam.typehints.with_output_types(Totals)
class _AddUpFn(beam.DoFn):
    """Adds up the results of a bundle, and puts them into a file."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder

    def start_bundle(self) -> None:
        self._totals = Totals()
        self._file = None if self._folder is None else ResultsFile(self._folder)

    def process(self, result: ExpirationResult) -> None:
        self._totals.add(result.describe(), result.rows_by_second)
        if self._file is None or not self._file.append(result.line):
            self._totals.lines.append(result.line)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        path = self._file.close() if self._file is not None else None
        if path is not None:
            self._totals.files.append(path)
        yield WindowedValue(self._totals, 0, [GlobalWindow()])


@beam.typehints.with_input_types(bytes, Iterable[Totals])
@beam.typehints.with_output_types(RunSummary)
class _SummarizeFn(beam.DoFn):
    def process(self, _once: bytes, of_bundles: Iterable[Totals]) -> Iterator[RunSummary]:
        totals = Totals()
        for each in of_bundles:
            totals.merge(each)
        yield totals.summary(read_results(totals.files))


class SummarizeRun(beam.PTransform):
    """Emits exactly one `RunSummary` of a PCollection of `ExpirationResult`, even of none.

    What the bundles come to is a side input of one element: a global combination with a summary of
    nothing takes thirteen transforms where this takes three, and a run waits for each at its
    beginning. No result waits for the last one, but on the disk.

    Args:
        folder: where each bundle leaves its results as they come, in a file of its own, on a file
            system that workers and launcher share; None keeps and lists all of them.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__()
        self._folder = folder

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        once = results.pipeline | "Once" >> beam.Impulse()
        totals = results | "AddUp" >> beam.ParDo(_AddUpFn(self._folder))
        return once | "AddTotals" >> beam.ParDo(_SummarizeFn(), beam.pvalue.AsIter(totals))


@beam.typehints.with_input_types(RunSummary)
@beam.typehints.with_output_types(str)
class _EmitFn(beam.DoFn):
    def __init__(self, path: str) -> None:
        self._path = path

    def process(self, summary: RunSummary) -> Iterator[str]:
        # A copy of it, or a second text, would be megabytes where there are thousands of results.
        text = json.dumps(vars(summary))
        folder = self._path.rpartition("/")[0]
        documents.write_bytes(self._path, text.encode(), "application/json", folder)
        yield text


class EmitRunSummary(beam.PTransform):
    """Emits the `RunSummary` as JSON text, and leaves it in a file for the launcher.

    Args:
        path: the file, on a file system that workers and launcher share.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._fn = _EmitFn(path)

    def expand(self, summaries: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return summaries | "WriteRunSummary" >> beam.ParDo(self._fn)

"""The graph, and nothing else."""

from collections.abc import Sequence

import apache_beam as beam

from transforms.fetch import FetchGreeks, Terminal
from transforms.metrics import EmitRunSummary, RecordResults, SummarizeRun
from transforms.model import GreeksRequest
from transforms.quality import Checking
from transforms.sinks import ExpirationSink
from transforms.stopping import StopSignal
from transforms.write import WriteGreeks


def build(
    root: beam.Pipeline,
    requests: Sequence[GreeksRequest],
    terminal: Terminal,
    sink: ExpirationSink,
    *,
    source: str,
    batch_size: int,
    stop: StopSignal,
    listener: str | None = None,
    checking: Checking = Checking(),  # noqa: B008 -- frozen
) -> beam.PCollection:
    """Adds the download to `root` and returns a PCollection of one run summary, as JSON text.

    Args:
        root: the pipeline.
        requests: what to fetch, in the order in which it is dealt to the workers.
        terminal: where to fetch it.
        sink: the format and layout of the files.
        source: `live` or `simulated`, for the manifest.
        batch_size: the most rows in a batch.
        stop: ends the fetching early.
        listener: a Unix datagram socket that is sent every result at once, or None.
        checking: what is looked for in the rows on their way.
    """
    return (
        root
        | "Create" >> beam.Create(requests)
        | "FetchGreeks" >> FetchGreeks(terminal, stop, batch_size)
        | "WriteGreeks" >> WriteGreeks(sink, source, checking)
        | "RecordResults" >> RecordResults(listener)
        | "SummarizeRun" >> SummarizeRun()
        | "EmitRunSummary" >> EmitRunSummary(sink.layout.summary)
    )

"""The graph, and nothing else."""

from collections.abc import Sequence

import apache_beam as beam

from transforms.dispatch import DealAgain, Terminal, deal, slots_of
from transforms.fetch import FetchGreeks
from transforms.metrics.record import EmitRunSummary, RecordResults, SummarizeRun
from transforms.model import GreeksRequest
from transforms.write import WriteGreeks


def build(
    root: beam.Pipeline,
    requests: Sequence[GreeksRequest],
    terminals: Sequence[Terminal],
    fetch: FetchGreeks,
    write: WriteGreeks,
    results: str | None = None,
) -> beam.PCollection:
    """Adds the download to `root` and returns a PCollection of one run summary, as JSON text.

    Args:
        root: the pipeline.
        requests: what to fetch, in the order in which it is dealt to the workers.
        terminals: where to fetch it; at least one.
        fetch: how. With a queue, it gives what a Terminal leaves to another one by itself.
        write: where the files, the progress messages and the summary go.
        results: the folder in which bundles leave their results (`SummarizeRun`).
    """
    again = len(terminals) > 1 and fetch.queue is None
    # Of 100,000 requests the elements would be 2 MB, of which Beam makes some twenty copies.
    work = deal(requests, terminals, withdraw=again) if fetch.queue is None else slots_of(terminals)
    ended = (
        root
        | "Create" >> beam.Create(work[: len(requests)])
        | "FetchGreeks" >> fetch
        | "WriteGreeks" >> write
    )
    if again:
        ended = ended | "DealAgain" >> DealAgain(requests, terminals, fetch, write)
    return (
        ended
        | "RecordResults" >> RecordResults(write.listener)
        | "SummarizeRun" >> SummarizeRun(results)
        | "EmitRunSummary" >> EmitRunSummary(write.sink.layout.summary)
    )

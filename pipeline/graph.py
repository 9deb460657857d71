"""The graph, and nothing else."""

from collections.abc import Sequence

import apache_beam as beam

from transforms.dispatch.terminals import Hand, Terminal, deal, deal_again
from transforms.fetch import WITHDRAWN, FetchGreeks
from transforms.metrics.record import EmitRunSummary, RecordResults, SummarizeRun
from transforms.model import GreeksRequest
from transforms.quality.check import Checking
from transforms.sinks.base import ExpirationSink
from transforms.workers.stop import StopSignal
from transforms.write import WriteGreeks


def build(
    root: beam.Pipeline,
    requests: Sequence[GreeksRequest],
    terminals: Sequence[Terminal],
    sink: ExpirationSink,
    *,
    source: str,
    batch_size: int,
    stop: StopSignal,
    listener: str | None = None,
    checking: Checking = Checking(),  # noqa: B008 -- frozen
    dealt_on_the_way: bool = False,
) -> beam.PCollection:
    """Adds the download to `root` and returns a PCollection of one run summary, as JSON text.

    Args:
        root: the pipeline.
        requests: what to fetch, in the order in which it is dealt to the workers.
        terminals: where to fetch it; at least one.
        sink: the format and layout of the files.
        source: `live` or `simulated`, for the manifest.
        batch_size: the most rows in a batch.
        stop: ends the fetching early.
        listener: a Unix datagram socket that is told how it goes, or None; see
            `transforms.metrics.reporter`.
        checking: what is looked for in the rows on their way.
        dealt_on_the_way: whether the requests are laid out for the workers (`dealing.laid_out`),
            who take whichever is next, at whichever Terminal is free; else each has its hand.
    """
    hands = root | "Create" >> beam.Create(deal(requests, terminals))
    layout = None if dealt_on_the_way else sink.layout
    again = not dealt_on_the_way and len(terminals) > 1
    results = []
    # Where a Terminal fails, what it leaves is dealt to the others once all have ended: until then
    # their slots are taken.
    for turn in range(len(terminals) if again else 1):
        name = f"After{turn}" if turn else ""
        withdrawing = again and turn < len(terminals) - 1
        fetched = hands | f"FetchGreeks{name}" >> FetchGreeks(
            stop, batch_size, listener, layout, withdrawing=withdrawing
        )
        if withdrawing:
            hands = fetched[WITHDRAWN] | f"DealAgain{name}" >> DealAgain(terminals)
            fetched = fetched["fetched"]
        results.append(
            fetched | f"WriteGreeks{name}" >> WriteGreeks(sink, source, listener, checking)
        )
    ended = results[0] if len(results) == 1 else results | "AllResults" >> beam.Flatten()
    return (
        ended
        | "RecordResults" >> RecordResults(listener)
        | "SummarizeRun" >> SummarizeRun()
        | "EmitRunSummary" >> EmitRunSummary(sink.layout.summary)
    )


class DealAgain(beam.PTransform):
    """Emits the hands of the Terminals that are left, once every fetch of the turn has ended.

    Takes a PCollection of `(GreeksRequest, url)`, the withdrawn requests and the Terminals that
    failed; emits a PCollection of `Hand`.

    Args:
        terminals: all of the run.
    """

    def __init__(self, terminals: Sequence[Terminal]) -> None:
        super().__init__()
        self._terminals = tuple(terminals)

    def expand(self, withdrawn: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return (
            withdrawn
            | "Gather" >> beam.combiners.ToList()
            | "Deal" >> beam.FlatMap(deal_again, self._terminals).with_output_types(Hand)
            | "Spread" >> beam.Reshuffle()
        )

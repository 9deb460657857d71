"""Gives the requests that a failed Terminal leaves to the other ones."""

from collections.abc import Iterable, Sequence

import apache_beam as beam

from transforms.dispatch.terminals import SlotWork, Terminal, deal
from transforms.model import WITHDRAWN, ExpirationResult


class DealAgain(beam.PTransform):
    """Emits one final result for each request: those withdrawn are fetched from other Terminals.

    Takes a PCollection of `ExpirationResult` in which requests may be `withdrawn`; emits a
    PCollection of `ExpirationResult` in which none is. What a turn leaves is dealt once every fetch
    of the turn has ended, since until then the other Terminals' slots are taken. There are as many
    turns as Terminals, the first fetch included; in the last one nothing is withdrawn, so that a
    request that no Terminal serves ends as failed.

    Args:
        terminals: all of the run; with fewer than two there is nothing to do.
        fetch: takes `SlotWork`, such as `FetchGreeks`.
        write: takes what `fetch` emits, such as `WriteGreeks`.
    """

    def __init__(
        self, terminals: Sequence[Terminal], fetch: beam.PTransform, write: beam.PTransform
    ) -> None:
        super().__init__()
        self._terminals = tuple(terminals)
        self._fetch = fetch
        self._write = write

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        ended = []
        turns = len(self._terminals) - 1
        for turn in range(1, turns + 1):
            ended.append(results | f"Final{turn}" >> beam.Filter(_is_final))
            work = (
                results
                | f"Withdrawn{turn}" >> beam.Filter(_is_withdrawn)
                | f"Gather{turn}" >> beam.combiners.ToList()
                | f"Deal{turn}"
                >> beam.FlatMap(
                    deal_again, self._terminals, withdraw=turn < turns
                ).with_output_types(SlotWork)
                | f"Spread{turn}" >> beam.Reshuffle()
            )
            fetched = work | f"FetchGreeks{turn}" >> self._fetch
            results = fetched | f"WriteGreeks{turn}" >> self._write
        return (*ended, results) | "AllResults" >> beam.Flatten()


def deal_again(
    withdrawn: Iterable[ExpirationResult], terminals: Sequence[Terminal], *, withdraw: bool
) -> list[SlotWork]:
    """Returns the work of the Terminals that are left.

    Args:
        withdrawn: the results of the requests to fetch, each with the address of the Terminal that
            failed.
        terminals: all of the run. Where all have failed, all are tried once more.
        withdraw: whether what they leave is dealt again.
    """
    left = sorted(withdrawn, key=lambda each: each.request.key)
    failed = {each.withdrawn_from for each in left}
    alive = [terminal for terminal in terminals if terminal.url not in failed]
    return deal([each.request for each in left], alive or terminals, withdraw=withdraw)


def _is_withdrawn(result: ExpirationResult) -> bool:
    return result.status == WITHDRAWN


def _is_final(result: ExpirationResult) -> bool:
    return result.status != WITHDRAWN

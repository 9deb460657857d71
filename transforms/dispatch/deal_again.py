"""Gives the requests that a failed Terminal leaves to the other ones."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import apache_beam as beam
import numpy as np

from transforms.dispatch.terminals import SlotWork, Terminal, deal
from transforms.model import WITHDRAWN, ExpirationResult, GreeksRequest
from transforms.model.requests import Selection


class Left(NamedTuple):
    """What failed Terminals left, in 8 bytes for each request.

    Attributes:
        marks: of the requests.
        failed: the addresses of the Terminals.
    """

    marks: "array[int]"
    failed: set[str]


@beam.typehints.with_input_types(ExpirationResult)
@beam.typehints.with_output_types(Left)
class GatherLeft(beam.CombineFn):
    """Gathers withdrawn results into one `Left`."""

    def create_accumulator(self) -> Left:
        """Returns one without a request."""
        return Left(array("Q"), set())

    def add_input(self, left: Left, result: ExpirationResult) -> Left:
        """Adds a result."""
        left.marks.append(_mark(result.request))
        left.failed.add(result.withdrawn_from or "")
        return left

    def merge_accumulators(self, accumulators: Iterable[Left]) -> Left:
        """Adds up several."""
        merged = self.create_accumulator()
        for each in accumulators:
            merged.marks.extend(each.marks)
            merged.failed.update(each.failed)
        return merged

    def extract_output(self, left: Left) -> Left:
        """Returns it."""
        return left


@beam.typehints.with_input_types(Left)
@beam.typehints.with_output_types(SlotWork)
class _DealFn(beam.DoFn):
    def __init__(
        self, requests: Sequence[GreeksRequest], terminals: Sequence[Terminal], withdraw: bool
    ) -> None:
        self._requests = requests
        self._terminals = terminals
        self._withdraw = withdraw

    def process(self, element: Left) -> Iterator[SlotWork]:
        yield from deal_again(element, self._requests, self._terminals, withdraw=self._withdraw)


class DealAgain(beam.PTransform):
    """Emits one final result for each request: those withdrawn are fetched from other Terminals.

    Takes a PCollection of `ExpirationResult` in which requests may be `withdrawn`; emits a
    PCollection of `ExpirationResult` in which none is. What a turn leaves is dealt once every fetch
    of the turn has ended, since until then the other Terminals' slots are taken. There are as many
    turns as Terminals, the first fetch included; in the last one nothing is withdrawn, so that a
    request that no Terminal serves ends as failed.

    Args:
        requests: all of the run.
        terminals: all of the run; with fewer than two there is nothing to do.
        fetch: takes `SlotWork`, such as `FetchGreeks`.
        write: takes what `fetch` emits, such as `WriteGreeks`.
    """

    def __init__(
        self,
        requests: Sequence[GreeksRequest],
        terminals: Sequence[Terminal],
        fetch: beam.PTransform,
        write: beam.PTransform,
    ) -> None:
        super().__init__()
        self._requests = requests
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
                | f"Gather{turn}" >> beam.CombineGlobally(GatherLeft())
                | f"Deal{turn}"
                >> beam.ParDo(_DealFn(self._requests, self._terminals, turn < turns))
                | f"Spread{turn}" >> beam.Reshuffle()
            )
            fetched = work | f"FetchGreeks{turn}" >> self._fetch
            results = fetched | f"WriteGreeks{turn}" >> self._write
        return (*ended, results) | "AllResults" >> beam.Flatten()


def deal_again(
    left: Left,
    requests: Sequence[GreeksRequest],
    terminals: Sequence[Terminal],
    *,
    withdraw: bool,
) -> list[SlotWork]:
    """Returns the work of the Terminals that are left.

    Args:
        left: the requests to fetch.
        requests: all of the run, among which they are.
        terminals: all of the run. Where all have failed, all are tried once more.
        withdraw: whether what they leave is dealt again.
    """
    if not left.marks:
        return []
    marks = np.fromiter(map(_mark, requests), np.uint64)
    places = np.flatnonzero(np.isin(marks, np.frombuffer(left.marks, np.uint64)))
    alive = [terminal for terminal in terminals if terminal.url not in left.failed]
    return deal(Selection(requests, places.tolist()), alive or terminals, withdraw=withdraw)


def _mark(request: GreeksRequest) -> int:
    """Returns a number that two of 100,000 requests share once in billions of runs."""
    digest = blake2b("\n".join(request.key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _is_withdrawn(result: ExpirationResult) -> bool:
    return result.status == WITHDRAWN


def _is_final(result: ExpirationResult) -> bool:
    return result.status != WITHDRAWN

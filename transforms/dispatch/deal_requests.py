"""Deals requests that come from another PCollection."""

from collections.abc import Iterable

import apache_beam as beam

from transforms.dispatch.terminals import SlotWork, Terminal, deal
from transforms.model import GreeksRequest


class DealRequests(beam.PTransform):
    """Emits what each slot of the Terminals fetches, once all requests are there.

    Takes a PCollection of `GreeksRequest`, bounded, each once; emits a PCollection of `SlotWork`
    for `FetchGreeks`, at most one for each slot, so that no more requests are outstanding than the
    Terminals allow, however many workers there are.

    Args:
        terminals: at least one; an address alone is a v3 Terminal with one slot.
    """

    def __init__(self, terminals: Iterable[Terminal | str]) -> None:
        super().__init__()
        self._terminals = tuple(
            Terminal(each) if isinstance(each, str) else each for each in terminals
        )
        if not self._terminals:
            raise ValueError("there is no Terminal to deal requests to")

    def expand(self, requests: beam.PCollection) -> beam.PCollection:
        """Adds the transform to the graph."""
        return (
            requests
            | "GatherRequests" >> beam.combiners.ToList()
            | "DealToSlots" >> beam.FlatMap(_dealt, self._terminals).with_output_types(SlotWork)
            | "SpreadSlots" >> beam.Reshuffle()
        )


def _dealt(requests: list[GreeksRequest], terminals: tuple[Terminal, ...]) -> list[SlotWork]:
    return deal(sorted(requests, key=lambda each: each.key), terminals)

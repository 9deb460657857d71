"""Terminals, their slots, and which requests each slot is dealt."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transforms.model import GreeksRequest
from transforms.model.requests import Selection
from transforms.thetadata.client import ThetaClient
from transforms.thetadata.csv_reader import BLOCK_BYTES
from transforms.thetadata.retry import RetryPolicy
from transforms.workers.stop import Stop

_FEW_SLOTS = 4


@dataclass(frozen=True)
class Terminal:
    """How a worker reaches a Terminal.

    Attributes:
        url: its address, as seen from the worker.
        api: the generation that answers there, `v3` or `v2`.
        timeout: seconds without a byte after which an answer counts as broken.
        policy: how often, and for how long, a request is retried.
        slots: how many requests may be outstanding there at once, at least 1.
    """

    url: str
    api: str = "v3"
    timeout: float = 300.0
    policy: RetryPolicy = RetryPolicy()  # noqa: RUF009 -- frozen
    slots: int = 1

    def client(self, stop: Stop, **more: Any) -> ThetaClient:
        """Returns a new client of this Terminal; `more` are further arguments of `ThetaClient`."""
        return ThetaClient(
            self.url,
            api=self.api,
            timeout=self.timeout,
            policy=self.policy,
            stop=stop,
            # Each worker holds a block: where there are many, the memory is the scarcer good.
            block_bytes=BLOCK_BYTES if self.slots <= _FEW_SLOTS else BLOCK_BYTES // 2,
            **more,
        )


@dataclass(frozen=True)
class SlotWork:
    """What one slot of a Terminal fetches: one worker takes all of it, request after request.

    As there is at most one for each slot, and no more than one worker has it, no more requests
    than allowed are outstanding at the Terminal, however many workers there are.

    Attributes:
        terminal: whose slot it is.
        slot: its number, from 0.
        requests: what to fetch, in this order, made as they are needed; at least one, but for none
            where a `SlotQueue` gives them.
        withdraw: whether the requests left by a failing Terminal go to another one; else each of
            them fails.
    """

    terminal: Terminal
    slot: int
    requests: Sequence[GreeksRequest]
    withdraw: bool = False


def deal(
    requests: Sequence[GreeksRequest], terminals: Iterable[Terminal], *, withdraw: bool = False
) -> list[SlotWork]:
    """Returns the work of all slots that get any request.

    Requests that come largest first are dealt there and back again, so that no slot has the larger
    one of each round.

    Args:
        requests: what to fetch.
        terminals: where; at least one if there is any request.
        withdraw: whether what a failing Terminal leaves is dealt again (`DealAgain`).
    """
    slots = slots_of(terminals)
    return [
        replace(
            slot,
            requests=Selection(requests, _share(place, slots, len(requests))),
            withdraw=withdraw,
        )
        for place, slot in enumerate(slots[: len(requests)])
    ]


def slots_of(terminals: Iterable[Terminal]) -> list[SlotWork]:
    """Returns every slot of some Terminals, without a request: the first ones of all come first."""
    slots = ((slot, terminal) for terminal in terminals for slot in range(terminal.slots))
    # By their number: a few requests are spread over all Terminals.
    ordered = sorted(slots, key=lambda pair: pair[0])
    return [SlotWork(terminal, slot, ()) for slot, terminal in ordered]


def _share(place: int, slots: Sequence[object], count: int) -> Iterator[int]:
    """Yields which of `count` requests the slot at a place gets, there and back again."""
    for start in range(0, count, 2 * len(slots)):
        yield from (n for n in (start + place, start + 2 * len(slots) - 1 - place) if n < count)

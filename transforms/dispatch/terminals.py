"""Terminals, their slots, and which requests each slot is dealt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.model import GreeksRequest
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
        policy: how often, and how long, an answer is asked for again.
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
class Hand:
    """What one slot of a Terminal is dealt: one worker fetches it, one request after the other.

    As there are no more hands than slots, and no more than one worker has one, no more requests
    than allowed are outstanding at the Terminal, however many workers there are.

    Attributes:
        terminal: whose slot it is.
        slot: its number, from 0.
        requests: what to fetch, in this order; at least one.
    """

    terminal: Terminal
    slot: int
    requests: tuple[GreeksRequest, ...]


def deal(requests: Sequence[GreeksRequest], terminals: Iterable[Terminal]) -> list[Hand]:
    """Returns the hands of all slots that get any request.

    Requests that come largest first are dealt there and back again, so that no slot has the larger
    one of each round.

    Args:
        requests: what to fetch.
        terminals: where; at least one if there is any request.
    """
    slots = [
        (terminal, slot)
        # By their number first: a few requests are spread over all Terminals.
        for slot, terminal in sorted(
            ((slot, terminal) for terminal in terminals for slot in range(terminal.slots)),
            key=lambda pair: pair[0],
        )
    ]
    dealt: list[list[GreeksRequest]] = [[] for _ in slots]
    for n, request in enumerate(requests):
        lap, place = divmod(n, len(slots))
        dealt[place if lap % 2 == 0 else len(slots) - 1 - place].append(request)
    return [
        Hand(terminal, slot, tuple(hand))
        for (terminal, slot), hand in zip(slots, dealt, strict=True)
        if hand
    ]


def deal_again(
    withdrawn: Iterable[tuple[GreeksRequest, str]], terminals: Sequence[Terminal]
) -> list[Hand]:
    """Returns the hands of what other Terminals are to fetch.

    Args:
        withdrawn: each request, and the address of the Terminal that failed.
        terminals: all of the run. Where all have failed, they are asked once more, for the reason.
    """
    pairs = sorted(withdrawn, key=lambda pair: pair[0].key)
    failed = {url for _, url in pairs}
    alive = [terminal for terminal in terminals if terminal.url not in failed]
    return deal([request for request, _ in pairs], alive or terminals)

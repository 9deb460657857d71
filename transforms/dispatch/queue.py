"""Gives the requests of a run to the threads of one process as they become free.

Beam's local runner deals elements to its workers beforehand, by position. Near expirations are many
times larger than far ones, so some workers would idle while others still have a row of requests to
go. Where all workers are threads of one process, they share a queue, and whichever is free takes
the next request. Everywhere else each slot fetches what it was dealt (`terminals.deal`).

Sound because that runner never runs a bundle twice: when one fails, the run fails.
"""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from transforms.dispatch.terminals import Terminal
from transforms.model import GreeksRequest
from transforms.thetadata.first_dates import FirstDates
from transforms.thetadata.shared_answers import SharedAnswers
from transforms.thetadata.shared_days import SharedDays

_LOOK_SECONDS = 0.1

_lock = threading.Lock()
_shared: dict[str, "SlotQueue"] = {}


class SlotQueue:
    """The requests that are left, made as they are taken, and the Terminals' free slots.

    Pickled, it stands for itself: within its process and the block of `shared_queue` it is
    unpickled as the very same queue, anywhere else that raises `LookupError`.

    Args:
        requests: in the order to take them.
        terminals: where to fetch them; at least one.
        shared_days: the trade dates that the requests share; None for none.

    Attributes:
        first_dates: what the clients of all threads know of expirations.
        shared_answers: of those trade dates, or None.
    """

    def __init__(
        self,
        requests: Iterable[GreeksRequest],
        terminals: Sequence[Terminal],
        shared_days: SharedDays | None = None,
    ) -> None:
        self._left = iter(requests)
        self._first: deque[GreeksRequest] = deque()
        self._free = {terminal: terminal.slots for terminal in terminals}
        self._changed = threading.Condition()
        self._name = uuid.uuid4().hex
        self.first_dates = FirstDates()
        self.shared_answers = None if shared_days is None else SharedAnswers(shared_days)

    def take(self, stopping: Callable[[], bool]) -> tuple[GreeksRequest, Terminal] | None:
        """Returns the next request, and the Terminal in a slot of which it is to be fetched.

        Waits for a free slot: there is always one, unless a Terminal was set aside. To be given
        back by `give_back`, whatever comes of it.

        Args:
            stopping: whether nothing is to be sent any more.

        Returns:
            None if no request is left, or nothing is to be sent any more.
        """
        with self._changed:
            while not stopping():
                if not self._first:
                    self._first.extend(islice(self._left, 1))
                if not self._first:
                    return None
                terminal = max(self._free, key=lambda each: self._free[each])
                if self._free[terminal] > 0:
                    self._free[terminal] -= 1
                    return self._first.popleft(), terminal
                self._changed.wait(_LOOK_SECONDS)
        return None

    def give_back(self, terminal: Terminal) -> None:
        """Frees the slot of a request that is done."""
        with self._changed:
            if terminal in self._free:
                self._free[terminal] += 1
                self._changed.notify()

    def set_aside(self, terminal: Terminal, request: GreeksRequest) -> bool:
        """Puts a request back for another Terminal, and sends nothing more to the failed one.

        Returns:
            False if there is no other Terminal: the request has failed.
        """
        with self._changed:
            if not self._free.keys() - {terminal}:
                return False
            self._free.pop(terminal, None)
            self._first.appendleft(request)
            return True

    def __reduce__(self) -> tuple[Callable[[str], "SlotQueue"], tuple[str]]:
        return _queue_named, (self._name,)


@contextmanager
def shared_queue(
    requests: Iterable[GreeksRequest],
    terminals: Sequence[Terminal],
    shared_days: SharedDays | None = None,
) -> Iterator[SlotQueue]:
    """Gives a queue that all threads of this process share while the block lasts.

    Args:
        requests: in the order to take them; those that the run's `SlotWork` holds.
        terminals: where to fetch them; at least one.
        shared_days: the trade dates that the requests share; None for none. Their answers are kept
            while the block lasts.
    """
    queue = SlotQueue(requests, terminals, shared_days)
    with _lock:
        _shared[queue._name] = queue
    try:
        yield queue
    finally:
        with _lock:
            del _shared[queue._name]
        if queue.shared_answers is not None:
            queue.shared_answers.close()


def _queue_named(name: str) -> SlotQueue:
    with _lock:
        if name not in _shared:
            raise LookupError(
                "a SlotQueue is shared by the threads of one process, and was unpickled in another "
                "or after its run: give FetchGreeks none there, and each slot fetches what it was "
                "dealt"
            )
        return _shared[name]

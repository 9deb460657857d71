"""Deals the requests of a run to the workers of one process as they become free.

Beam's local runner deals elements to its workers beforehand, by position. Near expirations are many
times larger than far ones, so some workers would idle while others still have a row of requests to
go. Where all workers are threads of the launcher's process, the launcher lays the requests out
here, and whoever is free takes the next one, whichever element called it. In any other process
nothing is laid out, and each hand is fetched as it was dealt (`transforms.dispatch.terminals`).

Sound because that runner never runs a bundle twice: when one fails, the run fails.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from transforms.dispatch.terminals import Terminal
from transforms.model import GreeksRequest

_LOOK_SECONDS = 0.1

_lock = threading.Lock()
_tables: dict[str, "Table"] = {}


class Table:
    """The requests that are left, and the Terminals' free slots.

    Args:
        requests: in the order to take them.
        terminals: where to fetch them; at least one.
    """

    def __init__(self, requests: Sequence[GreeksRequest], terminals: Sequence[Terminal]) -> None:
        self._left = deque(requests)
        self._free = {terminal: terminal.slots for terminal in terminals}
        self._changed = threading.Condition()

    def take(self, stopping: Callable[[], bool]) -> tuple[GreeksRequest, Terminal] | None:
        """Returns the next request, and the Terminal in a slot of which it is to be fetched.

        Waits for a free slot: there is always one, unless a Terminal was set aside. To be given
        back by `give_back`, whatever comes of it.

        Args:
            stopping: whether nothing will be sent any more, so that there is no need to wait.

        Returns:
            None if no request is left.
        """
        with self._changed:
            while self._left:
                terminal = max(self._free, key=lambda each: self._free[each])
                if self._free[terminal] > 0 or stopping():
                    self._free[terminal] -= 1
                    return self._left.popleft(), terminal
                self._changed.wait(_LOOK_SECONDS)
        return None

    def give_back(self, terminal: Terminal) -> None:
        """Frees the slot of a request that is done."""
        with self._changed:
            if terminal in self._free:
                self._free[terminal] += 1
                self._changed.notify()

    def set_aside(self, terminal: Terminal, request: GreeksRequest) -> bool:
        """Has a request fetched elsewhere, and nothing more sent to the Terminal that failed.

        Returns:
            False if there is no other Terminal: the request has failed.
        """
        with self._changed:
            if not self._free.keys() - {terminal}:
                return False
            self._free.pop(terminal, None)
            self._left.appendleft(request)
            return True


@contextmanager
def laid_out(
    run: str, requests: Sequence[GreeksRequest], terminals: Sequence[Terminal]
) -> Iterator[None]:
    """Lays the requests of a run out for this process's workers, in the order to take them.

    Args:
        run: a name that no other run has.
        requests: all that are also in the hands of the run's PCollection.
        terminals: where to fetch them.
    """
    with _lock:
        _tables[run] = Table(requests, terminals)
    try:
        yield
    finally:
        with _lock:
            del _tables[run]


def table_of(run: str) -> Table | None:
    """Returns what is laid out for a run in this process, or None."""
    with _lock:
        return _tables.get(run)

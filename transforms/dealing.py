"""Deals the requests of a run to the workers of one process as they become free.

Beam's local runner deals elements to its workers beforehand, by position. Near expirations are many
times larger than far ones, so some workers would idle while others still have a row of requests to
go. Where all workers are threads of the launcher's process, the launcher lays the requests out
here, and whoever is free takes the next one, whichever element called it. In any other process
nothing is laid out, and each element is its own request.

Sound because that runner never runs a bundle twice: when one fails, the run fails.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from transforms.model import GreeksRequest

_lock = threading.Lock()
_tables: dict[str, deque[GreeksRequest]] = {}


@contextmanager
def laid_out(run: str, requests: Sequence[GreeksRequest]) -> Iterator[None]:
    """Lays the requests of a run out for this process's workers, in the order to take them.

    Args:
        run: a name that no other run has.
        requests: all that will also be elements of the run's PCollection.
    """
    with _lock:
        _tables[run] = deque(requests)
    try:
        yield
    finally:
        with _lock:
            del _tables[run]


def share(run: str, request: GreeksRequest) -> Iterator[GreeksRequest]:
    """Yields the requests that the caller is to fetch, one when the one before is done.

    Args:
        run: as given to `laid_out`.
        request: the element that calls: it is all there is to do where nothing is laid out.
    """
    with _lock:
        table = _tables.get(run)
    if table is None:
        yield request
        return
    while True:
        try:
            dealt = table.popleft()
        except IndexError:
            return
        yield dealt

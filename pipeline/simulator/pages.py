"""The pages of long v2 answers that wait to be fetched."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.simulator.formats import Stretch
from pipeline.simulator.market.greeks import Query


@dataclass(frozen=True)
class Page:
    """A page of an answer, from which the following ones follow.

    Attributes:
        queries: what the answer is to, one after the other.
        as_csv: or as JSON.
        origin: the request that the answer is to, in its canonical form.
        rows: of the whole answer.
        first: the number of the page's first row in it, from 0.
    """

    queries: Sequence[Query]
    as_csv: bool
    origin: str
    rows: int
    first: int = 0


class Pages:
    """Pages by id. Ids count up, whatever the request. Safe for use by several threads.

    A page is dropped once nobody has fetched it for `expire` seconds after the answer that named
    it was sent, or after it was fetched last. (A real Terminal drops pages when many wait and the
    page is old; what counts as its beginning is not documented.)

    Args:
        expire: seconds.
        clock: seconds, from any beginning.
    """

    def __init__(self, expire: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._expire = expire
        self._clock = clock
        self._lock = threading.Lock()
        self._last_id = 0
        self._pages: dict[int, Page] = {}
        self._since: dict[int, float] = {}

    def add(self, page: Page) -> int:
        """Returns the id of a new page, which does not grow old yet: see `named_by`."""
        with self._lock:
            self._last_id += 1
            self._pages[self._last_id] = page
            return self._last_id

    def get(self, number: int) -> Page | None:
        """Returns a page, which is young again; or None if there is none, or none any more."""
        with self._lock:
            now = self._clock()
            for old in [n for n, since in self._since.items() if now - since > self._expire]:
                del self._since[old], self._pages[old]
            page = self._pages.get(number)
            if page is not None:
                self._since[number] = now
            return page

    def named_by(self, parts: Iterable[Stretch], number: int) -> Iterator[Stretch]:
        """Yields an answer that names a page; at its end, or if it breaks off, the page ages."""
        try:
            yield from parts
        finally:
            with self._lock:
                self._since[number] = self._clock()

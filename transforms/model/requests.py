"""The requests of a download, each made when it is looked at: 100,000 take no more room than 100.

```python
requests = RequestGrid([("SPXW", expiration)], days, reach=5, by_day=True)
late = Selection(requests, [n for n, each in enumerate(requests) if each.trade_dates[0] > day])
```
"""

from abc import abstractmethod
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, overload

import numpy as np

from transforms.model.request import GreeksRequest, Key


class Requests(Sequence[GreeksRequest]):
    """A sequence of requests that are made as they are needed; equal to any with the same ones."""

    @abstractmethod
    def _make(self, place: int) -> GreeksRequest:
        """Returns the request at a place from 0."""

    @overload
    def __getitem__(self, place: int) -> GreeksRequest: ...
    @overload
    def __getitem__(self, place: slice) -> "Selection": ...
    def __getitem__(self, place: int | slice) -> "GreeksRequest | Selection":
        places = range(len(self))[place]
        return Selection(self, places) if isinstance(places, range) else self._make(places)

    def __iter__(self) -> Iterator[GreeksRequest]:
        return map(self._make, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(GreeksRequest.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self[:1]))

    def __repr__(self) -> str:
        return f"<{len(self)} requests>"


class RequestGrid(Requests):
    """The requests of a plan: expirations, and the trade dates on which each is within reach.

    One that spans its trade dates is made for each expiration, in the order of expirations; or one
    for each trade date of each, day by day. Where there are several terms, there is one for each.

    Args:
        expirations: (symbol, expiration), each once.
        days: trade dates, ascending.
        reach: an expiration takes the trade dates at most so many calendar days before it; None
            for all.
        by_day: whether each trade date has a request of its own.
        terms: the rest of each request: interval, order of Greeks, parameters, derived Greeks; one
            request is made for each of them.
    """

    def __init__(
        self,
        expirations: Iterable[tuple[str, date]],
        days: Sequence[date],
        *,
        reach: int | None,
        by_day: bool,
        terms: Sequence[tuple[Any, ...]] = ((),),
    ) -> None:
        self._days = tuple(days)
        self._terms = tuple(terms)
        # The order of expirations is that of their first and of their last trade dates, too.
        spans = []
        for symbol, expiration in sorted(expirations, key=lambda pair: pair[::-1]):
            since = date.min if reach is None else expiration - timedelta(days=reach)
            first, end = bisect_left(self._days, since), bisect_right(self._days, expiration)
            if first < end:
                spans.append((symbol, expiration, first, end))
        self._spans = tuple(spans)
        # By trade date: the first expiration that has not ended, and how many requests come before.
        self._lows, self._before = array("I"), array("Q")
        if by_day:
            firsts, ends = [each[2] for each in spans], [each[3] for each in spans]
            numbers = range(len(self._days))
            self._lows.extend(bisect_right(ends, day) for day in numbers)
            counts = (bisect_right(firsts, day) - self._lows[day] for day in numbers)
            self._before.extend(accumulate(counts, initial=0))

    def __len__(self) -> int:
        files = self._before[-1] if self._before else len(self._spans)
        return files * len(self._terms)

    def _make(self, place: int) -> GreeksRequest:
        place, each = divmod(place, len(self._terms))
        terms = self._terms[each]
        if not self._before:
            symbol, expiration, first, end = self._spans[place]
            return GreeksRequest(symbol, expiration, self._days[first:end], *terms)
        day = bisect_right(self._before, place) - 1
        symbol, expiration, _, _ = self._spans[self._lows[day] + place - self._before[day]]
        return GreeksRequest(symbol, expiration, (self._days[day],), *terms)

    @property
    def expirations(self) -> int:
        """How many expirations have a request."""
        return len(self._spans)

    @property
    def symbols(self) -> set[str]:
        """The symbols that have a request."""
        return {symbol for symbol, *_ in self._spans}


class Selection(Requests):
    """Some requests of a sequence: four bytes for each, or none where they are a range.

    Args:
        of: the sequence.
        places: of those that are taken, in the order to take them.
    """

    def __init__(self, of: Sequence[GreeksRequest], places: Iterable[int]) -> None:
        self._of = of
        self._places = places if isinstance(places, range) else array("I", places)

    def __len__(self) -> int:
        return len(self._places)

    def _make(self, place: int) -> GreeksRequest:
        return self._of[self._places[place]]


class KeyMarks:
    """A number beside each of some requests, 0 at first, by its key: 13 bytes for each.

    Keys are known by their hash of 64 bits, of which two of 100,000 agree once in billions of runs.

    Args:
        requests: each once.
    """

    def __init__(self, requests: Sequence[GreeksRequest]) -> None:
        self._requests = requests
        hashes = np.fromiter((hash(each.key) for each in requests), np.int64)
        self._order = np.argsort(hashes).astype(np.uint32)
        self._hashes = hashes[self._order]
        self._marks = bytearray(len(requests))

    def fresh(self) -> "KeyMarks":
        """Returns the same requests, each with 0 beside it: at once, for nothing is made anew."""
        other = copy(self)
        other._marks = bytearray(len(self._marks))
        return other

    def __len__(self) -> int:
        return len(self._marks)

    def __getitem__(self, key: Key) -> int | None:
        """Returns the number beside a request, or None if it is not one of them."""
        place = self._place(key)
        return None if place is None else self._marks[place]

    def __setitem__(self, key: Key, number: int) -> None:
        """Changes the number beside a request.

        Raises:
            KeyError: it is not one of them.
        """
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        self._marks[place] = number

    def request(self, key: Key) -> GreeksRequest:
        """Returns a request.

        Raises:
            KeyError: it is not one of them.
        """
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        return self._requests[place]

    @property
    def left(self) -> int:
        """How many requests have 0 beside them."""
        return self._marks.count(0)

    def unmarked(self) -> Iterator[GreeksRequest]:
        """Yields the requests beside which there is 0, in their order."""
        return (self._requests[n] for n, mark in enumerate(self._marks) if not mark)

    def _place(self, key: Key) -> int | None:
        wanted = hash(key)
        place = int(self._hashes.searchsorted(wanted))
        found = place < len(self._hashes) and self._hashes[place] == wanted
        return int(self._order[place]) if found else None

"""Trade dates of which one answer feeds the files of every expiration.

ThetaData serves the end of day and open interest for all expirations at once (`*` in v3, 0 in v2),
a trade date at a time. Where several requests of a run need a trade date, the first worker that
needs it sends that one HTTP request, and leaves its rows on this machine's disk (`DayFile`). From
there each request takes its own, in the order and with the proof of an answer of its own. The file
goes once each has taken them.

An expiration that such an answer lacks is not taken for empty: the list of the contracts with
quotes on that trade date must lack it, too. Otherwise it is requested by itself.
"""

import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from transforms.market import clock, sessions
from transforms.model import GreeksRequest
from transforms.thetadata.day_file import DayFile, in_order
from transforms.thetadata.dialect import Part, parts_of
from transforms.thetadata.errors import AnswerChanged, NotServed, Stopped, ThetaError
from transforms.workers.stop import Stop

WORTH = 2
"""Requests that a shared one must replace, at least."""

_MOST_BYTES = 1 << 30
"""Of the files at once: beyond them, further trade dates are requested by expiration."""
_MOST_FAILURES = 3
"""Shared answers that failed, after which no further one is requested; and lists likewise."""
_RESTARTS = 3
_LOOK_SECONDS = 0.1


class Source(Protocol):
    """What a client does for others, too."""

    def blocks(self, request: GreeksRequest, part: Part) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one HTTP request for a part, in batches of any size."""

    def expirations_on(self, symbol: str, day: date) -> set[date]:
        """Returns the expirations of a symbol that have quotes on a trade date."""


@dataclass(slots=True, eq=False)
class _Day:
    """A trade date of some requests, and how far its answer is.

    Attributes:
        day: the trade date.
        month: that it is in.
        alone: requests that need it and no other trade date of its month.
        needing: the requests that need it.
        reach: the most calendar days from it to an expiration that is needed.
        begun: whether a worker has begun with it.
        ended: whether there will be no other file than `file`.
        file: of its rows, while somebody needs it.
        listed: the expirations that have quotes on it, once they were requested.
        served: the expirations of the requests that need its file no more.
    """

    day: date
    month: "_Month"
    alone: int = 0
    needing: int = 0
    reach: int = 0
    begun: bool = False
    ended: bool = False
    file: DayFile | None = None
    listed: set[date] | None = None
    served: set[date] = field(default_factory=set)

    @property
    def shared(self) -> bool:
        """Whether one answer is to serve all, which must replace enough requests."""
        return self.month.shared or self.alone >= WORTH


@dataclass(slots=True, eq=False)
class _Month:
    """The trade dates of a month that some requests of a symbol need.

    Attributes:
        request: one of them.
        days: by trade date.
        spanning: HTTP requests by expiration for several of them.
    """

    request: GreeksRequest
    days: dict[date, _Day] = field(default_factory=dict)
    spanning: int = 0

    @property
    def shared(self) -> bool:
        """Whether all its trade dates are shared, those that a request needs together, too."""
        alone = sum(each.alone for each in self.days.values())
        return self.spanning > 0 and self.spanning + alone >= WORTH * len(self.days)


class SharedDays:
    """Which trade dates of a run's requests are shared, and their rows; for any number of threads.

    A trade date is shared if `WORTH` requests need it and no other of its month; and all trade
    dates of a month are, if that takes no more than the `WORTH`th part of the requests by
    expiration. Not shared are trade dates that may still change, and those of requests with a
    `strike_range`: what lies around the money of each expiration is not documented.

    Args:
        requests: to begin with.
        now: the time in New York.

    Attributes:
        number: of the requests.
    """

    def __init__(
        self, requests: Iterable[GreeksRequest] = (), now: Callable[[], datetime] = clock.now
    ) -> None:
        self._now = now()
        self._months: dict[tuple[object, ...], _Month] = {}
        self._by_itself = 0
        self._ahead: deque[_Day] | None = None
        self._changed = threading.Condition()
        self._listing = threading.Lock()
        self._folder: Path | None = None
        self._files = self._bytes = self._failures = self._unlisted = 0
        for request in requests:
            self.add(request)

    def add(self, request: GreeksRequest) -> None:
        """Adds a request of the run, before the first one is fetched."""
        if not request.order.daily:
            self._by_itself += len(request.served_dates)
            return
        for part in parts_of(request):
            if not self._may_share(request, part):
                self._by_itself += 1
                continue
            month, days = self._month_of(request, part.first), _days(request, part)
            month.spanning += len(days) > 1
            for day in days:
                each = month.days.setdefault(day, _Day(day, month))
                each.needing += 1
                each.alone += len(days) == 1
                each.reach = max(each.reach, (request.expiration - day).days)

    def _month_of(self, request: GreeksRequest, day: date) -> _Month:
        key = _key(request, day)
        if key not in self._months:
            # Of its trade dates one will do: there may be thousands.
            self._months[key] = _Month(replace(request, trade_dates=(day,)))
        return self._months[key]

    @property
    def requests(self) -> int:
        """HTTP requests for all requests, if each shared answer has what is needed of it."""
        number = self._by_itself
        for month in self._months.values():
            number += 0 if month.shared else month.spanning
            number += sum(1 if each.shared else each.alone for each in month.days.values())
        return number

    def rows(
        self, request: GreeksRequest, part: Part, batch_size: int, source: Source, stop: Stop
    ) -> Iterator[pa.RecordBatch] | None:
        """Returns a part's rows from shared answers, which are fetched or waited for; or None.

        Args:
            request: that needs them.
            part: of the request.
            batch_size: the most rows of a batch.
            source: by which to request shared answers.
            stop: ends all waiting.

        Returns:
            None if the part is to be requested by itself.

        Raises:
            Stopped: `stop` was set.
            ThetaError: the Terminal itself fails.
            OSError: the disk is full, or broken.
        """
        if not self._may_share(request, part):
            return None
        month = self._months.get(_key(request, part.first))
        days = [month.days.get(day) for day in _days(request, part)] if month else []
        needed = [each for each in days if each is not None and each.shared]
        if len(needed) < max(len(days), 1) or (len(days) > 1 and month and not month.shared):
            return None
        if any(request.expiration in each.served for each in needed):
            return None  # a stream that begins again: others may not wait for it
        for each in needed:
            self._prepare(each, source, stop)
        files = [each.file for each in needed if each.file and request.expiration in each.file]
        found = None
        if all(self._is_known(each, request, source) for each in needed):
            found = in_order(files, request.expiration, batch_size)
        if found is None:
            self._served(request, needed)
            return None
        return self._read(request, needed, found, stop)

    def close(self) -> None:
        """Removes the files that are left."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _may_share(self, request: GreeksRequest, part: Part) -> bool:
        order = request.order
        return (
            order.daily
            and order.every_expiration
            and "strike_range" not in dict(request.parameters)
            and not sessions.may_change(order, part.last, self._now)
        )

    def _is_known(self, day: _Day, request: GreeksRequest, source: Source) -> bool:
        """Returns whether there are rows of a request on a day, or it is proven to have none."""
        if day.file is None or request.expiration in day.file:
            return day.file is not None
        with self._listing:
            if day.listed is None and self._unlisted < _MOST_FAILURES:
                try:
                    day.listed = source.expirations_on(request.symbol, day.day)
                except NotServed:
                    return False
                except Stopped:
                    raise
                except ThetaError:
                    self._unlisted += 1
            return day.listed is not None and request.expiration not in day.listed

    def _read(
        self,
        request: GreeksRequest,
        days: list[_Day],
        batches: Iterator[pa.RecordBatch],
        stop: Stop,
    ) -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                if stop.is_set():
                    raise Stopped("asked to stop")
                yield batch
        finally:
            self._served(request, days)

    def _served(self, request: GreeksRequest, days: list[_Day]) -> None:
        """Takes that a request needs some days no more, and removes the files that none needs."""
        with self._changed:
            for each in days:
                if each.file is None:
                    continue
                each.served.add(request.expiration)
                if len(each.served) >= each.needing:
                    each.file.path.unlink(missing_ok=True)
                    self._bytes -= each.file.bytes
                    each.file = each.listed = None
                    each.served.clear()

    def _prepare(self, wanted: _Day, source: Source, stop: Stop) -> None:
        """Fetches a day that nobody has begun with, or waits for it, and fetches another meanwhile.

        One other, so that no more than a day for each worker waits to be read.
        """
        idle = True
        while True:
            with self._changed:
                if wanted.ended:
                    return
                if stop.is_set():
                    raise Stopped("asked to stop")
                day = self._next(wanted, ahead=idle)
                if day is None:
                    self._changed.wait(_LOOK_SECONDS)
                    continue
                day.begun = True
            idle = idle and day is wanted
            try:
                self._fetch(day, source)
            except ThetaError as error:
                if day is wanted or isinstance(error, Stopped):
                    raise

    def _next(self, wanted: _Day, *, ahead: bool) -> _Day | None:
        if self._ahead is None:
            days = (each for month in self._months.values() for each in month.days.values())
            self._ahead = deque(each for each in days if each.shared)
        if not wanted.begun:
            return wanted
        while ahead and self._ahead:
            each = self._ahead.popleft()
            if not each.begun:
                return each
        return None

    def _fetch(self, day: _Day, source: Source) -> None:
        """Fetches a day; where that fails, its expirations are requested by themselves.

        Raises:
            Stopped: asked to stop.
            ThetaError: the Terminal itself fails, so that other requests would, too.
            OSError: the disk is full, or broken.
        """
        found = None
        try:
            if self._failures < _MOST_FAILURES and self._bytes < _MOST_BYTES:
                found = self._written(day, source)
        except OSError:
            self._failures += 1
            raise
        except ThetaError as error:
            if isinstance(error, Stopped) or error.of_terminal:
                raise
            self._failures += 1
        finally:
            with self._changed:
                day.file, day.ended = found, True
                self._bytes += found.bytes if found else 0
                self._changed.notify_all()

    def _written(self, day: _Day, source: Source) -> DayFile:
        with self._changed:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="greeks-days-"))
            self._files += 1
            path = self._folder / f"{self._files}.arrow"
        request, part = day.month.request, Part(day.day, day.day, reach=day.reach)
        # v2 has no bound, and a Terminal may not keep to v3's.
        schema, last = request.order.schema, day.day + timedelta(day.reach)
        restarts = _RESTARTS
        while True:
            try:
                return DayFile.write(path, schema, source.blocks(request, part), last)
            except AnswerChanged:
                restarts -= 1
                if restarts < 0:
                    raise


def _key(request: GreeksRequest, day: date) -> tuple[object, ...]:
    return request.greeks, request.symbol, request.parameters, day.year, day.month


def _days(request: GreeksRequest, part: Part) -> list[date]:
    return [day for day in request.served_dates if part.first <= day <= part.last]

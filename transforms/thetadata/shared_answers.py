"""Answers for trade dates that a run's requests share: fetched once, kept on disk, read by each.

The first worker that needs a shared trade date (`SharedDays`) sends one HTTP request for all its
expirations, and leaves the rows on this machine's disk (`DayFile`). From there each request takes
its own, in the order and with the proof of an answer of its own. The file goes once each has taken
them.

An expiration that such an answer lacks is not taken for empty: the list of the contracts with
quotes on that trade date must lack it, too. Otherwise it is requested by itself.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from transforms.model import GreeksRequest
from transforms.thetadata.day_file import DayFile, in_order
from transforms.thetadata.dialect import Part
from transforms.thetadata.errors import AnswerChanged, NotServed, Stopped, ThetaError
from transforms.thetadata.shared_days import SharedDay, SharedDays
from transforms.workers.stop import Stop

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


@dataclass(slots=True)
class _Answer:
    """The answer for a trade date, from when a worker has begun with it.

    Attributes:
        ended: whether there will be no other file than `file`.
        file: of its rows, while somebody needs it.
        listed: the expirations that have quotes on the trade date, once they were requested.
        served: the expirations of the requests that need the file no more.
    """

    ended: bool = False
    file: DayFile | None = None
    listed: set[date] | None = None
    served: set[date] = field(default_factory=set)


class SharedAnswers:
    """Gives requests their rows of shared trade dates, for any number of clients and threads.

    Args:
        days: the trade dates, once all requests are added.

    Attributes:
        days: as given.
    """

    def __init__(self, days: SharedDays) -> None:
        self.days = days
        self._ahead = iter(days)
        self._answers: dict[SharedDay, _Answer] = {}
        self._changed = threading.Condition()
        self._listing = threading.Lock()
        self._folder: Path | None = None
        self._files = self._bytes = self._failures = self._unlisted = 0

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
        days = self.days.of(request, part)
        if not days or any(self._was_served(each, request) for each in days):
            return None
        answers = [self._answer(each, source, stop) for each in days]
        files = [each.file for each in answers if each.file and request.expiration in each.file]
        found = None
        if all(map(partial(self._is_known, request, source), days, answers)):
            found = in_order(files, request.expiration, batch_size)
        if found is None:
            self._served(request, days)
            return None
        return self._read(request, days, found, stop)

    def close(self) -> None:
        """Removes the files that are left."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _was_served(self, day: SharedDay, request: GreeksRequest) -> bool:
        """Returns whether a request begins again: others may not wait for it with the file."""
        answer = self._answers.get(day)
        return answer is not None and request.expiration in answer.served

    def _is_known(
        self, request: GreeksRequest, source: Source, day: SharedDay, answer: _Answer
    ) -> bool:
        """Returns whether there are rows of a request on a day, or it is proven to have none."""
        if answer.file is None or request.expiration in answer.file:
            return answer.file is not None
        with self._listing:
            if answer.listed is None and self._unlisted < _MOST_FAILURES:
                try:
                    answer.listed = source.expirations_on(request.symbol, day.day)
                except NotServed:
                    return False
                except Stopped:
                    raise
                except ThetaError:
                    self._unlisted += 1
            return answer.listed is not None and request.expiration not in answer.listed

    def _read(
        self,
        request: GreeksRequest,
        days: Sequence[SharedDay],
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

    def _served(self, request: GreeksRequest, days: Sequence[SharedDay]) -> None:
        """Takes that a request needs some days no more, and removes the files that none needs."""
        with self._changed:
            for day in days:
                answer = self._answers[day]
                if answer.file is None:
                    continue
                answer.served.add(request.expiration)
                if len(answer.served) >= day.needing:
                    answer.file.path.unlink(missing_ok=True)
                    self._bytes -= answer.file.bytes
                    answer.file = answer.listed = None
                    answer.served.clear()

    def _answer(self, wanted: SharedDay, source: Source, stop: Stop) -> _Answer:
        """Fetches a day that nobody has begun with, or waits for it, and fetches another meanwhile.

        One other, so that no more than a day for each worker waits to be read.
        """
        idle = True
        while True:
            with self._changed:
                if (begun := self._answers.get(wanted)) is not None and begun.ended:
                    return begun
                if stop.is_set():
                    raise Stopped("asked to stop")
                day = wanted if begun is None else self._next() if idle else None
                if day is None:
                    self._changed.wait(_LOOK_SECONDS)
                    continue
                answer = self._answers[day] = _Answer()
            idle = idle and day is wanted
            try:
                self._fetch(day, answer, source)
            except ThetaError as error:
                if day is wanted or isinstance(error, Stopped):
                    raise

    def _next(self) -> SharedDay | None:
        """Returns the next day that nobody has begun with, or None if there is none."""
        return next((each for each in self._ahead if each not in self._answers), None)

    def _fetch(self, day: SharedDay, answer: _Answer, source: Source) -> None:
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
                answer.file, answer.ended = found, True
                self._bytes += found.bytes if found else 0
                self._changed.notify_all()

    def _written(self, day: SharedDay, source: Source) -> DayFile:
        with self._changed:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="greeks-days-"))
            self._files += 1
            path = self._folder / f"{self._files}.arrow"
        request, part = day.query
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

"""How far a run is: the messages of its workers, added up."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.history import Sizes, Workload
from pipeline.history.pace import Pace
from pipeline.progress.snapshot import Flight, Snapshot
from transforms.model import (
    EMPTY,
    FAILED,
    INTERRUPTED,
    STATUSES,
    WRITTEN,
    GreeksRequest,
    Key,
    key_of,
)
from transforms.model.requests import KeyMarks

_NOW_SECONDS, _TREND_SECONDS = 5.0, 60.0
_SILENT_SECONDS = 10.0  # less is the usual work of a Terminal
_LEARNT = 0.05  # the share of a run after which only its own pace counts
_DONE, _INTERRUPTED = 1, 2

_Sample = tuple[float, int, int, int]
"""A moment, and the rows, the bytes and the ended requests so far."""


@dataclass(frozen=True)
class _UnderWay:
    """A request under way, with the rows and bytes that it has so far."""

    request: GreeksRequest
    rows: int = 0
    bytes: int = 0


class Tally:
    """Adds up a run. Not safe for use by several threads at once.

    What remains is counted in requests and in rows, at the pace of those that are done. Each
    teaches how many rows another one will have, by its days to expiration; earlier runs show how
    the far ones compare with the near ones, and how long all will take before the first are done.

    Args:
        requests: all of the run.
        earlier: sizes learnt from earlier runs, if any.
        clock: returns seconds.
        began: when the run began, by the clock; None for now.
        thing: what a request makes, as a person reads it.
        timeout: seconds without a byte after which an answer counts as broken; 0 if unknown.
        seconds: that all will take by earlier runs, or None.
        keys: of the requests, where they are known.

    Attributes:
        sizes: that this run taught.
        pace: that this run taught.
    """

    def __init__(
        self,
        requests: Sequence[GreeksRequest],
        earlier: Sizes | None = None,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
        seconds: float | None = None,
        thing: str = "expiration",
        timeout: float = 0.0,
        keys: KeyMarks | None = None,
    ) -> None:
        self._thing, self._timeout = thing, timeout
        self._marks = keys.fresh() if keys is not None else KeyMarks(requests)
        self._left = Workload()
        expirations, orders = set(), set()
        for request in requests:
            self._left.add(request)
            expirations.add((request.symbol, request.expiration))
            orders.add(request.greeks)
        self._by_day = len(expirations) * len(orders) < len(requests)
        self._by_order = len(orders) > 1
        self._clock = clock
        now = clock()
        self._began = now if began is None else began
        self._fetched_since = now
        self._earlier = earlier or Sizes()
        self._foreseen = seconds
        self.sizes = Sizes()
        self.pace = Pace()
        self._in_flight: dict[Key, _UnderWay] = {}
        self._heard: dict[Key, float] = {}
        self._heard_of_any = False
        self._done = self._interrupted = self._failed = self._retries = 0
        self._rows = self._bytes = 0
        # Rows of the ended ones that earlier runs know, and what they had foreseen of them.
        self._found = self._predicted = 0.0
        self._trend: deque[_Sample] = deque([(now, 0, 0, 0)])
        self._remote: dict[str, int] = {}
        self._state = ""

    @property
    def ended(self) -> int:
        """How many requests have a result."""
        return self._done + self._interrupted

    @property
    def total(self) -> int:
        """How many requests there are."""
        return len(self._marks)

    def take(self, message: Mapping[str, Any]) -> bool:
        """Takes a message of a worker (`transforms.metrics.reporter`); returns whether it was news.

        Raises:
            KeyError, TypeError: it is no such message.
        """
        key = key_of(message)
        kind = message["kind"]
        if self._marks[key] != 0:
            return False
        self._heard[key] = self._clock()
        if kind == "started":
            if not self._heard_of_any:
                # Until then the runner began, at no pace.
                self._heard_of_any = True
                self._fetched_since = self._clock()
                self._trend = deque([(self._fetched_since, 0, 0, 0)])
            self._in_flight[key] = _UnderWay(self._marks.request(key))
        elif kind == "heard":
            pass
        elif kind == "rows":
            rows, size = int(message["rows"]), int(message["bytes"])
            self._in_flight[key] = _UnderWay(self._marks.request(key), rows, size)
        elif kind == "waiting":
            self._retries += 1
            self._heard[key] += float(message["seconds"])
        elif kind == "withdrawn":
            self._land(key)
        elif kind == "result" and message["status"] == INTERRUPTED:
            self._land(key)
            self._marks[key] = _INTERRUPTED
            self._interrupted += 1
        elif kind == "result":
            self._end(key, message)
        else:
            raise KeyError(kind)
        return True

    def _land(self, key: Key) -> None:
        self._in_flight.pop(key, None)
        self._heard.pop(key, None)

    def _end(self, key: Key, message: Mapping[str, Any]) -> None:
        status, rows, size = message["status"], int(message["rows"]), int(message["bytes"])
        request = self._marks.request(key)
        self._land(key)
        self._marks[key] = _DONE
        self._left.remove(request)
        self._done += 1
        self._rows += rows
        self._bytes += size
        self._failed += status == FAILED
        if status in (WRITTEN, EMPTY):
            self.sizes.learn_rows(request, rows)
            self.pace.learn(rows, float(message.get("seconds", 0.0)))
        if rows and (before := self._earlier.rows(request)):
            self._found += rows
            self._predicted += before

    def take_remote(self, state: str, counters: Mapping[str, int]) -> None:
        """Takes the state of a runner and its Beam counters, which count more than is heard."""
        self._state = state
        self._remote = dict(counters)

    def snapshot(self) -> Snapshot:
        """Returns how far the run is now."""
        now = self._clock()
        remote = self._remote
        ended = sum(remote.get(f"expirations_{s}", 0) for s in STATUSES if s != INTERRUPTED)
        done = max(self._done, ended)
        flying = self._in_flight.values()
        rows = self._rows + sum(each.rows for each in flying)
        rows = max(rows, remote.get("rows_handed_over", 0))
        size = self._bytes + sum(each.bytes for each in flying)
        size = max(size, remote.get("bytes", 0))
        self._trend.append((now, rows, size, done))
        while self._trend[1][0] < now - _TREND_SECONDS:
            self._trend.popleft()
        since, until = self._last(_NOW_SECONDS)
        seconds = now - self._began
        return Snapshot(
            seconds=seconds,
            done=done,
            total=self.total,
            rows=rows,
            bytes=size,
            # A file that was discarded takes its rows back: no speed is below 0.
            rows_now=_speed(until[1] - since[1], until[0] - since[0]),
            rows_average=rows / seconds if seconds else 0.0,
            bytes_now=_speed(until[2] - since[2], until[0] - since[0]),
            remaining=self._remaining(now),
            in_flight=tuple(self._flight(key, now) for key in self._in_flight),
            retries=max(self._retries, remote.get("retries", 0)),
            failed=max(self._failed, remote.get("expirations_failed", 0)),
            state=self._state,
            thing=self._thing,
            timeout=self._timeout,
        )

    def _flight(self, key: Key, now: float) -> Flight:
        silent = now - self._heard[key]
        rows = self._in_flight[key].rows
        return Flight(self.name(key), rows, silent if silent >= _SILENT_SECONDS else 0.0)

    def name(self, key: Key) -> str:
        """Returns an expiration as it is shown, with what distinguishes it from the others."""
        symbol, expiration, first, last, greeks = key
        day = f" on {first}" if self._by_day and first == last else ""
        return f"{symbol} {expiration}{day}{f' {greeks}' * self._by_order}"

    def _last(self, span: float) -> tuple[_Sample, _Sample]:
        """Returns the samples just before the last `span` seconds, and now."""
        end = self._trend[-1]
        before = (each for each in reversed(self._trend) if each[0] <= end[0] - span)
        return next(before, self._trend[0]), end

    def _remaining(self, now: float) -> float | None:
        foreseen = None
        if self._foreseen is not None and (ahead := self._foreseen - now + self._fetched_since) > 0:
            foreseen = ahead
        rows = self._rows_left()
        if rows is None:
            return foreseen
        if not self._left.number:
            return 0.0
        since, until = self._last(_TREND_SECONDS)
        cost, left = self.pace.cost, self.pace.cost(self._left.number, rows)
        speed = _speed(cost(until[3] - since[3], until[1] - since[1]), until[0] - since[0])
        if not speed:
            return foreseen
        if foreseen is None:
            return left / speed
        # A few results say little, and by then earlier runs say more.
        done = cost(self._done, until[1])
        own = min(1.0, done / (done + left) / _LEARNT)
        return own * left / speed + (1 - own) * foreseen

    def _rows_left(self) -> float | None:
        """Returns the rows that are still to come, or None if nobody knows."""
        scale = self._found / self._predicted if self._predicted else 1.0
        rows = self._left.rows(self._earlier, self.sizes, scale)
        if rows is None:
            return None
        for each in self._in_flight.values():
            known = self._earlier.rows(each.request)
            expected = known * scale if known is not None else self.sizes.rows(each.request)
            rows -= min(each.rows, expected or 0.0)
        return max(rows, 0.0)


def _speed(amount: float, seconds: float) -> float:
    return max(0.0, amount / seconds) if seconds > 0 else 0.0

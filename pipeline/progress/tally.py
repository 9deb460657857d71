"""How far a run is: the messages of its workers, added up."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipeline.history import Sizes
from pipeline.progress.snapshot import Flight, Snapshot
from transforms.model import FAILED, INTERRUPTED, STATUSES, WRITTEN, GreeksRequest, Key, key_of

_NOW_SECONDS, _TREND_SECONDS = 5.0, 60.0
_SILENT_SECONDS = 10.0  # less is the usual work of a Terminal
_SHARE = 0.01  # of the time that may be spent on expecting


class Tally:
    """Adds up a run. Not safe for use by several threads at once.

    What remains is counted in rows: each expiration that is done teaches how many another one will
    have, by its days to expiration; earlier runs show how the far ones compare with the near ones.

    Args:
        requests: all of the run.
        earlier: sizes learnt from earlier runs, if any.
        clock: returns seconds.
        began: when the run began, by the clock; None for now.
        thing: what a request makes, as a person reads it.
        timeout: seconds without a byte after which an answer counts as broken; 0 if unknown.
    """

    def __init__(
        self,
        requests: Iterable[GreeksRequest],
        earlier: Sizes | None = None,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
        thing: str = "expiration",
        timeout: float = 0.0,
    ) -> None:
        self._thing, self._timeout = thing, timeout
        self._requests: dict[Key, GreeksRequest] = {each.key: each for each in requests}
        expirations = {key[:2] for key in self._requests}
        self._by_day = len(expirations) < len(self._requests)
        self._clock = clock
        now = clock()
        self._began = now if began is None else began
        self._earlier = earlier or Sizes()
        self._sizes = Sizes()
        self._in_flight: dict[Key, tuple[int, int]] = {}
        self._heard: dict[Key, float] = {}
        self._done: dict[Key, tuple[int, int]] = {}
        self._interrupted: set[Key] = set()
        self._failed = 0
        self._retries = 0
        self._trend: deque[tuple[float, int, int]] = deque([(now, 0, 0)])
        self._expected: dict[Key, float] | None = None
        self._expected_of = -1
        self._expect_at = now
        self._remote: dict[str, int] = {}
        self._state = ""

    def take(self, message: Mapping[str, Any]) -> bool:
        """Takes a message of a worker (`transforms.metrics.reporter`); returns whether it was news.

        Raises:
            KeyError, TypeError: it is no such message.
        """
        key = key_of(message)
        kind = message["kind"]
        if key not in self._requests or key in self._done or key in self._interrupted:
            return False
        self._heard[key] = self._clock()
        if kind == "started":
            self._in_flight[key] = (0, 0)
        elif kind == "heard":
            pass
        elif kind == "rows":
            self._in_flight[key] = (int(message["rows"]), int(message["bytes"]))
        elif kind == "waiting":
            self._retries += 1
            self._heard[key] += float(message["seconds"])
        elif kind == "withdrawn":
            self._land(key)
        elif kind == "result" and message["status"] == INTERRUPTED:
            self._land(key)
            self._interrupted.add(key)
        elif kind == "result":
            self._land(key)
            self._done[key] = (int(message["rows"]), int(message["bytes"]))
            self._failed += message["status"] == FAILED
            if message["status"] == WRITTEN:
                self._sizes.learn_rows(self._requests[key], message["rows"])
        else:
            raise KeyError(kind)
        return True

    def _land(self, key: Key) -> None:
        self._in_flight.pop(key, None)
        self._heard.pop(key, None)

    def take_remote(self, state: str, counters: Mapping[str, int]) -> None:
        """Takes the state of a runner and its Beam counters, which count more than is heard."""
        self._state = state
        self._remote = dict(counters)

    def snapshot(self) -> Snapshot:
        """Returns how far the run is now."""
        now = self._clock()
        remote = self._remote
        ended = sum(remote.get(f"expirations_{s}", 0) for s in STATUSES if s != INTERRUPTED)
        flying = self._in_flight.values()
        rows = sum(r for r, _ in self._done.values()) + sum(r for r, _ in flying)
        rows = max(rows, remote.get("rows_handed_over", 0))
        size = sum(b for _, b in self._done.values()) + sum(b for _, b in flying)
        size = max(size, remote.get("bytes", 0))
        self._trend.append((now, rows, size))
        while self._trend[1][0] < now - _TREND_SECONDS:
            self._trend.popleft()
        rows_now, bytes_now = self._speeds(_NOW_SECONDS)
        seconds = now - self._began
        return Snapshot(
            seconds=seconds,
            done=max(len(self._done), ended),
            total=len(self._requests),
            rows=rows,
            bytes=size,
            rows_now=rows_now,
            rows_average=rows / seconds if seconds else 0.0,
            bytes_now=bytes_now,
            remaining=self._remaining(),
            in_flight=tuple(self._flight(key, now) for key in self._in_flight),
            retries=max(self._retries, remote.get("retries", 0)),
            failed=max(self._failed, remote.get("expirations_failed", 0)),
            state=self._state,
            thing=self._thing,
            timeout=self._timeout,
        )

    def _flight(self, key: Key, now: float) -> Flight:
        silent = now - self._heard[key]
        rows, _ = self._in_flight[key]
        return Flight(self._name(key), rows, silent if silent >= _SILENT_SECONDS else 0.0)

    def _name(self, key: Key) -> str:
        """An expiration as it is shown, with its trade date where several days are under way."""
        symbol, expiration, first, last = key
        return f"{symbol} {expiration}" + (f" on {first}" if self._by_day and first == last else "")

    def _speeds(self, span: float) -> tuple[float, float]:
        """Returns rows and bytes per second over the last `span` seconds."""
        end, rows, size = self._trend[-1]
        # A sample just before the span, so that the span is whole.
        start, rows_then, size_then = next(
            (each for each in reversed(self._trend) if each[0] <= end - span), self._trend[0]
        )
        if end <= start:
            return 0.0, 0.0
        # A file that was discarded takes its rows back: no speed is below 0.
        return (
            max(0.0, (rows - rows_then) / (end - start)),
            max(0.0, (size - size_then) / (end - start)),
        )

    def _remaining(self) -> float | None:
        left = self._rows_left()
        if left is None:
            return None
        speed, _ = self._speeds(_TREND_SECONDS)
        if left == 0:
            return 0.0
        return left / speed if speed else None

    def _rows_left(self) -> float | None:
        expected = self._expect()
        if expected is None:
            return None
        return sum(
            max(rows - self._in_flight.get(key, (0, 0))[0], 0.0)
            for key, rows in expected.items()
            if key not in self._done
        )

    def _expect(self) -> dict[Key, float] | None:
        """Returns the rows of each request that was not done a moment ago, None if unknown.

        Of thousands of requests that takes milliseconds: then it is not done whenever one ends.
        """
        began = self._clock()
        if self._expected_of != len(self._done) and began >= self._expect_at:
            self._expected_of = len(self._done)
            self._expected = self._expect_again()
            self._expect_at = began + (self._clock() - began) / _SHARE
        return self._expected

    def _expect_again(self) -> dict[Key, float] | None:
        expected = {}
        scale = self._scale()
        for key, request in self._requests.items():
            if key in self._done:
                continue
            before = self._earlier.rows(request)
            rows = before * scale if before is not None else self._sizes.rows(request)
            if rows is None:
                return None
            expected[key] = rows
        return expected

    def _scale(self) -> float:
        """Returns the rows of ended expirations over those that earlier runs predicted."""
        pairs = [
            (rows, before)
            for key, (rows, _) in self._done.items()
            if rows and (before := self._earlier.rows(self._requests[key]))
        ]
        wanted = sum(before for _, before in pairs)
        return sum(rows for rows, _ in pairs) / wanted if wanted else 1.0

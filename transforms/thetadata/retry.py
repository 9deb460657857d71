"""When to ask again: bounded in attempts and in time, with backoff, jitter and Retry-After."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from transforms.thetadata.errors import Stopped, ThetaError

_STOP_POLL_SECONDS = 0.1
_MOST_DOUBLINGS = 64  # of a wait: longer than any run


@dataclass(frozen=True)
class RetryPolicy:
    """The bounds of asking again.

    The n-th wait is `backoff * 2 ** (n - 1)` seconds, at most `longest_wait`, plus a random share
    of `jitter`; where the Terminal says Retry-After, that is the least.

    Attributes:
        attempts: the most times one answer is asked for without coming any further, the first one
            included.
        seconds: the most time for one answer, from the first request; no wait begins that would
            end after it. An answer that comes without a break may take longer, but each 64 KiB of
            it is waited for no longer than this, or than the timeout.
        backoff: seconds of the first wait.
        jitter: the most seconds that chance adds to a wait.
        longest_wait: the most seconds of one wait, but for jitter and Retry-After.
    """

    attempts: int = 8
    seconds: float = 900.0
    backoff: float = 0.25
    jitter: float = 0.25
    longest_wait: float = 30.0


class Attempts:
    """The attempts at one answer, made by somebody who can't be called again: a generator.

    Args:
        policy: their bounds.
        stop: asked while waiting; once it returns True, the wait ends with `Stopped`.
        sleep: waits for some seconds.
        waiting: called before each wait with its reason and its seconds.

    Attributes:
        waited: seconds waited so far.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        stop: Callable[[], bool],
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[ThetaError, float], None] = lambda _error, _seconds: None,
    ) -> None:
        self._policy = policy
        self._stop = stop
        self._waiting = waiting
        self._sleep = sleep
        self._started = time.monotonic()
        self._failures = 0
        self.waited = 0.0

    def progressed(self) -> None:
        """Says that the last attempt came further: the next ones are counted from the first again.

        The bound in time stays: an answer of many pages may break as often as it has pages.
        """
        self._failures = 0

    def failed(self, error: ThetaError) -> None:
        """Waits until the answer may be asked for again.

        Raises:
            ThetaError: `error` itself, if it is final or the bounds are reached.
            Stopped: the caller asked to stop.
        """
        self._failures += 1
        seconds = self._next_wait(error)
        late = time.monotonic() - self._started + seconds >= self._policy.seconds
        if late or not error.retryable or self._failures >= self._policy.attempts:
            raise error
        self._waiting(error, seconds)
        left = seconds
        while left > 0:
            if self._stop():
                raise Stopped("asked to stop")
            nap = min(left, _STOP_POLL_SECONDS)
            self._sleep(nap)
            left -= nap
        self.waited += seconds

    def _next_wait(self, error: ThetaError) -> float:
        policy = self._policy
        doubled = policy.backoff * 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS)
        chance = random.uniform(0, policy.jitter)  # noqa: S311 -- spreads requests, and guards nothing
        return max(min(doubled, policy.longest_wait) + chance, error.retry_after or 0.0)

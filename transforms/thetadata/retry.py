"""When to ask again: bounded in attempts and in time, with backoff, jitter and Retry-After."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import tenacity

from transforms.thetadata.errors import Stopped, ThetaError

_STOP_POLL_SECONDS = 0.1


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
        waiting: Callable[[ThetaError, float], None] = lambda error, seconds: None,
    ) -> None:
        self._policy = policy
        self._stop = stop
        self._waiting = waiting
        self._sleep = sleep
        self._started = time.monotonic()
        self._rounds: Iterator[tenacity.AttemptManager] | None = None
        self.waited = 0.0

    def progressed(self) -> None:
        """Says that the last attempt came further: the next ones are counted from the first again.

        The bound in time stays: an answer of many pages may break as often as it has pages.
        """
        self._rounds = None

    def failed(self, error: ThetaError) -> None:
        """Waits until the answer may be asked for again.

        Raises:
            ThetaError: `error` itself, if it is final or the bounds are reached.
            Stopped: the caller asked to stop.
        """
        if self._rounds is None:
            self._rounds = iter(self._retrying())
            self._attempt = next(self._rounds)
        with self._attempt:
            _raise(error)
        # It sleeps, or raises the error where the bounds are reached.
        self._attempt = next(self._rounds)

    def _retrying(self) -> tenacity.Retrying:
        policy = self._policy
        enough = tenacity.stop_after_attempt(policy.attempts)
        backoff = tenacity.wait_exponential(
            policy.backoff, policy.longest_wait
        ) + tenacity.wait_random(0, policy.jitter)
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_retryable),
            wait=lambda state: max(backoff(state), _retry_after(state)),
            stop=lambda state: enough(state) or self._too_late(state),
            before_sleep=self._announce,
            sleep=self._nap,
            reraise=True,
        )

    def _too_late(self, state: tenacity.RetryCallState) -> bool:
        return time.monotonic() - self._started + state.upcoming_sleep >= self._policy.seconds

    def _announce(self, state: tenacity.RetryCallState) -> None:
        error = _error_of(state)
        assert error is not None  # noqa: S101 -- nothing else is retried
        self._waiting(error, state.upcoming_sleep)

    def _nap(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            if self._stop():
                raise Stopped("asked to stop")
            nap = min(left, _STOP_POLL_SECONDS)
            self._sleep(nap)
            left -= nap
        self.waited += seconds


def _raise(error: ThetaError) -> None:
    raise error


def _retryable(error: BaseException) -> bool:
    return isinstance(error, ThetaError) and error.retryable


def _error_of(state: tenacity.RetryCallState) -> ThetaError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ThetaError) else None


def _retry_after(state: tenacity.RetryCallState) -> float:
    error = _error_of(state)
    return (error.retry_after or 0.0) if error else 0.0

import pytest

from transforms.thetadata import BrokenResponse, RetryPolicy, StatusError
from transforms.thetadata.errors import Stopped, ThetaError
from transforms.thetadata.retry import Attempts


def slept(policy: RetryPolicy, *errors: ThetaError) -> list[float]:
    """Returns the seconds of each wait; the last error ends it."""
    waits: list[float] = []
    naps: list[float] = []
    attempts = Attempts(policy, lambda: False, naps.append)
    try:
        for error in errors:
            attempts.failed(error)
            waits.append(round(sum(naps), 6))
            naps.clear()
    except ThetaError as error:
        assert error is errors[len(waits)]
    assert attempts.waited == pytest.approx(sum(waits))
    return waits


BROKEN = [BrokenResponse("broken")] * 20


def test_waits_double_up_to_the_longest_and_attempts_are_bounded() -> None:
    policy = RetryPolicy(attempts=6, backoff=1, jitter=0, longest_wait=5)
    assert slept(policy, *BROKEN) == [1, 2, 4, 5, 5]


def test_time_is_bounded_too() -> None:
    policy = RetryPolicy(attempts=100, seconds=7, backoff=1, jitter=0, longest_wait=100)
    assert slept(policy, *BROKEN) == [1, 2, 4]


def test_chance_adds_at_most_the_jitter() -> None:
    policy = RetryPolicy(attempts=2, backoff=1, jitter=0.5)
    waits = [slept(policy, *BROKEN)[0] for _ in range(50)]
    assert len(set(waits)) > 10
    assert all(1 <= wait <= 1.5 for wait in waits)


def test_the_terminal_may_ask_for_a_longer_wait_and_not_for_a_shorter_one() -> None:
    policy = RetryPolicy(attempts=3, backoff=1, jitter=0)
    late, soon = (StatusError(429, "", "", retry_after=seconds) for seconds in (9, 0))
    assert slept(policy, late, soon) == [9, 2]


def test_one_attempt_is_one_attempt() -> None:
    assert slept(RetryPolicy(attempts=1), *BROKEN) == []


@pytest.mark.parametrize("status", [400, 403, 404, 410, 470, 471, 472, 473, 475, 476, 478, 570])
def test_what_is_final_is_not_asked_for_again(status: int) -> None:
    assert slept(RetryPolicy(), StatusError(status, "", "")) == []


def test_a_stop_ends_the_wait() -> None:
    naps: list[float] = []
    attempts = Attempts(RetryPolicy(backoff=60), lambda: len(naps) > 2, naps.append)
    with pytest.raises(Stopped):
        attempts.failed(BROKEN[0])
    assert sum(naps) < 1

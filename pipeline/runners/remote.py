"""A runner that goes on after `run()` returned: its state, its Beam metrics, and how to stop it."""

import contextlib
import time
from collections.abc import Callable, Mapping

from apache_beam.metrics import MetricsFilter
from apache_beam.runners.runner import PipelineResult, PipelineState

from transforms.metrics.reporter import NAMESPACE

_LOOK_SECONDS = 0.1
_REPORT_SECONDS = 1.0
GRACE_SECONDS = 2.0
"""From the signal to the cancelling of a job whose workers have not ended by themselves."""


def watch(
    result: PipelineResult,
    report: Callable[[str, Mapping[str, int]], None],
    stopping: Callable[[], object] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Reports the state and the counters of a running pipeline until it ends, however it ends.

    A local runner's has ended already: nothing is reported. One that is to stop is given a
    moment: its workers see the stop signal where they share a file system with the launcher, and
    end with a summary. Then the job is cancelled.

    Args:
        result: of `Pipeline.run()`.
        report: takes the state, such as `RUNNING`, and our counters by name: none, where the runner
            does not report any.
        stopping: whether the run was asked to stop.
        sleep: waits between two looks.
        clock: returns seconds.
    """
    next_report = clock()
    cancel_at: float | None = None
    while not PipelineState.is_terminal(state := str(result.state)):
        now = clock()
        if now >= next_report:
            next_report = now + _REPORT_SECONDS
            report(state, counters(result))
        if stopping():
            cancel_at = now + GRACE_SECONDS if cancel_at is None else cancel_at
            if now >= cancel_at:
                cancel_at = float("inf")
                result.cancel()
        sleep(_LOOK_SECONDS)


def counters(result: PipelineResult) -> dict[str, int]:
    """Returns our Beam counters, as far as the runner reports them."""
    with contextlib.suppress(AttributeError):
        # A portable runner's result would return its first metrics for ever.
        result._metrics = None
    try:
        found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    except NotImplementedError:
        return {}  # this runner has none
    return {each.key.metric.name: int(each.committed or each.attempted or 0) for each in found}

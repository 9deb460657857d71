"""A runner that goes on after `run()` returned: its state and its Beam metrics."""

import time
from collections.abc import Callable, Mapping

from apache_beam.metrics import MetricsFilter
from apache_beam.runners.runner import PipelineResult, PipelineState

from transforms.reporting import NAMESPACE

_POLL_SECONDS = 1.0


def watch(
    result: PipelineResult,
    told: Callable[[str, Mapping[str, int]], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Tells the state and the counters of a running pipeline until it ends, however it ends.

    A local runner's has ended already: nothing is told of it.

    Args:
        result: of `Pipeline.run()`.
        told: takes the state, such as `RUNNING`, and our counters by name: none, where the runner
            does not report any.
        sleep: waits between two looks.
    """
    while not PipelineState.is_terminal(state := str(result.state)):
        told(state, counters(result))
        sleep(_POLL_SECONDS)


def counters(result: PipelineResult) -> dict[str, int]:
    """Returns our Beam counters, as far as the runner reports them."""
    try:
        found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    except NotImplementedError:
        return {}  # this runner has none
    return {each.key.metric.name: int(each.committed or each.attempted or 0) for each in found}

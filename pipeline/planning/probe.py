"""One expiration fetched and thrown away, to estimate a download."""

import tempfile
import time
from dataclasses import replace

from pipeline.config import DownloadConfig
from pipeline.history.pace import Pace
from pipeline.history.sizes import Sizes, Workload, days_to_expiration
from pipeline.planning.estimate import Estimate, from_sizes
from pipeline.planning.plan import Plan
from transforms.commit.expiration_writer import derivation_of
from transforms.model import GreeksRequest
from transforms.model.row_groups import RowGroups
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.sinks.formats import make_sink
from transforms.thetadata import ThetaClient


def from_probe(
    client: ThetaClient, plan: Plan, config: DownloadConfig, *, concurrency: int
) -> Estimate | None:
    """Fetches one trade date of the expiration in the middle, and returns what the plan comes to.

    Every other expiration is taken to have as many contracts: near ones have more, far ones fewer.
    The rows are written to a temporary folder of this machine, and go with it.

    Returns:
        None if there is nothing to fetch, or the expiration is empty.

    Raises:
        ThetaError: the Terminal did not answer.
        OSError: the temporary folder is full.
    """
    if not plan.requests:
        return None
    days = [days_to_expiration(request) for request in plan.requests]
    asked = plan.requests[sorted(range(len(days)), key=days.__getitem__)[len(days) // 2]]
    probe = replace(asked, trade_dates=asked.trade_dates[:1])
    started = time.monotonic()
    rows, size = _fetch(client, probe, config)
    if not rows:
        return None
    sizes = Sizes()
    work = Workload(plan.requests)
    for symbol in work.nearest:
        sizes.learn_rows(replace(probe, symbol=symbol), rows)
    pace = Pace()
    pace.learn(rows, time.monotonic() - started)
    basis = f"a probe of {probe.symbol} {probe.expiration}, on {probe.first_trade_date}"
    return from_sizes(work, sizes, size / rows, pace, concurrency=concurrency, basis=basis)


def _fetch(client: ThetaClient, probe: GreeksRequest, config: DownloadConfig) -> tuple[int, int]:
    suffix = COMPRESSIONS[config.format][config.compression]
    with tempfile.TemporaryDirectory(prefix="greeks-probe-") as folder:
        layout = Layout(f"{folder}/greeks", suffix, "probe")
        sink = make_sink(config.format, config.compression, layout)
        derivation = derivation_of(probe, "")  # for their size, the count of time is all one
        handle = sink.create(f"{folder}/probe{suffix}", probe.schema)
        for group in RowGroups.of(client.stream(probe, config.batch_size)):
            sink.write_record(handle, group if derivation is None else derivation.complete(group))
        written = sink.close(handle)
    return written.rows, written.bytes

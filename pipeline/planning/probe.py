"""One expiration of each order fetched and thrown away, to estimate a download."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

import pyarrow as pa

from pipeline.config import DownloadConfig
from pipeline.history.pace import Pace
from pipeline.history.sizes import Sizes, Workload, days_to_expiration
from pipeline.planning.estimate import Estimate, from_sizes
from pipeline.planning.plan import Plan
from transforms.commit.expiration_writer import derivation_of
from transforms.model import GreeksRequest
from transforms.model.requests import Selection
from transforms.model.row_groups import RowGroups
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.sinks.formats import make_sink
from transforms.thetadata import ThetaClient
from transforms.thetadata.dialect import parts_of
from transforms.thetadata.shared_days import SharedDays


def from_probe(
    client: ThetaClient,
    plan: Plan,
    config: DownloadConfig,
    *,
    concurrency: int,
    shared_days: SharedDays | None = None,
) -> Estimate | None:
    """Fetches a trade date of the expiration in the middle, and returns what the plan comes to.

    It does so for each order of data. Every other expiration is taken to have as many contracts:
    near ones have more, far ones fewer. A trade date that is shared is fetched as the download
    does, for all expirations at once, and has the contracts of each.
    The rows are written to a temporary folder of this machine, and go with it.

    Returns:
        None if there is nothing to fetch, or an expiration is empty.

    Raises:
        ThetaError: the Terminal did not answer.
        OSError: the temporary folder is full.
    """
    found = []
    for order in config.orders:
        places = (n for n, each in enumerate(plan.requests) if each.greeks == order.name)
        if requests := Selection(plan.requests, places):
            found.append(_of_one(client, requests, config, concurrency, shared_days))
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    rows, size = sum(each.rows for each in known), sum(each.bytes for each in known)
    return Estimate(rows, size, sum(each.seconds for each in known), known[0].basis)


def _of_one(
    client: ThetaClient,
    requests: Selection,
    config: DownloadConfig,
    concurrency: int,
    shared_days: SharedDays | None,
) -> Estimate | None:
    days = [days_to_expiration(request) for request in requests]
    asked = requests[sorted(range(len(days)), key=days.__getitem__)[len(days) // 2]]
    probe = replace(asked, trade_dates=asked.trade_dates[:1])
    parts = parts_of(asked)
    shared = shared_days.of(asked, parts[0]) if shared_days is not None and parts else []
    batches = client.blocks(*shared[0].query) if shared else client.stream(probe, config.batch_size)
    started = time.monotonic()
    contracts: Counter[date] = Counter()
    size = _size(_counted(batches, contracts), probe, config)
    rows = contracts.total()
    if not rows:
        return None
    pace = Pace()
    pace.learn(rows, time.monotonic() - started)
    sizes = Sizes()
    work = Workload(requests)
    for request in work.nearest.values():
        for expiration, number in contracts.items():
            sizes.learn_rows(replace(probe, symbol=request.symbol, expiration=expiration), number)
    of = "all expirations" if shared else probe.expiration
    basis = f"a probe of {probe.symbol} {of}, on {probe.first_trade_date}"
    return from_sizes(work, sizes, size / rows, pace, concurrency=concurrency, basis=basis)


def _counted(
    batches: Iterable[pa.RecordBatch], contracts: Counter[date]
) -> Iterator[pa.RecordBatch]:
    """Yields batches, and counts the rows of each expiration."""
    for batch in batches:
        for each in batch["expiration"].value_counts().to_pylist():
            contracts[each["values"]] += each["counts"]
        yield batch


def _size(batches: Iterable[pa.RecordBatch], probe: GreeksRequest, config: DownloadConfig) -> int:
    """Returns how many bytes a file of some rows has."""
    suffix = COMPRESSIONS[config.format][config.compression]
    with tempfile.TemporaryDirectory(prefix="greeks-probe-") as folder:
        layout = Layout(f"{folder}/greeks", suffix, "probe")
        sink = make_sink(config.format, config.compression, layout)
        derivation = derivation_of(probe, "")  # for their size, the count of time is all one
        handle = sink.create(f"{folder}/probe{suffix}", probe.schema)
        for group in RowGroups.of(batches):
            sink.write_record(handle, group if derivation is None else derivation.complete(group))
        return sink.close(handle).bytes

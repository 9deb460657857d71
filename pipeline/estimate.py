"""What a download will come to, before it runs: rows, bytes and seconds, from earlier runs.

```python
estimate = from_history(plan.requests, config, records, concurrency=4, data="live")
if estimate is not None and estimate.bytes > free:
    ...
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.sizes import TICK, Sizes
from pipeline.terminal import calendar
from transforms.model import EMPTY, WRITTEN, GreeksRequest
from transforms.schema import END_OF_DAY, schema_of

# Bytes of a cell, where no earlier run tells: from a simulated trade date of SPXW, first order.
_BYTES_PER_CELL = {
    ("csv", "none"): 8.7, ("csv", "gzip"): 1.4, ("csv", "zstd"): 1.4,
    ("parquet", "zstd"): 1.2, ("parquet", "none"): 5.4, ("parquet", "gzip"): 1.1,
    ("parquet", "snappy"): 1.7,
}  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """What to expect of a download.

    Attributes:
        rows: in all its files.
        bytes: of all its files on the disk.
        seconds: from the first request to the last file.
        basis: what it rests on, as a phrase.
    """

    rows: int
    bytes: int
    seconds: float
    basis: str


@dataclass(frozen=True)
class Rates:
    """What a row costs: bytes on the disk, and seconds of one worker."""

    bytes_per_row: float
    seconds_per_row: float


def from_history(
    requests: Sequence[GreeksRequest],
    config: DownloadConfig,
    records: Iterable[Mapping[str, Any]],
    *,
    concurrency: int,
    data: str = "live",
) -> Estimate | None:
    """Returns what earlier runs say of a download, or None where they say nothing.

    Contracts are learnt by symbol and days to expiration from every expiration that was written
    (whatever its interval), bytes and seconds from the runs of the same order, format and
    compression; where there were none, seconds come from the other ones.

    Args:
        requests: what will be fetched.
        config: how.
        records: whole run records, as a store keeps them, newest first; a few dozen will do.
        concurrency: requests under way at once. A row is taken to cost a worker the same time at
            any: true for a Terminal that is waited for, too hopeful for one on few cores.
        data: `live` or `simulated`: the one says nothing of the other.
    """
    sizes = Sizes()
    alike: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for record in records:
        if record.get("source", {}).get("data") != data:
            continue
        if not _comparable(record.get("request", {}), config):
            continue
        learnt = [_learn(sizes, record, each) for each in record.get("expirations", ())]
        if any(learnt):
            (alike if _same_files(record["request"], config) else others).append(record)
    if not (alike or others):
        return None
    used = alike or others
    rates = Rates(
        _bytes_per_row(alike, config),
        _per_row(used, "seconds"),
    )
    basis = f"{len(used)} earlier run{'s' if len(used) > 1 else ''}"
    return from_sizes(requests, sizes, rates, concurrency=concurrency, basis=basis)


def from_sizes(
    requests: Sequence[GreeksRequest],
    sizes: Sizes,
    rates: Rates,
    *,
    concurrency: int,
    basis: str,
) -> Estimate | None:
    """Returns what known sizes come to, or None if there is a symbol of which nothing is known."""
    rows = 0.0
    for request in requests:
        each = sizes.rows(request)
        if each is None:
            return None
        rows += each
    seconds = rows * rates.seconds_per_row / min(concurrency, max(len(requests), 1))
    return Estimate(round(rows), round(rows * rates.bytes_per_row), seconds, basis)


def usual_bytes_per_row(config: DownloadConfig) -> float:
    """Returns the bytes of a row where no run has told: a guess, by its columns."""
    cells = len(schema_of(config.greeks))
    return _BYTES_PER_CELL[config.format, config.compression] * cells


def _comparable(request: Mapping[str, Any], config: DownloadConfig) -> bool:
    """Whether the contracts of a run are those of a download, for the same symbols."""
    wanted = dict(config.parameters)
    told = request.get("parameters", {})
    return (
        (request.get("greeks") == END_OF_DAY) == (config.greeks == END_OF_DAY)
        and (request.get("interval") == TICK) == (config.interval == TICK)
        and told.get("strike_range") == wanted.get("strike_range")
    )


def _same_files(request: Mapping[str, Any], config: DownloadConfig) -> bool:
    names = ("greeks", "format", "compression")
    return all(request.get(name) == getattr(config, name) for name in names)


def _learn(sizes: Sizes, record: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Learns from one expiration of a record; returns whether it could."""
    if told.get("status") not in (WRITTEN, EMPTY):
        return False
    try:
        request = _request(record["request"], told)
    except (KeyError, TypeError, ValueError):
        return False  # of another version, or not ours: it teaches nothing
    if request is None:
        return False
    sizes.learn_rows(request, told["rows"])
    return bool(told["rows"])


def _request(asked: Mapping[str, Any], told: Mapping[str, Any]) -> GreeksRequest | None:
    """Returns the request of an expiration in a record, with the exchange's usual holidays."""
    expiration = date.fromisoformat(told["expiration"])
    first = date.fromisoformat(asked["start_date"])
    if not asked["expirations"]:
        first = max(first, expiration - timedelta(days=asked["max_dte"]))
    last = min(date.fromisoformat(asked["end_date"]), expiration)
    days = tuple(calendar.trading_days(first, last))
    if not days:
        return None
    parameters = tuple(sorted(asked["parameters"].items()))
    return GreeksRequest(
        told["symbol"], expiration, days, asked["interval"], asked["greeks"], parameters
    )


def _bytes_per_row(records: Sequence[Mapping[str, Any]], config: DownloadConfig) -> float:
    return _per_row(records, "bytes") if records else usual_bytes_per_row(config)


def _per_row(records: Sequence[Mapping[str, Any]], name: str) -> float:
    written = [e for record in records for e in record["expirations"] if e["status"] == WRITTEN]
    return float(sum(e[name] for e in written) / sum(e["rows"] for e in written))

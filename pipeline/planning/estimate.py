"""What a download will come to, before it runs: rows, bytes and seconds, from earlier runs.

```python
estimate = from_history(plan.requests, config, records, concurrency=4, data="live")
if estimate is not None and estimate.bytes > free:
    ...
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history import Sizes
from pipeline.planning.lessons import Lessons, learn
from pipeline.text import count
from transforms.model import GreeksRequest

# Bytes of a cell, where no earlier run is known: from a simulated trade date of SPXW, first order.
_BYTES_PER_CELL = {
    ("csv", "none"): 8.7,
    ("csv", "gzip"): 1.4,
    ("csv", "zstd"): 1.4,
    ("parquet", "zstd"): 1.2,
    ("parquet", "none"): 5.4,
    ("parquet", "gzip"): 1.1,
    ("parquet", "snappy"): 1.7,
}


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
class RowCost:
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
    """Returns what to expect of a download by earlier runs, or None if none can be compared.

    Contracts are learnt by symbol and days to expiration from every expiration that was written
    (whatever its interval), bytes and seconds from the runs of the same order, format and
    compression; where there were none, seconds come from the other ones.

    Args:
        requests: what will be fetched.
        config: how.
        records: whole run records, as a store keeps them, newest first; a few dozen will do.
        concurrency: requests under way at once. A row is taken to cost a worker the same time at
            any: true for a Terminal that is waited for, too hopeful for one on few cores.
        data: `live` or `simulated`: runs of the other are left out.
    """
    return from_lessons(requests, config, learn(config, records, data=data), concurrency)


def from_lessons(
    requests: Sequence[GreeksRequest], config: DownloadConfig, lessons: Lessons, concurrency: int
) -> Estimate | None:
    """Returns what to expect of a download by lessons, or None without any; see `from_history`.

    Args:
        requests: what will be fetched.
        config: how.
        lessons: of earlier runs.
        concurrency: requests under way at once.
    """
    used = lessons.alike if lessons.alike.runs else lessons.all
    if not used.rows:
        return None
    same = lessons.alike
    cost = RowCost(
        same.bytes / same.rows if same.rows else usual_bytes_per_row(config),
        used.seconds / used.rows,
    )
    basis = count(used.runs, "earlier run")
    return from_sizes(requests, lessons.sizes, cost, concurrency=concurrency, basis=basis)


def from_sizes(
    requests: Sequence[GreeksRequest],
    sizes: Sizes,
    cost: RowCost,
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
    seconds = rows * cost.seconds_per_row / min(concurrency, max(len(requests), 1))
    return Estimate(round(rows), round(rows * cost.bytes_per_row), seconds, basis)


def usual_bytes_per_row(config: DownloadConfig) -> float:
    """Returns the bytes of a row where no run is known: a guess, by its columns."""
    cells = len(config.schema)
    return _BYTES_PER_CELL[config.format, config.compression] * cells

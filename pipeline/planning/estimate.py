"""What a download will come to, before it runs: rows, bytes and seconds, from earlier runs.

```python
estimate = from_history(Workload(plan.requests), config, records, concurrency=4, data="live")
if estimate is not None and estimate.bytes > free:
    ...
```
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history import Sizes, Workload
from pipeline.history.pace import Pace
from pipeline.planning.lessons import Lessons, learn
from pipeline.text import count

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


def from_history(
    work: Workload,
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
        work: what will be fetched.
        config: how.
        records: whole run records, as a store keeps them, newest first; a few dozen will do.
        concurrency: requests under way at once. Each is taken to cost a worker the same time at
            any: true for a Terminal that is waited for, too hopeful for one on few cores.
        data: `live` or `simulated`: runs of the other are left out.
    """
    return from_lessons(work, config, learn(config, records, data=data), concurrency)


def from_lessons(
    work: Workload, config: DownloadConfig, lessons: Lessons, concurrency: int
) -> Estimate | None:
    """Returns what to expect of a download by lessons, or None without any; see `from_history`.

    Args:
        work: what will be fetched.
        config: how.
        lessons: of earlier runs.
        concurrency: requests under way at once.
    """
    used = lessons.alike if lessons.alike.runs else lessons.all
    if not used.rows:
        return None
    same = lessons.alike
    size = same.bytes / same.rows if same.rows else usual_bytes_per_row(config)
    basis = count(used.runs, "earlier run")
    return from_sizes(work, lessons.sizes, size, used.pace, concurrency=concurrency, basis=basis)


def from_sizes(
    work: Workload,
    sizes: Sizes,
    bytes_per_row: float,
    pace: Pace,
    *,
    concurrency: int,
    basis: str,
) -> Estimate | None:
    """Returns what known sizes come to, or None if there is a symbol of which nothing is known."""
    rows = work.rows(sizes)
    if rows is None:
        return None
    seconds = pace.cost(work.number, rows) / min(concurrency, max(work.number, 1))
    return Estimate(round(rows), round(rows * bytes_per_row), seconds, basis)


def usual_bytes_per_row(config: DownloadConfig) -> float:
    """Returns the bytes of a row where no run is known: a guess, by its columns."""
    cells = max(len(order.schema) for order in config.orders) + len(config.derive)
    return _BYTES_PER_CELL[config.format, config.compression] * cells

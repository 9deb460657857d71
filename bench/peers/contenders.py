"""Who is measured, and with which command."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.peers.work import SYMBOL, Work

POOL_CSV, POOL_PARQUET = "pool-csv", "pool-parquet"
V3, BOTH = ("v3",), ("v3", "v2")


@dataclass(frozen=True)
class Setting:
    """One measurement's circumstances.

    Attributes:
        work: the download.
        terminal: the server's address.
        concurrency: requests at once.
        output: an empty folder for the files.
        scratch: a folder for all else.
        greeks: the command of this project.
    """

    work: Work
    terminal: str
    concurrency: int
    output: Path
    scratch: Path
    greeks: list[str]


@dataclass(frozen=True)
class Contender:
    """One that is measured.

    Attributes:
        name: as `--peers` takes it.
        label: as the table shows it.
        against: the name of whom its time is divided by.
        most_rows: in millions; above that it would take too long, or too much memory.
        apis: the generations that it reads.
        command: returns its command line.
    """

    name: str
    label: str
    against: str
    most_rows: float
    command: Callable[[Setting], list[str]]
    apis: tuple[str, ...] = BOTH

    def takes(self, rows: int, api: str) -> bool:
        """Returns whether it takes part in the download of so many rows of a generation."""
        return self.most_rows * 1e6 >= rows and api in self.apis


def _ours(*flags: str) -> Callable[[Setting], list[str]]:
    def command(setting: Setting) -> list[str]:
        days = setting.work.days
        return [
            *(*setting.greeks, "download", "--symbol", SYMBOL, "--interval", "1m"),
            *("--start_date", str(days[0]), "--end_date", str(days[-1])),
            *("--expirations", ",".join(map(str, setting.work.expirations))),
            *("--terminal", setting.terminal, "--api", setting.work.api),
            *("--concurrency", str(setting.concurrency)),
            *("--output", str(setting.output), "--metrics", str(setting.scratch / "metrics")),
            # The server lists the same strikes for all expirations, however few rows they have:
            # the room that is foreseen by them is many times too large.
            *("--check", "--no_disk_check", *flags),
        ]

    return command


def _script(name: str, *words: str) -> Callable[[Setting], list[str]]:
    def command(setting: Setting) -> list[str]:
        path = setting.scratch / "work.json"
        document = {
            "terminal": setting.terminal,
            "api": setting.work.api,
            "expirations": [str(day) for day in setting.work.expirations],
            "days": [str(day) for day in setting.work.days],
            "output": str(setting.output),
            "concurrency": setting.concurrency,
        }
        path.write_text(json.dumps(document))
        return [sys.executable, "-m", f"bench.peers.{name}", str(path), *words]

    return command


CONTENDERS = {
    one.name: one
    for one in (
        Contender("ours-csv", "this project, CSV", POOL_CSV, 100, _ours("--format", "csv")),
        Contender(
            "ours-parquet",
            "this project, Parquet",
            POOL_PARQUET,
            100,
            _ours("--format", "parquet"),
        ),
        Contender(
            POOL_CSV, "thread pool, raw CSV copied", POOL_CSV, 100, _script("thread_pool", "csv")
        ),
        Contender(
            POOL_PARQUET,
            "thread pool + pyarrow, Parquet",
            POOL_PARQUET,
            100,
            _script("thread_pool", "parquet"),
        ),
        Contender("dlt", "dlt, Arrow pages, Parquet", POOL_PARQUET, 10.5, _script("dlt_pages"), V3),
        Contender(
            "beam",
            "textbook Beam, rows as dicts, CSV",
            POOL_PARQUET,
            2.6,
            _script("beam_rows"),
            V3,
        ),
    )
}
"""All of them, by name."""

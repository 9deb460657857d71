"""A history of many small files: `python -m bench.history_scale [REQUESTS ...] [--syncs]`.

Downloads daily files of 70 rows from one simulated Terminal in a process of its own, and prints a
row of a table for each number of requests: seconds until the first file, while files come, and
after the last one; processor time; what `/proc` says that the process has resident at the first
file, at the last one and at most; the requests that the Terminal served; the syncs, if counted by
strace, which makes a run slower; by how much the ETA was off after a tenth. Then the same command
again, which has nothing to do.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil
import requests

from bench.processes import GREEKS, terminal
from pipeline.simulator.market.market import Market
from transforms.market.calendar import trading_days
from transforms.model.requests import RequestGrid

FIRST, LAST, REACH = date(2013, 1, 2), date(2024, 12, 31), 75
_SYNCED = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(f(?:data)?sync)$", re.M)

_PROGRESS = re.compile(r"\((?P<share>\d+)%\).*ETA (?P<left>[\d:]+)")


@dataclass
class Observed:
    """A run as it is seen from outside.

    Attributes:
        requests: that the Terminal served.
        files: lines of results.
        first: seconds until the first file.
        last: seconds until the last file.
        seconds: until the process ended.
        processor: seconds of the processor, user and system.
        resident: MiB at the first file, at the last one, and at most.
        syncs: calls of fsync and fdatasync, or None.
        shown: each line of progress, after the seconds at which it came.
    """

    requests: int = 0
    files: int = 0
    first: float = 0.0
    last: float = 0.0
    seconds: float = 0.0
    processor: float = 0.0
    resident: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    syncs: int | None = None
    shown: list[tuple[float, str]] = field(default_factory=list)

    def off(self, share: float) -> float | None:
        """Returns by which share the time that was said to remain was off after some of the run.

        None if none was shown.
        """
        for at, line in self.shown:
            found = _PROGRESS.search(line)
            if found and int(found["share"]) >= 100 * share:
                parts = found["left"].split(":")
                left: float = sum(int(part) * 60**n for n, part in enumerate(reversed(parts)))
                return left / max(self.last - at, 0.1) - 1
        return None


def flags_for(count: int) -> list[str]:
    """Returns the flags of a download of about so many daily files, and never fewer."""
    days = tuple(trading_days(FIRST, LAST))
    expirations = [("SPXW", each) for each in Market().expirations("SPXW")]

    def number(last: int) -> int:
        return len(RequestGrid(expirations, days[: last + 1], reach=REACH, by_day=True))

    last = bisect_left(range(len(days) - 1), count, key=number)
    return [
        *("--symbol", "SPXW", "--layout", "daily", "--interval", "1h", "--strike_range", "2"),
        *("--max_dte", str(REACH), "--start_date", str(FIRST), "--end_date", str(days[last])),
    ]


def observe(folder: Path, url: str, flags: Sequence[str], *, syncs: bool = False) -> Observed:
    """Runs `greeks download` in a folder, and returns what was seen of it.

    Raises:
        CalledProcessError: it failed.
    """
    served = _served(url)
    greeks = [*GREEKS, "download", "--terminal", url, *flags]
    traced = [*("strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(folder / "syncs"))]
    seen, began = Observed(), time.monotonic()
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [*(traced if syncs else []), *greeks, "--progress", "plain"],
        cwd=folder,
        env={**_plain_environment(), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watch = threading.Thread(target=_watch, args=(process, seen, began))
        errors = threading.Thread(target=_read_progress, args=(process, seen, began))
        watch.start()
        errors.start()
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("SPXW") and (" written " in line or " empty " in line):
                seen.last = time.monotonic() - began
                seen.first = seen.first or seen.last
                seen.files += 1
                seen.resident[1] = _resident(process.pid) or seen.resident[1]
                seen.resident[0] = seen.resident[0] or seen.resident[1]
        errors.join()
        watch.join()
    seen.requests = _served(url) - served
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    if syncs:
        found = _SYNCED.findall((folder / "syncs").read_text())
        seen.syncs = sum(int(count) for count, _ in found)
    return seen


def _plain_environment() -> dict[str, str]:
    """Returns the environment without what measures coverage, which takes memory of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def _watch(process: "subprocess.Popen[str]", seen: Observed, began: float) -> None:
    """Looks at the process twenty times a second until it ends."""
    while process.poll() is None:
        with contextlib.suppress(psutil.Error, IndexError):
            used = _run_of(process.pid).cpu_times()
            seen.processor = used.user + used.system
            seen.resident[2] = max(seen.resident[2], _resident(process.pid))
        time.sleep(0.05)
    seen.seconds = time.monotonic() - began


def _read_progress(process: "subprocess.Popen[str]", seen: Observed, began: float) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        seen.shown.append((time.monotonic() - began, line))


def _resident(pid: int) -> float:
    with contextlib.suppress(psutil.Error, IndexError):
        return _run_of(pid).memory_info().rss / (1 << 20)
    return 0.0


def _run_of(pid: int) -> psutil.Process:
    """Returns the download, which may be a child of strace."""
    process = psutil.Process(pid)
    return process.children()[0] if process.name() == "strace" else process


def _served(url: str) -> int:
    return int(requests.get(f"{url}/stats", timeout=10).json()["history"]["requests"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--syncs", action="store_true", help="count syncs by strace")
    parser.add_argument("--folder", help="keep the files here")
    chosen = parser.parse_args(arguments)
    print(
        "| requests | served | to the first file, s | files come, s | after the last, s | CPU s |",
        end="",
    )
    print(" MiB at the first file | at the last | at most | syncs | ETA at a tenth |", end="")
    print(" again: s | MiB |")
    print("|" + "--:|" * 13)
    for count in chosen.requests:
        place = Path(tempfile.mkdtemp(dir=chosen.folder))
        flags = flags_for(count)
        with terminal() as url:
            run = observe(place, url, flags, syncs=chosen.syncs)
            again = observe(place, url, flags)
        first, last, most = run.resident
        off = run.off(0.1)
        cells = [
            *(f"{run.files:,}", f"{run.requests:,}", f"{run.first:.1f}"),
            *(f"{run.last - run.first:.1f}", f"{run.seconds - run.last:.1f}"),
            *(f"{run.processor:.1f}", f"{first:.0f}", f"{last:.0f}", f"{most:.0f}"),
            *("" if run.syncs is None else f"{run.syncs:,}", "" if off is None else f"{off:+.0%}"),
            *(f"{again.seconds:.1f}", f"{again.resident[2]:.0f}"),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
        if chosen.folder is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()

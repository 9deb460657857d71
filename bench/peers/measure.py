"""Runs one command and measures it, from outside and as a whole."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """What one run took.

    Attributes:
        seconds: from the start of the process to its end.
        processor: seconds of the processor, of the whole process tree.
        memory: the peak of resident memory in MiB: the sum of each process's own peak, as the
            kernel has it.
        first_file: seconds from the start to the first whole file.
        rows: in the files.
    """

    seconds: float
    processor: float
    memory: float
    first_file: float
    rows: int


class Failed(RuntimeError):
    """A run ended badly."""


def measure(command: list[str], output: Path, log: Path) -> Measured:
    """Runs a command that leaves its files in `output`.

    Raises:
        Failed: its exit code is not 0.
    """
    peaks: dict[int, int] = {}
    started, epoch = time.monotonic(), time.time()
    with log.open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=printed)
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        done.set()
        watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{command[:4]} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    files = [path for path in output.rglob("*") if path.suffix in (".csv", ".parquet")]
    # A rename changes a file's ctime: the first file is there when it has its name.
    first = min(path.stat().st_ctime for path in files) - epoch
    return Measured(
        seconds,
        usage.ru_utime + usage.ru_stime,
        sum(peaks.values()) / (1 << 20),
        first,
        sum(_rows(path) for path in files),
    )


def _watch(pid: int, peaks: dict[int, int], done: threading.Event) -> None:
    """Keeps the peak of each process of a tree, as the kernel has it since the program's start.

    (The figure of `wait4` begins with the size of the process that started it.)
    """
    while not done.wait(_POLL_SECONDS):
        waiting = [pid]
        while waiting:
            process = waiting.pop()
            try:
                status = Path(f"/proc/{process}/status").read_text()
                for task in Path(f"/proc/{process}/task").iterdir():
                    waiting += map(int, (task / "children").read_text().split())
            except OSError:
                continue  # it ended in this moment
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    peak = int(line.split()[1]) * 1024
                    peaks[process] = max(peaks.get(process, 0), peak)


def _rows(path: Path) -> int:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    lines = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
    return lines - 1

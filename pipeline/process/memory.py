"""Resident memory of this process and its workers, from the kernel's own accounting."""

import threading
from collections.abc import Collection

import psutil

_MIB = 1 << 20


def high_water_mark(pid: int) -> int:
    """Returns the most bytes that a process has had resident at once.

    Linux keeps it (VmHWM); elsewhere it is the present size, so that the peak is that of the
    samples.

    Raises:
        psutil.Error: the process is gone or not ours to look at.
    """
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 -- twice a second
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(psutil.Process(pid).memory_info().rss)


class MemorySampler:
    """Samples the resident memory of this process and its children while it is entered.

    Args:
        exclude: children that are not workers, such as an embedded Terminal.
        seconds: between two samples.

    Attributes:
        current: MiB resident at the last sample, all processes together.
    """

    def __init__(self, exclude: Collection[int] = (), seconds: float = 0.5) -> None:
        self._exclude = frozenset(exclude)
        self._seconds = seconds
        self._peaks: dict[int, int] = {}
        self._total = 0
        self._mapped = 0
        self._samples = 0
        self.current = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def __enter__(self) -> "MemorySampler":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.sample()

    @property
    def peak(self) -> float:
        """The sum of each process's own peak, in MiB: at least what was resident at any time."""
        return round(sum(self._peaks.values()) / _MIB, 1)

    @property
    def average(self) -> float:
        """The mean of the samples, in MiB."""
        return round(self._total / max(self._samples, 1) / _MIB, 1)

    @property
    def mapped(self) -> float:
        """The most that was of mapped files in a sample, in MiB: nearly all are libraries.

        The kernel shares these pages with its page cache and among processes, and can drop them at
        any time. 0 where the system does not count them.
        """
        return round(self._mapped / _MIB, 1)

    def sample(self) -> None:
        """Takes one sample."""
        me = psutil.Process()
        total = mapped = 0
        for process in [me, *me.children(recursive=True)]:
            if process.pid in self._exclude:
                continue
            try:
                resident = process.memory_info()
                total += resident.rss
                mapped += getattr(resident, "shared", 0)
                # Between its end and its parent's wait, a process has no memory any more.
                peak = max(self._peaks.get(process.pid, 0), high_water_mark(process.pid))
                self._peaks[process.pid] = peak
            except psutil.Error:
                continue  # it ended meanwhile: its last peak stands
        self.current = total / _MIB
        self._mapped = max(self._mapped, mapped)
        self._total += total
        self._samples += 1

    def _run(self) -> None:
        self.sample()
        while not self._stop.wait(self._seconds):
            self.sample()

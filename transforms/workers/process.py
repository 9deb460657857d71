"""Identifies a process of this or another machine, also against a later one of its number."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """A process.

    Attributes:
        host: the name of its machine.
        pid: its number there.
        started: distinguishes it from another process of that number, on that machine.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """Returns a process of this machine, or None if there is none."""
        started = _started(pid)
        return None if started is None else cls(socket.gethostname(), pid, started)

    @classmethod
    def current(cls) -> "ProcessId":
        """Returns this process."""
        owner = cls.of(os.getpid())
        assert owner is not None  # noqa: S101 -- it runs this
        return owner

    def gone(self) -> bool:
        """Returns whether the process has ended; of another machine's it is not known: False."""
        return self.host == socket.gethostname() and ProcessId.of(self.pid) != self


def _started(pid: int) -> str | None:
    """When a process started, by a clock that nobody sets; None if there is no such process.

    Linux counts ticks since the machine was booted, and names each boot. The time of day will not
    do: it is the boot's time of day and the ticks, and the first of them moves with every
    correction of the clock.
    """
    try:
        # After the name in brackets, which may hold anything: the state first, the start as 20th.
        fields = (
            (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        )
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None if (_PROC / "self/stat").exists() else _started_elsewhere(pid)
    return None if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _started_elsewhere(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.0f}"
    except psutil.Error:
        return None

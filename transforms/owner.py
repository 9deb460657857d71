"""Whose run it is: a process of this or another machine, told from a later one of its number."""

import os
import socket
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        host: the name of its machine.
        pid: its number there.
        started: when it started, in Unix seconds: numbers are used again.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def current(cls) -> "Owner":
        """Returns this process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    def gone(self) -> bool:
        """Returns whether the process has ended; of another machine's it is not known: False."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            return process.create_time() != self.started or (
                process.status() == psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False

"""Runs a program that ends with the process that started it, and that no Ctrl-C reaches.

    python bound.py STARTED_BY PROGRAM ARGUMENT …

A terminal sends Ctrl-C to every process of its group. A job server that died of it could no longer
cancel its job; one that outlived a killed launcher would go on for ever. So would a worker whose
launcher is killed before they are connected.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def bind(command: Sequence[str]) -> list[str]:
    """Returns the command that starts a command bound to this process."""
    return [sys.executable, "-S", __file__, str(os.getpid()), *command]


def main(started_by: int, command: Sequence[str]) -> None:
    """Becomes the program.

    Args:
        started_by: the number of the process that it ends with.
        command: the program and its arguments.

    Raises:
        OSError: there is none of that name.
    """
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != started_by:
        return  # it has ended before it could be seen to
    os.execvp(command[0], list(command))  # noqa: S606 -- it is what this is for


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

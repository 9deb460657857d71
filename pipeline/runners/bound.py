"""Runs a program that ends with the process that started it, and that no Ctrl-C reaches.

    python bound.py PROGRAM ARGUMENT …

A terminal sends Ctrl-C to every process of its group. A job server that died of it could no longer
cancel its job; one that outlived a killed launcher would go on for ever.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(command: list[str]) -> None:
    """Becomes the program.

    Raises:
        OSError: there is none of that name.
    """
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execvp(command[0], command)  # noqa: S606 -- it is what this is for


if __name__ == "__main__":
    main(sys.argv[1:])

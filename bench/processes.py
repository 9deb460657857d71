"""The processes that are measured: servers that print their address, and downloads from them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

GREEKS = (sys.executable, "-m", "pipeline")


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Gives the address that a server's first line ends with; it ends with its standard input."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]


def terminal(*flags: str, greeks: Sequence[str] = GREEKS) -> AbstractContextManager[str]:
    """Gives the address of a simulated Terminal."""
    return serving(*greeks, "terminal", "--port", "0", "--exit_with_stdin", *flags)


def download(folder: str, terminal: str, *flags: str) -> tuple[dict[str, Any], float]:
    """Downloads a trade date of SPXW into `FOLDER/greeks`.

    Returns:
        the run summary, and the seconds of the processor.
    """
    command = [*GREEKS, "download", "--symbol", "SPXW", "--start_date", "2024-03-14", *flags]
    command += ["--terminal", terminal, "--output", f"{folder}/greeks"]
    command += ["--metrics", f"{folder}/metrics"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    (path,) = Path(folder).glob("metrics/*.json")
    return json.loads(path.read_text()), usage.ru_utime + usage.ru_stime

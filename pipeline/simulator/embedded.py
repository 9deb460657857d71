"""The stand-in Terminal as a child process, for `--terminal embedded`."""

import contextlib
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from pipeline.process.memory import high_water_mark

_START_SECONDS, _END_SECONDS = 60.0, 10.0


class EmbeddedTerminal:
    """A running child. `url` is its address, `pid` its process."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid
        self._peak: float | None = None

    def peak_memory(self) -> float:
        """Returns its peak resident memory in MiB, until now or until it ended."""
        if self._peak is not None:
            return self._peak
        try:
            return round(high_water_mark(self.pid) / (1 << 20), 1)
        except psutil.Error:
            return 0.0  # it ended by itself, which is another error than this

    def about_to_end(self) -> None:
        """Keeps its peak: its process is looked at for the last time."""
        self._peak = self.peak_memory()


@contextmanager
def embedded_terminal(symbols: tuple[str, ...], seed: int) -> Iterator[EmbeddedTerminal]:
    """Starts a stand-in Terminal with a simulated market, and ends it with the block.

    It ends with this process, too, however this process ends: it watches its standard input.

    Raises:
        RuntimeError: it did not start, or not in time.
    """
    command = [sys.executable, "-m", "pipeline", "terminal", "--port", "0"]
    command += ["--symbols", ",".join(symbols), "--seed", str(seed), "--exit_with_stdin"]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A Ctrl-C is for the download, which then ends its Terminal.
        start_new_session=True,
    )
    assert child.stdout is not None  # noqa: S101 -- it is a pipe
    assert child.stdin is not None  # noqa: S101 -- it is a pipe
    try:
        if not select.select([child.stdout], [], [], _START_SECONDS)[0]:
            raise RuntimeError(f"the embedded Terminal did not start in {_START_SECONDS:g} seconds")
        url = next((word for word in child.stdout.readline().split() if "://" in word), None)
        if url is None:
            raise RuntimeError("the embedded Terminal did not start; its own message is above")
        terminal = EmbeddedTerminal(url, child.pid)
        try:
            yield terminal
        finally:
            terminal.about_to_end()
    finally:
        with contextlib.suppress(OSError):
            child.stdin.close()  # it may have ended before
        child.stdout.close()
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            # An error that ends the block matters more than how the child ended.
            child.kill()
            child.wait()

"""A run's own figures against independent measurements: the clock and /proc."""

import threading
import time
from pathlib import Path

import psutil
import pytest

from pipeline.process.memory import high_water_mark
from pipeline.simulator.server import TerminalServer
from tests.support.command import WITHOUT_COVERAGE, start, summaries

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--interval", "1m"]


class Outside:
    """Reads the high-water marks of a process and its children from /proc until it ends."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peaks: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            try:
                for each in [self._process, *self._process.children(recursive=True)]:
                    # One that has ended and was not waited for has nothing any more.
                    peak = max(high_water_mark(each.pid), self._peaks.get(each.pid, 0))
                    self._peaks[each.pid] = peak
            except psutil.Error:
                continue  # one of them has ended

    def end(self) -> float:
        self._ended.set()
        self._thread.join()
        return sum(self._peaks.values()) / (1 << 20)


@pytest.mark.alone
@pytest.mark.parametrize("mode", ["in_memory", "multi_processing"])
def test_throughput_and_memory_are_what_is_measured_from_outside(
    mode: str, terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["--terminal", terminal.url, "--max_dte", "5", "--concurrency", "2"]
    process = start(tmp_path, *DOWNLOAD, *flags, "--direct_running_mode", mode, **WITHOUT_COVERAGE)
    outside = Outside(process.pid)
    assert process.stdout is not None
    began = ended = 0.0
    for line in process.stdout:
        began = began or time.monotonic()
        if "expirations: " in line:
            ended = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    # What Beam logs of its workers is nothing to a user.
    assert "apache_beam" not in err
    assert "apitools" not in err
    peak = outside.end()
    seconds = ended - began
    written = list((tmp_path / "data" / "greeks").rglob("*.csv"))
    rows = sum(path.read_bytes().count(b"\n") - 1 for path in written)
    (summary,) = summaries(tmp_path)
    assert summary["total_records"] == rows > 500_000
    assert summary["total_data_size"] == sum(path.stat().st_size for path in written)
    assert summary["total_duration"] == pytest.approx(seconds, rel=0.1)
    assert summary["average_throughput"] == pytest.approx(rows / seconds, rel=0.1)
    assert summary["peak_memory_usage"] == pytest.approx(peak, rel=0.1)
    samples = summary["samples"]
    assert samples["rows"][-1] == rows
    assert samples["seconds"][-1] == pytest.approx(seconds, rel=0.25)
    assert max(samples["memory"]) <= summary["peak_memory_usage"]

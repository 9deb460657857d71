import subprocess
import sys

import psutil

from pipeline.process.memory import MemorySampler, high_water_mark

HOLD = """
import sys
held = bytearray(80 << 20)
del held
print("ready", flush=True)
sys.stdin.read()
"""


def holder() -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def end(child: "subprocess.Popen[bytes]") -> None:
    child.communicate(b"")


def test_the_peak_is_the_kernels_and_not_that_of_the_samples() -> None:
    child = holder()
    assert high_water_mark(child.pid) > 80 << 20
    assert psutil.Process(child.pid).memory_info().rss < 60 << 20
    end(child)


def test_workers_count_and_others_do_not() -> None:
    worker, terminal = holder(), holder()
    with MemorySampler(exclude=[terminal.pid], seconds=0.02) as sampler:
        pass
    mine = high_water_mark(psutil.Process().pid) / (1 << 20)
    assert mine + 80 < sampler.peak < mine + 160
    assert 0 < sampler.average < sampler.peak
    end(worker)
    end(terminal)


def test_the_peak_of_a_worker_that_ended_stands() -> None:
    worker = holder()
    with MemorySampler() as sampler:
        sampler.sample()
        end(worker)
    mine = high_water_mark(psutil.Process().pid) / (1 << 20)
    assert sampler.peak > mine + 80

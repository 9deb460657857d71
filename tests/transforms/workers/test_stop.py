import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from transforms.workers.process import ProcessId
from transforms.workers.stop import StopSignal


def test_the_end_of_the_launcher_is_a_stop(tmp_path: Path) -> None:
    launcher = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = ProcessId.of(launcher.pid)
    assert owner is not None
    stop = StopSignal(str(tmp_path / "stop"), owner)
    assert not stop.is_set()
    launcher.communicate(b"\n")
    deadline = time.monotonic() + 60
    while not stop.is_set():
        assert time.monotonic() < deadline
    assert not StopSignal(str(tmp_path / "other"), replace(owner, host="elsewhere")).is_set()


def test_another_process_sees_the_stop_through_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stop"
    look = "import sys, time; from transforms.workers.stop import StopSignal\n"
    look += "s = StopSignal(sys.argv[1])\n"
    look += "print(s.is_set(), flush=True)\nwhile not s.is_set(): time.sleep(0.01)"
    other = subprocess.Popen(
        [sys.executable, "-c", look, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "False\n"
    StopSignal(str(path)).set()
    assert other.wait(30) == 0
    other.stdout.close()


def test_who_registered_is_woken_until_it_takes_that_back(tmp_path: Path) -> None:
    stop = StopSignal(str(tmp_path / "stop"))
    woken, other = threading.Event(), threading.Event()
    stop.register(other.set)
    stop.unregister(other.set)
    stop.register(woken.set)
    stop.set()
    assert woken.wait(30)
    woken.clear()
    # It may have begun to wait again in the same moment: it is woken again.
    assert woken.wait(30)
    stop.unregister(woken.set)
    stop.clear()
    assert not other.is_set()
    assert not stop.is_set()

"""What watches a run from beside; that it ends one is shown in tests/integration."""

import os
import subprocess
import sys

import pytest

from pipeline.process import watchdog
from tests.support.waiting import wait_for


def test_a_worker_that_ends_once_every_result_is_there_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # While there is work, a death would be reported at the next look.
    monkeypatch.setattr(watchdog, "_DEATH_SECONDS", 0.0)
    looks: list[None] = []

    def done() -> bool:
        looks.append(None)
        return True

    read = "import sys; sys.stdin.read()"
    worker = subprocess.Popen([sys.executable, "-c", read, watchdog.WORKER], stdin=subprocess.PIPE)
    wait_for("the worker", lambda: worker.pid in watchdog.worker_processes())
    # Giving up does not return: here it fails the whole test run.
    with watchdog.Watchdog(lambda: False, lambda _: os._exit(9), processes=True, done=done):
        wait_for("a look at the living worker", lambda: len(looks) > 1)
        worker.kill()
        worker.communicate()
        until = len(looks) + 3
        wait_for("looks at the dead one", lambda: len(looks) > until)


def test_a_worker_that_becomes_another_program_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog, "_DEATH_SECONDS", 0.5)
    looks: list[bool] = []
    shell = "read _; exec sh -c \"read _; exec sh -c 'read _; :' \\$NAME\""
    worker = subprocess.Popen(
        ["sh", "-c", shell, watchdog.WORKER],
        stdin=subprocess.PIPE,
        env={**os.environ, "NAME": watchdog.WORKER},
    )
    assert worker.stdin is not None

    def stopping() -> bool:
        looks.append(worker.pid in watchdog.worker_processes())
        return False

    def go_on() -> None:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.flush()

    with watchdog.Watchdog(stopping, lambda _: os._exit(9), processes=True):
        wait_for("a look at the worker", lambda: looks[-3:] == [True] * 3)
        go_on()
        wait_for("a look at another program", lambda: not looks[-1])
        go_on()
        back = len(looks)
        # Many looks more than the patience has room for.
        wait_for("looks at the worker again", lambda: len(looks) > back + 12 and looks[-1])
    worker.communicate(b"\n")

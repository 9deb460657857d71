"""What watches a run from beside; that it ends one is shown in tests/integration."""

import os
import subprocess
import sys
import time

from pipeline.watchdog import Watchdog, worker_processes
from tests.support.waiting import wait_for


def test_a_worker_that_ends_once_every_result_is_there_is_not_taken_for_dead() -> None:
    sleep = "import time; time.sleep(60)"
    worker = subprocess.Popen([sys.executable, "-c", sleep, "sdk_worker_main"])
    wait_for("the worker", lambda: worker.pid in worker_processes())
    # Giving up does not return: here it fails the whole test run.
    with Watchdog(lambda: False, lambda _: os._exit(9), processes=True, done=lambda: True):
        time.sleep(0.5)
        worker.kill()
        worker.wait()
        # Longer than what a death takes to be told while there is work.
        time.sleep(4)

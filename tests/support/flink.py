"""A standalone Flink cluster of real processes, on loopback: one JobManager, some TaskManagers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.support.ports import free_port
from tests.support.waiting import wait_for

LIB = "GREEKS_TEST_FLINK_LIB"
"""The folder of Flink's own jars (`.ci/flink/cluster` makes one, and prints its path)."""

_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
# Small: several stand on one machine. A death is noticed soon, and the job begun again.
_CONF = """
jobmanager.rpc.address: localhost
jobmanager.rpc.port: {rpc}
jobmanager.memory.process.size: 512m
rest.address: localhost
rest.port: {rest}
taskmanager.host: localhost
taskmanager.numberOfTaskSlots: {slots}
taskmanager.cpu.cores: 1
taskmanager.memory.framework.heap.size: 64m
taskmanager.memory.framework.off-heap.size: 64m
taskmanager.memory.task.heap.size: 128m
taskmanager.memory.task.off-heap.size: 64m
taskmanager.memory.managed.size: 64m
taskmanager.memory.network.min: 64m
taskmanager.memory.network.max: 64m
taskmanager.memory.jvm-metaspace.size: 128m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
heartbeat.interval: 500
heartbeat.timeout: 5000
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 3
restart-strategy.fixed-delay.delay: 1 s
"""
_LOG = """
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
"""


class Cluster:
    """A cluster that runs while its context lasts.

    Attributes:
        url: of its REST API.
        task_managers: its processes, in the order of their start.
    """

    def __init__(self, folder: Path, slots: int, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        rest, rpc = free_port(), free_port()
        self.url = f"http://localhost:{rest}"
        self.task_managers: list[subprocess.Popen[bytes]] = []
        (folder / "flink-conf.yaml").write_text(_CONF.format(rest=rest, rpc=rpc, slots=slots))
        (folder / "log4j.properties").write_text(_LOG)
        self._start(_JOB_MANAGER, "--executionMode", "cluster")

    def add_task_manager(self) -> None:
        """Starts one more, and waits until the JobManager knows it."""
        before = self._known()
        self.task_managers.append(self._start(_TASK_MANAGER))
        wait_for("a TaskManager", lambda: self._known() - before)

    def jobs(self) -> dict[str, str]:
        """Returns the state of each job by its name."""
        jobs = self._get("jobs/overview")["jobs"]
        return {job["name"]: job["state"] for job in jobs}

    def failures(self, name: str) -> int:
        """Returns how often a job failed and was begun again."""
        (jid,) = [job["jid"] for job in self._get("jobs/overview")["jobs"] if job["name"] == name]
        return len(self._get(f"jobs/{jid}/exceptions")["exceptionHistory"]["entries"])

    def _known(self) -> set[str]:
        # One that was killed is known for some seconds more.
        return {each["id"] for each in self._get("taskmanagers")["taskmanagers"]}

    def _get(self, path: str) -> Any:
        wait_for("Flink's REST API", self._answers)
        return requests.get(f"{self.url}/{path}", timeout=10).json()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/overview", timeout=10).ok
        except requests.ConnectionError:
            return False

    def _start(self, main: str, *arguments: str) -> "subprocess.Popen[bytes]":
        log = self._stack.enter_context((self._folder / f"{main}.log").open("ab"))
        process = subprocess.Popen(
            [
                "java",
                "-Xmx384m",
                "-Dlog4j.configurationFile=file:log4j.properties",
                "-cp",
                f"{os.environ[LIB]}/*",
                main,
                "--configDir",
                str(self._folder),
                *arguments,
            ],
            cwd=self._folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@contextmanager
def cluster(folder: Path, *, task_managers: int, slots: int) -> Iterator[Cluster]:
    """Runs a cluster of some TaskManagers with some slots each, in a folder that is made."""
    folder.mkdir()
    with ExitStack() as stack:
        made = Cluster(folder, slots, stack)
        for _ in range(task_managers):
            made.add_task_manager()
        yield made

"""Runners beside the local one, as flags of a download."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.runners.job_servers import cached_jars
from tests.support.flink import LIB
from tests.support.ports import free_port
from tests.support.postgresql import REQUIRED
from tests.support.waiting import wait_for

PRISM = "GREEKS_TEST_PRISM"
FLINK_VERSION = "1.19"


def prism() -> list[str]:
    """Returns the flags of Prism; skips the test without one, or fails it where it is required."""
    path = os.environ.get(PRISM) or shutil.which("prism")
    if not path:
        _missing(
            "prism", f"no Prism: {PRISM} is not set (.ci/go prism makes one, and prints its path)"
        )
    return ["--runner", "PrismRunner", "--prism_location", str(path)]


def flink() -> list[str]:
    """Returns the flags of Flink; skips the test without it, or fails it where it is required."""
    jars = cached_jars(FLINK_VERSION)
    if not jars or not shutil.which("java"):
        _missing("flink", "no Java, or no job server of Beam for Flink (`./run_local.sh flink`)")
    return ["--runner", "FlinkRunner", "--flink_job_server_jar", str(jars[0])]


def flink_cluster() -> None:
    """Skips the test without Flink's own jars, or fails it where they are required."""
    if LIB not in os.environ:
        _missing("flink", f"no Flink: {LIB} is not set (.ci/flink/cluster makes one)")


@contextmanager
def job_service(folder: Path) -> Iterator[list[str]]:
    """Gives the flags of Beam's own portable job service, with workers in the launcher."""
    port = folder / "port"
    module = "apache_beam.runners.portability.local_job_service_main"
    with subprocess.Popen(
        [sys.executable, "-m", module, "--port_file", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for("the job service", lambda: port.exists() and port.read_text())
            endpoint = ["--job_endpoint", f"localhost:{port.read_text()}"]
            yield ["--runner", "PortableRunner", *endpoint, "--environment_type", "LOOPBACK"]
        finally:
            process.terminate()


@contextmanager
def worker_pool(folder: Path) -> Iterator[list[str]]:
    """Gives the flags of workers that are processes of a pool of their own, in another folder."""
    port = free_port()
    folder.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "apache_beam.runners.worker.worker_pool_main",
            "--service_port",
            str(port),
        ],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for("the worker pool", lambda: _listens(port))
            yield ["--environment_type", "EXTERNAL", "--environment_config", f"localhost:{port}"]
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def flags_of(runner: str, folder: Path) -> Iterator[list[str]]:
    """Gives the flags of a runner by its name here, with what it needs running."""
    if runner == "portable":
        with job_service(folder) as flags:
            yield flags
    elif runner == "prism, worker pool":
        flags = prism()
        with worker_pool(folder / "pool") as environment:
            yield [*flags, *environment]
    elif runner == "prism":
        yield prism()
    else:
        yield [*flink(), "--parallelism", runner.split()[-1]]


def _missing(what: str, reason: str) -> None:
    if what in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)

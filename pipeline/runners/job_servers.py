"""Flink and Prism, with the job server that Beam starts for them as a process of this run's own.

Nothing is downloaded here: what a runner needs must be on this machine (`check_runner`).
"""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grpc
from apache_beam.options.pipeline_options import (
    DirectOptions,
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
    SparkRunnerOptions,
)
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer, FlinkRunner
from apache_beam.runners.portability.job_server import JobServer, StopOnExitJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer, PrismRunner

from pipeline.errors import ConfigError
from pipeline.runners import bound
from pipeline.runners.beam_patches import fits
from pipeline.runners.loopback import LoopbackRunner
from transforms.text.extras import install

JARS = "~/.apache_beam/cache/jars"
"""Where Beam keeps the jars of its job servers, and `./run_local.sh flink` puts Flink's."""

_KNOWN = (
    *("DirectRunner", "FnApiRunner", "PrismRunner", "PortableRunner", "FlinkRunner"),
    *("SparkRunner", "DataflowRunner"),
)
# Options of Beam that break a promise: what they may be alone, and why.
_REFUSED = {
    "direct_num_workers": (
        1,
        "would let more requests be under way than are allowed: use --concurrency",
    ),
    "direct_runner_bundle_repeat": (0, "would fetch everything several times"),
}


def check_runner(name: str, options: PipelineOptions) -> None:
    """Checks that what a runner needs on this machine is there, and sets where it is.

    Raises:
        ConfigError: it is not, and the message says how to come by it; there is no such runner; or
            an option breaks a promise.
    """
    known = {each.lower() for each in _KNOWN}
    if name and "." not in name and name.lower() not in known:
        raise ConfigError(f"--runner is {name!r}, not one of {', '.join(_KNOWN)}")
    direct = options.view_as(DirectOptions)
    for option, (usual, instead) in _REFUSED.items():
        if getattr(direct, option) != usual:
            raise ConfigError(f"--{option} {instead}")
    name = name.lower()
    if options.view_as(PortableOptions).job_endpoint:
        return
    if name == "flinkrunner":
        flink = options.view_as(FlinkRunnerOptions)
        flink.flink_job_server_jar = _jar(flink.flink_job_server_jar, flink.flink_version)
    elif name == "prismrunner":
        path = options.view_as(PrismRunnerOptions).prism_location
        if not path or not Path(path).is_file():
            problem = f"{path} is not there" if path else "is missing"
            raise ConfigError(
                f"--prism_location {problem}: PrismRunner needs Beam's Prism, which is not "
                "downloaded unasked. With Go: "
                "go install github.com/apache/beam/sdks/v2/go/cmd/prism@"
                f"v{version('apache-beam')}, then --prism_location ~/go/bin/prism"
            )
    elif name == "dataflowrunner" and not _is_there("google.cloud.dataflow"):
        raise ConfigError(f"--runner DataflowRunner needs the extra gcp: {install('gcp')}")
    elif name == "sparkrunner":
        path = options.view_as(SparkRunnerOptions).spark_job_server_jar
        if not path or not Path(path).is_file():
            raise ConfigError(
                "--runner SparkRunner needs --spark_job_server_jar, the path of Beam's job server, "
                "which is not downloaded unasked, or the --job_endpoint of one that runs"
            )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False  # not even what it is in


def jar_name(flink_version: str, beam: str = version("apache-beam")) -> str:
    """Returns the name of Beam's job server for a version of Flink, as it is published."""
    return f"beam-runners-flink-{flink_version}-job-server-{beam}.jar"


def cached_jars(flink_version: str) -> list[Path]:
    """Returns the job servers for a version of Flink in `JARS`: Beam's own version, then others.

    Args:
        flink_version: such as `1.19`, or `*` for any.
    """
    folder = Path(JARS).expanduser()
    of_this_beam = sorted(folder.glob(jar_name(flink_version)), reverse=True)
    others = sorted(folder.glob(jar_name(flink_version, "*")), reverse=True)
    return list(dict.fromkeys([*of_this_beam, *others]))


def _jar(given: str | None, flink_version: str) -> str:
    """Returns the path of Flink's job server: as given, or where Beam would keep it."""
    if given:
        if not Path(given).is_file():
            raise ConfigError(f"--flink_job_server_jar {given} is not there")
        return str(given)
    if found := cached_jars(flink_version):
        return str(found[0])
    raise ConfigError(
        "--runner FlinkRunner needs Beam's job server, and there is no "
        f"{JARS}/{jar_name(flink_version, '*')}. `./run_local.sh flink` fetches one for Flink 1.19 "
        "by Maven (then: --flink_version 1.19); or give its path with --flink_job_server_jar, or "
        "the --job_endpoint of a job server that runs"
    )


class _Bound:
    """Puts `bound` before the command that starts a job server."""

    def subprocess_cmd_and_endpoint(self) -> tuple[list[Any], str]:
        command, endpoint = super().subprocess_cmd_and_endpoint()  # type: ignore[misc]  # -- of Beam's
        return bound.bind(command), endpoint


class _FlinkServer(_Bound, FlinkJarJobServer):
    pass


class _PrismServer(_Bound, PrismJobServer):
    def start(self) -> Any:
        stub = super().start()
        # Beam turns every line of Prism's into a record of its level: only errors are kept.
        logging.getLogger(type(self).__name__).addFilter(
            lambda record: record.levelno >= logging.ERROR
        )
        return stub


class BoundFlinkRunner(LoopbackRunner, FlinkRunner):
    """Beam's FlinkRunner, whose job server is bound to this process."""

    server: JobServer | None = None

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        """Returns the job server that `options` describe."""
        theirs = super().default_job_server(options)
        # Beam's wrapper would take SIGINT to itself, and stop the server before a job is cancelled.
        is_jar = isinstance(theirs, StopOnExitJobServer) and fits(
            FlinkJarJobServer, "subprocess_cmd_and_endpoint", "self"
        )
        self.server = _FlinkServer(options) if is_jar else theirs
        return self.server


class BoundPrismRunner(LoopbackRunner, PrismRunner):
    """Beam's PrismRunner, whose Prism is bound to this process."""

    server: JobServer | None = None

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        """Returns a Prism of this run's own."""
        bound = fits(PrismJobServer, "subprocess_cmd_and_endpoint", "self")
        self.server = (_PrismServer if bound else PrismJobServer)(options)
        return self.server


RUNNERS = {
    "flinkrunner": BoundFlinkRunner,
    "portablerunner": LoopbackRunner,
    "prismrunner": BoundPrismRunner,
}


@contextmanager
def ended(runner: object) -> Iterator[None]:
    """Ends the runner's job server with the block, if it has one that it started."""
    try:
        yield
    finally:
        server = getattr(runner, "server", None)
        if server is not None and getattr(server, "_server", server) is not None:
            server.stop()


@contextmanager
def quiet_engines() -> Iterator[None]:
    """Prints a line where an engine drops a worker of this process, for which Beam prints traces.

    What the worker was doing is done again by another, or the run fails with the engine's reason.
    For the process of a command: it changes how the whole process logs.
    """
    # Beam warns of each server that it starts and stops.
    logging.getLogger("apache_beam.utils.subprocess_server").setLevel(logging.ERROR)
    logging.getLogger("apache_beam.runners.worker").setLevel(logging.CRITICAL)
    before = threading.excepthook
    reported = threading.Event()

    def report(args: threading.ExceptHookArgs) -> None:
        if not isinstance(args.exc_value, grpc.RpcError):
            before(args)
        elif args.exc_value.code() == grpc.StatusCode.UNAVAILABLE and not reported.is_set():
            reported.set()
            print(
                "greeks download: the engine dropped a worker; its work is to be done again",
                file=sys.stderr,
            )

    threading.excepthook = report
    try:
        yield
    finally:
        threading.excepthook = before

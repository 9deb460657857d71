"""What `--runner FlinkRunner` needs on this machine: Java, and Beam's job server."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from pipeline.runners.job_servers import JARS, cached_jars, jar_name

_LEAST_JAVA = 11


def flink(job_server: str) -> Iterator[Diagnosis]:
    """Yields whether Flink's job server could be started.

    Args:
        job_server: the path of its jar, or empty for the one that Beam would use.
    """
    yield _java()
    yield _jar(job_server)


def _java() -> Diagnosis:
    way_out = f"install Java {_LEAST_JAVA} or later (on Debian: apt-get install default-jre)"
    program = shutil.which("java")
    if program is None:
        return Diagnosis(FAIL, "Java", "there is none", way_out)
    done = subprocess.run(
        [program, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    words = next(iter((done.stderr + done.stdout).strip().splitlines()), "no version")
    number = re.search(r'version "(?:1\.)?(\d+)', words)
    if done.returncode or number is None:
        return Diagnosis(FAIL, "Java", words, way_out)
    if int(number[1]) < _LEAST_JAVA:
        return Diagnosis(FAIL, "Java", f"{words} is too old", way_out)
    return Diagnosis(OK, "Java", words)


def _jar(job_server: str) -> Diagnosis:
    if job_server:
        if Path(job_server).is_file():
            return Diagnosis(OK, "Flink's job server", job_server)
        return Diagnosis(
            FAIL,
            "Flink's job server",
            f"{job_server} is not there",
            "give the path of Beam's beam-runners-flink-…-job-server jar",
        )
    if found := cached_jars("*"):
        return Diagnosis(OK, "Flink's job server", str(found[0]))
    return Diagnosis(
        WARN,
        "Flink's job server",
        f"no {jar_name('*')} in {JARS}",
        "./run_local.sh flink fetches it by Maven; or give --flink_job_server_jar",
    )

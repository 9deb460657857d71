"""Runners beside the local one, as flags of a download."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline.jobservers import JARS, jar_name
from tests.support.postgresql import REQUIRED

PRISM = "GREEKS_TEST_PRISM"


def prism() -> list[str]:
    """Returns the flags of Prism; skips the test without one, or fails it where it is required."""
    path = os.environ.get(PRISM) or shutil.which("prism")
    if not path:
        _missing("prism", f"no Prism: {PRISM} is not set (.ci/prism makes one, and tells its path)")
    return ["--runner", "PrismRunner", "--prism_location", str(path)]


def flink() -> list[str]:
    """Returns the flags of Flink; skips the test without it, or fails it where it is required."""
    jar = Path(JARS).expanduser() / jar_name("2.2")
    if not jar.is_file() or not shutil.which("java"):
        _missing("flink", f"no Java, or no job server of Beam at {jar} (`./run_local.sh flink`)")
    return ["--runner", "FlinkRunner", "--flink_job_server_jar", str(jar)]


def _missing(what: str, reason: str) -> None:
    if what in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)

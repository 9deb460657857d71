"""The command as a user runs it: a process of its own, or, much sooner, in this one."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from pipeline.cli.main import main

# Measuring coverage takes time and memory of its own.
WITHOUT_COVERAGE = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}


def start(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Starts `greeks ARGUMENTS` in a folder; an empty variable of the environment is taken away."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={name: value for name, value in (os.environ | environment).items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def greeks(folder: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """Runs `greeks ARGUMENTS` in a folder, and returns what it printed."""
    process = start(folder, *arguments, **environment)
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, out + err
    return out + err


def greeks_here(folder: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """Does the same in this process, which has loaded Beam: for what is not about a process."""
    printed = io.StringIO()
    with _at(folder, environment), redirect_stdout(printed), redirect_stderr(printed):
        try:
            ended: object = main(arguments)
        except SystemExit as usage:
            ended = usage.code
    assert ended == code, printed.getvalue()
    return printed.getvalue()


@contextmanager
def _at(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Moves this process to a folder and an environment while it is entered."""
    there, before = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.update(environment)
    time.tzset()
    try:
        yield
    finally:
        os.chdir(there)
        os.environ.clear()
        os.environ.update(before)
        time.tzset()


def summaries(folder: Path) -> list[dict[str, Any]]:
    """Returns the run summaries below a folder, oldest first."""
    paths = sorted((folder / "data" / "metrics").glob("pipeline-run-*.json"))
    return [json.loads(path.read_text()) for path in paths]

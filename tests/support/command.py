"""The command as a user runs it: a process of its own, or, much sooner, in this one."""

import io
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from pipeline.cli.main import main
from pipeline.process.standard_output import open_doors
from tests.support.market import terminal
from tests.support.scripted import Script, Scripted, scripted_server
from transforms.storage.gcs import access as gcs
from transforms.storage.s3 import access as s3
from transforms.text import secrets

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
    ended, out, err = run_here(folder, *arguments, **environment)
    assert ended == code, out + err
    return out + err


def at_scripted(command: str, script: Script | None = None) -> tuple[int, Scripted]:
    """Runs a command in this process and folder against a scripted Terminal; returns both's end."""
    with scripted_server(script or terminal()) as server:
        return main([*shlex.split(command), "--terminal", server.url]), server


def run_here(folder: Path, *arguments: str, **environment: str) -> tuple[object, str, str]:
    """Runs `greeks ARGUMENTS` in this process; returns its exit code, standard output and error.

    They pass the doors of a process, in the encoding that PYTHONIOENCODING names.
    """
    encoding, _, errors = environment.get("PYTHONIOENCODING", "utf-8").partition(":")
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, errors or "strict") for _ in range(2))
    with _at(folder, environment), redirect_stdout(out), redirect_stderr(err):
        # As in a new process, which knows no secret, and no store: an address may be another's.
        secrets._known.clear()
        for each in (s3, gcs):
            each._client.cache_clear()
        secrets.remember_all(arguments, os.environ)
        open_doors()
        try:
            ended: object = main(arguments)
        except SystemExit as usage:
            ended = usage.code
    for stream in (out, err):
        stream.seek(0)
    return ended, out.read(), err.read()


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

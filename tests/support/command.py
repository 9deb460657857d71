"""The command as a user runs it: a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def summaries(folder: Path) -> list[dict[str, Any]]:
    """Returns the run summaries below a folder, oldest first."""
    paths = sorted((folder / "data" / "metrics").glob("pipeline-run-*.json"))
    return [json.loads(path.read_text()) for path in paths]

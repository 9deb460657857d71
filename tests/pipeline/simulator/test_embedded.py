"""The stand-in Terminal as a child: its time limits, and whose error is raised."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pipeline.simulator import embedded
from pipeline.simulator.embedded import embedded_terminal


class TheirsError(Exception):
    """Of what is done with the Terminal."""


def fail_with_a_terminal_that_got(number: signal.Signals) -> None:
    with embedded_terminal(("SPXW",), 0) as terminal:
        os.kill(terminal.pid, number)
        if number == signal.SIGKILL:
            os.waitid(os.P_PID, terminal.pid, os.WEXITED)
        raise TheirsError


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_the_error_of_the_block_is_raised_whatever_became_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(embedded, "_END_SECONDS", 0.1)
    with pytest.raises(TheirsError):
        fail_with_a_terminal_that_got(number)


def test_a_terminal_that_does_not_start_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "python"
    silent.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    silent.chmod(0o700)
    monkeypatch.setattr(embedded, "_START_SECONDS", 1.0)
    monkeypatch.setattr(embedded, "_END_SECONDS", 0.1)
    monkeypatch.setattr(sys, "executable", str(silent))
    with pytest.raises(RuntimeError, match="did not start in 1 seconds"):  # noqa: SIM117 -- two
        with embedded_terminal(("SPXW",), 0):
            pass
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)

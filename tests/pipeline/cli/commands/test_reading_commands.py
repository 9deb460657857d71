"""What the commands that read files have in common: a folder by default, and progress."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.folder import NEXT_DAY, fill


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reading")
    with TerminalServer(Market()) as server:
        fill(folder / "data" / "greeks", server, (NEXT_DAY, date(2024, 3, 22)), interval="1h")
    shutil.copytree(folder / "data" / "greeks", folder / "copy")
    return folder


@pytest.mark.parametrize("command", ["check", "diff copy", "report", "verify"])
def test_a_folder_is_read_by_default_and_progress_is_shown_file_by_file(
    command: str,
    downloaded: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(downloaded)
    shown = ("--progress", "plain", "--progress_seconds", "0.000001")
    assert main([*command.split(), *shown]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if " files (" in line]
    assert re.match(r"0:00 \d/\d files \(\d+%\)", lines[0])
    assert re.search(r" (\d)/\1 files \(100%\)", lines[-1])
    assert main([*command.split(), "--progress", "none"]) == 0
    assert " files (" not in capsys.readouterr().err

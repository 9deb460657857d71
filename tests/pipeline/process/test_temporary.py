"""What a process leaves in the folder for temporary files, and what of a dead one is removed."""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.process.temporary import own_temporary_folder
from transforms.workers.process import ProcessId


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def dead() -> ProcessId:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = ProcessId.of(child.pid)
    assert found is not None
    child.communicate()
    return found


def left_by(folder: Path, owner: object) -> Path:
    (folder / "beam-temp").mkdir(parents=True)
    (folder / "owner.json").write_text(json.dumps(owner))
    return folder


def test_what_a_dead_process_left_is_removed_and_nobody_elses(tmp_path: Path) -> None:
    owner = asdict(dead())
    old = left_by(tmp_path / "greeks-run-old", owner)
    kept = [
        left_by(tmp_path / "greeks-run-live", asdict(ProcessId.current())),
        left_by(tmp_path / "greeks-run-far", owner | {"host": "elsewhere"}),
        left_by(tmp_path / "greeks-run-odd", {"pid": "x"}),
        left_by(tmp_path / "of-others", owner),
    ]
    (tmp_path / "greeks-run-new").mkdir()
    (tmp_path / "greeks-run-link").symlink_to(tmp_path / "of-others")
    with own_temporary_folder():
        assert not old.exists()
        own = Path(tempfile.gettempdir())
        assert own.parent == tmp_path
        (own / "something").mkdir()
        child = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
        assert subprocess.check_output(child, text=True).strip() == str(own)
    assert not own.exists()
    assert tempfile.gettempdir() == str(tmp_path)
    assert all((each / "beam-temp").is_dir() for each in kept)
    assert (tmp_path / "greeks-run-new").is_dir()

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.stores import DIED, RUNNING, SUCCEEDED, Record, RunStore

START_AND_DIE = """
import os, signal, sys
from pipeline.stores import RunStore
RunStore(sys.argv[1]).start({"request": {"output": "x"}})
os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_a_run(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", START_AND_DIE, str(folder)], check=False)


def records(folder: Path) -> list[Record]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("pipeline-run-*.json"))]


def test_a_run_is_kept_under_its_start_time_in_utc(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    record: Record = {}
    run_id = store.start(record)
    assert record["status"] == RUNNING
    path = store.finish(record | {"status": SUCCEEDED})
    assert path == tmp_path / f"pipeline-run-{run_id}.json"
    digits = record["start_time"].replace("-", "").replace(":", "").replace("+0000", "Z")
    assert digits == run_id
    assert [each["status"] for each in records(tmp_path)] == [SUCCEEDED]
    assert list((tmp_path / "running").iterdir()) == []


def test_runs_that_start_together_do_not_collide(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    assert len({store.start({}) for _ in range(200)}) == 200


def test_a_kept_record_is_never_overwritten(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    record: Record = {}
    store.start(record)
    store.finish(record | {"status": SUCCEEDED})
    with pytest.raises(FileExistsError):
        store.finish(record | {"status": "another"})
    assert [each["status"] for each in records(tmp_path)] == [SUCCEEDED]


def test_a_killed_run_is_marked_died_by_the_next_one_and_only_once(tmp_path: Path) -> None:
    kill_a_run(tmp_path)
    store = RunStore(str(tmp_path))
    (buried,) = store.bury()
    assert [each["run_id"] for each in records(tmp_path)] == [buried["run_id"]]
    assert [each["status"] for each in records(tmp_path)] == [DIED]
    assert list(store.bury()) == []


def test_a_run_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    store.start({})
    assert list(store.bury()) == []
    assert records(tmp_path) == []


def test_a_burial_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    kill_a_run(tmp_path)
    (start_record,) = (tmp_path / "running").glob("*.json")
    again = start_record.read_text()
    store = RunStore(str(tmp_path))
    assert len(list(store.bury())) == 1
    start_record.write_text(again)
    assert list(store.bury()) == []
    assert not start_record.exists()
    assert len(records(tmp_path)) == 1


def test_a_foreign_file_disturbs_nothing(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    for name, content in (("a.json", "not json"), ("b.json", "{}"), ("c.json", "[]")):
        (tmp_path / "running" / name).write_text(content)
    assert list(RunStore(str(tmp_path)).bury()) == []
    assert len(list((tmp_path / "running").iterdir())) == 3

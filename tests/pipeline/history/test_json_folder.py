import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.history import SUCCEEDED, Query, Record, open_store
from pipeline.history.json_folder import JsonStore


def keep(folder: Path, **more: Any) -> str:
    store = open_store(str(folder))
    record: Record = {"request": {"symbol": ["SPXW"]}}
    run_id = store.start(record)
    store.finish(record | {"status": SUCCEEDED} | more)
    return run_id


def test_a_run_is_a_file_named_by_its_start_time_in_utc(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    record: Record = {}
    run_id = store.start(record)
    path = store.finish(record | {"status": SUCCEEDED})
    assert path == f"{tmp_path}/pipeline-run-{run_id}.json"
    digits = record["start_time"].replace("-", "").replace(":", "").replace("+0000", "Z")
    assert digits == run_id
    assert json.loads(Path(path).read_text())["status"] == SUCCEEDED
    assert list((tmp_path / "running").iterdir()) == []


def test_a_burial_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    record: Record = {}
    run_id = store.start(record)
    live = tmp_path / "running" / f"{run_id}.json"
    dead = json.dumps(record | {"owner": record["owner"] | {"started": 1.0}})
    live.write_text(dead)
    assert len(list(store.bury())) == 1
    live.write_text(dead)
    assert list(store.bury()) == []
    assert not live.exists()


def test_foreign_and_broken_files_are_reported_and_passed_over(tmp_path: Path) -> None:
    run_id = keep(tmp_path)
    for number, content in enumerate(("not json", "{}", "[]", '"text"', '{"run_id": 1}')):
        name = f"pipeline-run-2026010{number + 1}T000000.000000Z.json"
        (tmp_path / name).write_text(content)
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "pipeline-run-copy.json").write_text("{}")
    (tmp_path / "readme.txt").write_text("mine")
    for name in ("a.json", "b.json"):
        (tmp_path / "running" / name).write_text("{}")
    store = JsonStore(str(tmp_path))
    assert [head["run_id"] for head in store.heads(Query())] == [run_id]
    assert len(store.skipped) == 7
    assert all("no record of a run" in each or "not named" in each for each in store.skipped)
    assert list(store.bury()) == []
    # It is not remembered as broken: somebody may repair it.
    again = JsonStore(str(tmp_path))
    assert len(list(again.heads(Query()))) == 1
    assert len(again.skipped) == 7


def test_a_record_under_another_runs_name_is_foreign(tmp_path: Path) -> None:
    run_id = keep(tmp_path)
    kept = tmp_path / f"pipeline-run-{run_id}.json"
    (tmp_path / "pipeline-run-20260101T000000.000000Z.json").write_text(kept.read_text())
    store = JsonStore(str(tmp_path))
    assert len(list(store.heads(Query()))) == 1
    assert "it is of the run" in store.skipped[0]


def test_a_short_list_reads_only_the_newest_files(tmp_path: Path) -> None:
    runs = [keep(tmp_path) for _ in range(6)]
    for run_id in runs[:4]:
        (tmp_path / f"pipeline-run-{run_id}.json").write_text("no longer JSON")
    store = JsonStore(str(tmp_path))
    assert [head["run_id"] for head in store.heads(Query(limit=2))] == [runs[5], runs[4]]
    # Had an older one been read, it would be reported.
    assert store.skipped == []


def test_a_list_leaves_no_file_outside_the_history(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "metrics"
    home.mkdir()
    keep(folder)
    before = sorted(folder.rglob("*"))
    script = (
        "import sys; from pipeline.history import *; list(open_store(sys.argv[1]).heads(Query()))"
    )
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True, env=environment)
    assert list(home.iterdir()) == []
    assert sorted(folder.rglob("*")) == before


def test_files_of_another_time_are_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "pipeline-run-20260101T000000.000000Z.json").write_text("broken")
    store = JsonStore(str(tmp_path))
    assert list(store.heads(Query(since="2026-01-02"))) == []
    assert list(store.heads(Query(until="2025-12-31T23:59:59+00:00"))) == []
    assert store.skipped == []


def test_a_removed_run_is_not_listed(tmp_path: Path) -> None:
    runs = [keep(tmp_path) for _ in range(3)]
    assert len(list(JsonStore(str(tmp_path)).heads(Query()))) == 3
    (tmp_path / f"pipeline-run-{runs[1]}.json").unlink()
    listed = [head["run_id"] for head in JsonStore(str(tmp_path)).heads(Query())]
    assert listed == [runs[2], runs[0]]

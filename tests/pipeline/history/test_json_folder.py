import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.history import SUCCEEDED, Query, Record, open_store
from pipeline.history.index import cache_folder
from pipeline.history.json_folder import JsonStore


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


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
    # It is not remembered as broken: somebody may mend it.
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


def test_a_list_reads_each_file_once_and_a_short_one_only_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    runs = [keep(folder) for _ in range(6)]
    # As another user, whose cache knows nothing of them.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert len(list(JsonStore(str(folder)).heads(Query(limit=2)))) == 2
    # Had the oldest been read, it would be in the cache, and its file not missed.
    for run_id in runs:
        path = folder / f"pipeline-run-{run_id}.json"
        path.write_text("no longer JSON")
    store = JsonStore(str(folder))
    told = [head["run_id"] for head in store.heads(Query())]
    assert told[:2] == [runs[5], runs[4]]
    assert 2 <= len(told) <= 3  # a merge looks one ahead
    assert len(store.skipped) == 6 - len(told)


def test_a_run_is_cached_when_it_ends_and_need_not_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    run_id = keep(folder)
    (folder / f"pipeline-run-{run_id}.json").write_text("no longer JSON")
    assert [head["run_id"] for head in JsonStore(str(folder)).heads(Query())] == [run_id]


def test_files_of_another_time_are_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "pipeline-run-20260101T000000.000000Z.json").write_text("broken")
    store = JsonStore(str(tmp_path))
    assert list(store.heads(Query(since="2026-01-02"))) == []
    assert list(store.heads(Query(until="2025-12-31T23:59:59+00:00"))) == []
    assert store.skipped == []


def test_a_removed_run_is_not_told_from_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    runs = [keep(folder) for _ in range(3)]
    assert len(list(JsonStore(str(folder)).heads(Query()))) == 3
    (folder / f"pipeline-run-{runs[1]}.json").unlink()
    told = [head["run_id"] for head in JsonStore(str(folder)).heads(Query())]
    assert told == [runs[2], runs[0]]


@pytest.mark.parametrize("spoilt", ["a file", "not a database"])
def test_without_a_cache_a_list_is_the_same(
    tmp_path: Path, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    run_id = keep(folder)
    list(JsonStore(str(folder)).heads(Query()))
    if spoilt == "a file":
        (tmp_path / "file").write_text("mine")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        (cache,) = cache_folder().glob("*.sqlite")
        cache.write_text("mine, " * 1000)
    assert [head["run_id"] for head in JsonStore(str(folder)).heads(Query())] == [run_id]


def test_two_histories_do_not_share_a_cache(tmp_path: Path) -> None:
    first, second = keep(tmp_path / "a"), keep(tmp_path / "b")
    for folder, run_id in (("a", first), ("b", second), ("a", first)):
        heads = JsonStore(str(tmp_path / folder)).heads(Query())
        assert [head["run_id"] for head in heads] == [run_id]

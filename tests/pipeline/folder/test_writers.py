"""Of another run's files, only those that can't be anything else are removed."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from pipeline.config import DownloadConfig
from pipeline.folder import output_lock
from pipeline.folder.writers import others, sweep, sweep_dead
from pipeline.history import RUNNING, Query, Record, open_store
from pipeline.run.session import Session
from transforms.output.folder import OutputFolder
from transforms.output.layout import Layout
from transforms.workers import ProcessId

RUN, LATER = "20240314T093000.000001Z", "20240314T093000.000002Z"


def precious(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "thesis.txt").write_text("years of work")
    return folder


def dead_owner() -> dict[str, object]:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    owner = ProcessId.of(process.pid)
    process.communicate()
    assert owner is not None
    return asdict(owner)


def start_record(folder: Path, **claims: object) -> Record:
    """Leaves a start record of a process that has ended, with what it claims."""
    store = open_store(str(folder))
    record: Record = {"request": {}}
    store.start(record)
    (folder / "running" / f"{record['run_id']}.json").unlink()
    record |= {"owner": dead_owner(), **claims}
    (folder / "running" / f"{RUN}.json").write_text(json.dumps(record))
    return record


@pytest.mark.parametrize(
    "claim",
    [
        lambda p: {"run_id": RUN, "meta": f"{p}/of_another"},
        lambda p: {"run_id": ".", "meta": f"{p}/of_another"},
        lambda p: {"run_id": "../../precious", "meta": f"{p}/greeks.meta"},
        lambda p: {"run_id": "../precious", "meta": f"{p}/greeks.meta"},
        lambda p: {"run_id": f"{p}/precious", "meta": ""},
        lambda p: {"run_id": "*", "meta": f"{p}/of_another"},
        lambda p: {"run_id": ["x"], "meta": {"y": 1}},
    ],
)
def test_a_record_in_the_history_removes_no_folder(
    tmp_path: Path, claim: Callable[[Path], dict[str, object]]
) -> None:
    kept = [
        precious(tmp_path / "of_another" / "unfinished" / RUN),
        precious(tmp_path / "precious"),
        precious(tmp_path / "greeks.meta" / "precious"),
        precious(tmp_path / "greeks.meta" / "unfinished" / "mine"),
    ]
    start_record(tmp_path / "metrics", **claim(tmp_path))
    config = DownloadConfig(
        symbols=("SPXW",),
        start_date=date(2024, 3, 14),
        end_date=date(2024, 3, 14),
        output=str(tmp_path / "greeks"),
        metrics=str(tmp_path / "metrics"),
    )
    session = Session(config, runner="FnApiRunner", local=True)
    with output_lock(session.layout):
        sweep_dead(session.layout)
    assert all((folder / "thesis.txt").exists() for folder in kept)


@pytest.mark.parametrize("claimed", ["../precious", "../../precious", LATER])
def test_a_start_record_under_another_name_than_its_runs_is_left_as_it_is(
    tmp_path: Path, claimed: str
) -> None:
    history = tmp_path / "metrics"
    (tmp_path / "precious.json").write_text("{}")
    (history / "running").mkdir(parents=True)
    (history / "precious.json").write_text("{}")
    start_record(history, run_id=claimed)
    before = sorted(tmp_path.rglob("*"))
    assert list(open_store(str(history)).bury()) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_row_of_a_database_that_claims_to_be_another_run_ends_no_other(tmp_path: Path) -> None:
    sa = pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/runs.db"
    store = open_store(url)
    alive = store.start({})
    foreign = store.start({})
    claim = {"run_id": alive, "owner": dead_owner(), "start_time": "2024-03-14T09:30:00+00:00"}
    for text in (json.dumps(claim | {"status": "running"}), "{}", "[]"):
        with sa.create_engine(url).begin() as connection:
            connection.execute(
                sa.text("UPDATE greeks_runs SET record = :record WHERE run_id = :run"),
                {"record": text, "run": foreign},
            )
        assert list(open_store(url).bury()) == []
    assert alive in {head["run_id"] for head in store.heads(Query(status=RUNNING))}


def test_only_folders_of_runs_are_swept_and_no_link_is_followed(tmp_path: Path) -> None:
    folder = OutputFolder(str(tmp_path / "greeks"))
    unfinished = Path(folder.unfinished)
    half = precious(unfinished / RUN)
    own = precious(unfinished / LATER)
    foreign = [precious(unfinished / name) for name in ("mine", f"{RUN}.old", f"x{RUN}", "[0-9]*")]
    outside = precious(tmp_path / "precious")
    (unfinished / RUN / "link").symlink_to(outside)
    (unfinished / "20240314T093000.000003Z").symlink_to(outside)
    sweep_dead(Layout(folder.path, ".csv", LATER))
    assert not half.exists()
    assert all((each / "thesis.txt").exists() for each in (own, outside, *foreign))


@pytest.mark.parametrize("run_id", ["", ".", "..", "../files", "*", f"{RUN}/..", f"{RUN}\n"])
def test_what_is_no_id_of_a_run_is_not_swept(tmp_path: Path, run_id: str) -> None:
    folder = OutputFolder(str(tmp_path / "greeks"))
    kept = [precious(Path(folder.unfinished) / RUN), precious(Path(folder.entries))]
    with pytest.raises(ValueError, match="is no id of a run: nothing was removed"):
        sweep(folder, run_id)
    assert all((each / "thesis.txt").exists() for each in kept)


def test_a_folder_whose_path_is_a_pattern_is_swept_alone(tmp_path: Path) -> None:
    neighbour = precious(tmp_path / "a" / "greeks.meta" / "unfinished" / RUN)
    folder = OutputFolder(str(tmp_path / "[ab]" / "greeks"))
    half = precious(Path(folder.unfinished) / RUN)
    sweep(folder, RUN)
    assert not half.exists()
    assert neighbour.exists()


@pytest.mark.parametrize("note", ["{}", "[]", "no json", '{"host": 1}', '{"pid": "x"}'])
def test_a_broken_note_is_somebody_who_may_be_writing(tmp_path: Path, note: str) -> None:
    folder = OutputFolder(str(tmp_path / "greeks"))
    for run in (RUN, "mine"):
        precious(Path(folder.unfinished) / run)
        (Path(folder.unfinished) / run / "owner.json").write_text(note)
    assert list(map(str, others(folder))) == [f"process 0 on an unknown machine, run {RUN}"]

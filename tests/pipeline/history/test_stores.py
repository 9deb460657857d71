"""What every run history promises, wherever it is."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.history import (
    DIED,
    FAILED,
    RUNNING,
    SUCCEEDED,
    NoSuchRun,
    Query,
    Record,
    RunStore,
    StoreError,
    open_store,
)
from tests.support import postgresql
from tests.support.data import request_for
from tests.support.other_filesystem import OtherFileSystem
from transforms.model import WRITTEN, ExpirationResult

assert OtherFileSystem.scheme() == "other"  # Beam finds it once it is imported

KINDS = ("folder", "beam", "sqlite", "postgresql", "sqlite, apart")

BEGIN = """
import os, signal, sys
if sys.argv[1].startswith("other:"):
    import tests.support.other_filesystem
from pipeline.history import open_store
"""
START_AND_DIE = (
    BEGIN
    + """
open_store(sys.argv[1]).start({"request": {"symbol": ["SPXW"]}})
os.kill(os.getpid(), signal.SIGKILL)
"""
)
START_SOME = (
    BEGIN
    + """
sys.stdin.readline()
store = open_store(sys.argv[1])
print(*(store.start({}) for _ in range(10)))
"""
)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        yield {
            "folder": lambda: str(tmp_path / "metrics"),
            "beam": lambda: f"other:/{tmp_path}/metrics",
            "sqlite": lambda: f"sqlite:///{tmp_path}/new/runs.db",
            "postgresql": lambda: stack.enter_context(postgresql.database()),
        }[kind.partition(",")[0]]()


@pytest.fixture
def store(kind: str, url: str) -> Iterator[RunStore]:
    made = open_store(url, apart="apart" in kind)
    yield made
    made.rest()


def record(symbol: str = "SPXW", **more: Any) -> Record:
    return {"request": {"symbol": [symbol]}, **more}


def keep(store: RunStore, status: str = SUCCEEDED, **more: Any) -> str:
    begun = record(**more)
    run_id = store.start(begun)
    store.finish(begun | {"status": status, "total_records": 7})
    return run_id


def kill_a_run(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", START_AND_DIE, url], check=False)
    assert done.returncode == -signal.SIGKILL


def ids(store: RunStore, **query: Any) -> list[str]:
    return [head["run_id"] for head in store.heads(Query(**query))]


def test_a_run_is_kept_from_its_start_to_its_end(store: RunStore) -> None:
    begun = record()
    run_id = store.start(begun)
    (head,) = store.heads(Query())
    assert (head["run_id"], head["status"], head["symbols"]) == (run_id, RUNNING, ["SPXW"])
    assert store.read(run_id)["owner"]["pid"] == os.getpid()
    samples = {
        "seconds": [0.0, 1.5],
        "rows": [0, 5_000_000_000],
        "bytes": [0, 1],
        "done": [0, 1],
        "in_flight": [1, 0],
        "memory": [150.5, 151.0],
    }
    ended = begun | {
        "status": SUCCEEDED,
        "total_records": 5_000_000_000,
        "samples": samples,
        "total_duration": 1.5,
    }
    assert run_id in store.finish(ended)
    (head,) = store.heads(Query())
    assert (head["status"], head["rows"], head["seconds"]) == (SUCCEEDED, 5_000_000_000, 1.5)
    assert store.read(run_id) == ended


def test_runs_are_listed_newest_first_and_as_queried(store: RunStore) -> None:
    runs = [keep(store, symbol=symbol) for symbol in ("SPXW", "SPX", "SPXW", "AAPL")]
    failed = keep(store, FAILED)
    assert ids(store) == [failed, *reversed(runs)]
    assert ids(store, limit=2) == [failed, runs[3]]
    assert ids(store, symbol="SPXW") == [failed, runs[2], runs[0]]
    assert ids(store, status=FAILED) == [failed]
    assert ids(store, symbol="SPX", status=FAILED) == []
    third = store.read(runs[2])["start_time"]
    assert ids(store, since=third) == [failed, runs[3], runs[2]]
    assert ids(store, until=third) == [runs[1], runs[0]]
    assert ids(store, since="2100-01-01") == []
    # Once more: cached or not, the answer is the same.
    assert ids(store, symbol="SPXW") == [failed, runs[2], runs[0]]
    assert store.skipped == []


def test_runs_that_start_together_do_not_collide(url: str) -> None:
    # Two processes at once; the tables are not there yet.
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", START_SOME, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for each in starters:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    started = [run for each in starters for run in each.communicate()[0].split()]
    assert len(set(started)) == 20
    assert sorted(ids(open_store(url))) == sorted(started)


def test_a_kept_record_is_never_overwritten(store: RunStore) -> None:
    begun = record()
    run_id = store.start(begun)
    store.finish(begun | {"status": SUCCEEDED})
    with pytest.raises(FileExistsError):
        store.finish(begun | {"status": FAILED})
    assert store.read(run_id)["status"] == SUCCEEDED


def test_a_killed_run_is_listed_as_died_and_marked_once(url: str) -> None:
    kill_a_run(url)
    store = open_store(url)
    assert [head["status"] for head in store.heads(Query())] == [DIED]
    assert len(ids(store, status=DIED)) == 1
    assert ids(store, status=RUNNING) == []
    (buried,) = store.bury()
    assert store.read(buried["run_id"])["status"] == DIED
    assert [head["status"] for head in store.heads(Query())] == [DIED]
    assert list(store.bury()) == []


def test_a_run_that_is_alive_or_of_another_machine_is_left_alone(store: RunStore) -> None:
    store.start(record())
    assert list(store.bury()) == []
    assert [head["status"] for head in store.heads(Query())] == [RUNNING]
    assert socket.gethostname() == store.read(ids(store)[0])["owner"]["host"]


@pytest.mark.parametrize("run_id", ["20240101T000000.000000Z", "../x", "' or 1=1 --", ""])
def test_a_run_that_is_not_there_is_reported(store: RunStore, run_id: str) -> None:
    keep(store)
    with pytest.raises(NoSuchRun, match="has no run"):
        store.read(run_id)


def test_a_list_is_read_no_further_than_it_is_asked_for(store: RunStore) -> None:
    runs = [keep(store) for _ in range(5)]
    heads = store.heads(Query())
    assert next(heads)["run_id"] == runs[-1]
    del heads
    assert ids(store, limit=1) == [runs[-1]]
    # And it stands in nobody's way.
    assert keep(store) == ids(store, limit=1)[0]


@pytest.mark.parametrize(
    "url_of",
    [
        "sqlite:////proc/nowhere/runs.db",
        "postgresql://me:hush%21@127.0.0.1:9/greeks",
        "postgresql://me@127.0.0.1:9/greeks?password=hush%21",
        "/proc/nowhere/metrics",
    ],
)
def test_a_history_that_can_not_be_reached_is_reported_without_the_password(url_of: str) -> None:
    with pytest.raises(StoreError, match="can't be used") as raised:
        open_store(url_of).start(record())
    message = str(raised.value)
    assert "hush" not in message
    assert raised.value.__cause__ is None or "hush" not in str(raised.value.__cause__)


def test_a_wrong_password_is_not_repeated() -> None:
    with postgresql.database() as url:
        user, _, place = url.partition("@")
        wrong = f"{user.rpartition(':')[0]}:wr0ng%2Fword@{place}"
        with pytest.raises(StoreError, match="password authentication failed") as raised:
            open_store(wrong)
    assert "wr0ng" not in str(raised.value)


def test_a_history_apart_loads_no_library_of_databases_here(tmp_path: Path) -> None:
    code = (
        "import sys; from pipeline.history import *\n"
        "store = open_store(sys.argv[1], apart=True); record = {}\n"
        "store.start(record); store.rest(); store.finish(record | {'status': 'succeeded'})\n"
        "assert not {'sqlalchemy', 'psycopg', 'sqlite3'} & set(sys.modules)\n"
    )
    url = f"sqlite:///{tmp_path}/runs.db"
    # Coverage keeps what it measured in SQLite.
    environment = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    subprocess.run([sys.executable, "-c", code, url], check=True, env=environment)
    (head,) = open_store(url).heads(Query())
    assert head["status"] == SUCCEEDED


def keepers() -> list[psutil.Process]:
    """The children that keep a history apart."""
    return [
        child
        for child in psutil.Process().children()
        if "pipeline.history.apart" in child.cmdline()
    ]


def test_a_history_apart_that_ends_by_itself_is_reported(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db", apart=True)
    (child,) = keepers()
    child.kill()
    child.wait()
    with pytest.raises(StoreError, match="the process that keeps it ended"):
        store.start(record())
    # And another one is begun for the next call.
    assert ids(store) == []
    store.rest()
    assert keepers() == []


def results(count: int) -> list[Record]:
    return [
        ExpirationResult(
            request_for(f"2024-03-{14 + n}"), WRITTEN, rows=n, bytes=9 * n, path=f"{n}.csv"
        ).describe()
        for n in range(count)
    ]


def test_results_beyond_those_of_the_record_are_kept_beside_it(
    url: str, store: RunStore, tmp_path: Path
) -> None:
    begun = record()
    run_id = store.start(begun)
    folder = Path(store.results_folder(run_id))
    folder.mkdir(parents=True)
    lines = [json.dumps(each) for each in results(6)]
    (folder / "a.jsonl").write_text("\n".join(lines[:3]) + "\n")
    (folder / "b.jsonl").write_text("\n".join(lines[3:]) + "\n")
    paths = [str(folder / name) for name in ("a.jsonl", "b.jsonl")]
    ended = begun | {"status": SUCCEEDED, "expirations": results(2), "results_files": paths}
    store.finish(ended)
    (kept,) = ended["results_files"]
    assert run_id in kept or "greeks_results" in kept
    # As a command reads it, whatever process kept it.
    reader = open_store(url)
    assert list(reader.results(reader.read(run_id))) == results(6)
    # One that lists all of its results has no file.
    other = keep(store, expirations=results(2))
    assert list(reader.results(reader.read(other))) == results(2)
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            counted = "select run_id, count(*), sum(rows) from greeks_results group by run_id"
            assert connection.execute(counted).fetchall() == [(run_id, 6, 15), (other, 2, 1)]
        connection.close()


def test_a_killed_run_has_the_results_that_it_had(tmp_path: Path) -> None:
    url = str(tmp_path / "metrics")
    kill_a_run(url)
    store = open_store(url)
    (head,) = store.heads(Query())
    folder = Path(store.results_folder(head["run_id"]))
    folder.mkdir()
    lines = [json.dumps(each) for each in results(3)]
    (folder / "a.jsonl").write_text("\n".join(lines)[:-5])
    (buried,) = store.bury()
    assert list(store.results(store.read(buried["run_id"]))) == results(2)
    assert list((tmp_path / "metrics" / "running").iterdir()) == []

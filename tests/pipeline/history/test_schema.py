import json
import sqlite3
from pathlib import Path

import pytest

from pipeline.history import SUCCEEDED, Query, StoreError, open_store
from pipeline.history.schema import NEWEST

# The tables as their first version made them, with a run.
FIRST = """
create table greeks_schema (version integer not null);
insert into greeks_schema values (1);
create table greeks_runs (
  run_id varchar(64) not null primary key, status varchar(16) not null,
  start_time varchar(40) not null, head text not null, record text not null
);
create index greeks_runs_start on greeks_runs (start_time);
create index greeks_runs_status_start on greeks_runs (status, start_time);
create table greeks_run_symbols (
  run_id varchar(64) not null, symbol varchar(32) not null, primary key (run_id, symbol)
);
create index greeks_run_symbols_symbol on greeks_run_symbols (symbol, run_id);
"""


def test_an_older_database_is_migrated_in_place_and_keeps_its_runs(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    head = {
        "run_id": "old",
        "status": "succeeded",
        "start_time": "2026-01-01T00:00:00+00:00",
        "symbols": ["SPXW"],
    }
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST)
        connection.execute(
            "insert into greeks_runs values (?, ?, ?, ?, ?)",
            ("old", "succeeded", head["start_time"], json.dumps(head), json.dumps({"kept": 1})),
        )
    connection.close()
    store = open_store(f"sqlite:///{path}")
    assert store.read("old") == {"kept": 1}
    record: dict[str, object] = {}
    run_id = store.start(record)
    samples = {name: [1.0] for name in ("seconds", "rows", "bytes", "done", "in_flight", "memory")}
    store.finish(record | {"status": SUCCEEDED, "samples": samples})
    assert store.read(run_id)["samples"] == samples
    assert [each["run_id"] for each in store.heads(Query())] == [run_id, "old"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("select version from greeks_schema").fetchall() == [(NEWEST,)]
    connection.close()


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("update greeks_schema set version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99, and this program knows .*: update it"):
        open_store(f"sqlite:///{path}")

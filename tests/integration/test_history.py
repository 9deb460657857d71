"""Runs whose history is in a database."""

import json
import subprocess
import sys
from datetime import date
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipeline.history import Query, open_store
from tests.support import postgresql
from tests.support.answers import rows_of
from tests.support.command import greeks
from tests.support.data import files_in
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]


@pytest.mark.slow
def test_a_run_is_kept_in_postgresql_and_no_password_is_printed(tmp_path: Path) -> None:
    with postgresql.database() as url, scripted_server(terminal()) as server:
        password = url.partition("@")[0].rpartition(":")[2]
        out = greeks(tmp_path, *DOWNLOAD, "--terminal", server.url, "--metrics", url)
        listed = greeks(tmp_path, "runs", "list", "--metrics", url, "--json")
        shown = greeks(tmp_path, "runs", "show", "last", "--metrics", url, "--json")
    (head,) = json.loads(listed)
    assert (head["status"], head["rows"], head["expirations"]) == ("succeeded", 30, 3)
    record = json.loads(shown)
    assert record["request"]["metrics"].startswith("postgresql://greeks:***@127.0.0.1")
    assert record["samples"]["rows"][-1] == 30
    assert f"run {head['run_id']}" in out
    assert password not in out + listed + shown
    # Nor anywhere on the disk.
    assert not any(password.encode() in content for content in files_in(tmp_path).values())


def test_a_record_that_its_database_can_not_take_is_kept_beside_the_files(tmp_path: Path) -> None:
    def answer(request: GreeksRequest) -> Answer:
        if request.expiration == date(2024, 3, 18):
            (tmp_path / "runs.db").write_text("no database any more")
        return Answer(rows_of(request, request.trade_dates[0], 10))

    with scripted_server(terminal(answer)) as server:
        flags = ["--terminal", server.url, "--metrics", "sqlite:///runs.db"]
        out = greeks(tmp_path, *DOWNLOAD, *flags, code=1)
    assert "the run history in sqlite:///runs.db can't be used: file is not a database" in out
    assert "the record is kept in data/greeks.meta/records/pipeline-run-" in out
    (path,) = (tmp_path / "data" / "greeks.meta" / "records").iterdir()
    assert json.loads(path.read_text())["total_records"] == 30
    assert "3 written" in out


def test_a_run_that_was_killed_is_buried_in_a_database_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    die = (
        "import os, signal, sys\n"
        "from pipeline.history import open_store\n"
        "open_store(sys.argv[1]).start({'request': {}, 'meta': sys.argv[2]})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    meta = tmp_path / "data" / "greeks.meta"
    subprocess.run([sys.executable, "-c", die, url, str(meta)], check=False)
    (head,) = open_store(url).heads(Query())
    left = meta / "unfinished" / head["run_id"]
    left.mkdir(parents=True)
    (left / "half.csv").write_text("half")
    with scripted_server(terminal()) as server:
        flags = ["--terminal", server.url, "--metrics", url]
        out = greeks(tmp_path, *DOWNLOAD, *flags)
    assert f"an earlier run was killed, and is now marked so: {head['run_id']}" in out
    assert not left.exists()
    assert [each["status"] for each in open_store(url).heads(Query())] == ["succeeded", "died"]


@pytest.mark.parametrize("command", [["runs", "list"], [*DOWNLOAD, "--terminal", "http://[::1]:9"]])
def test_without_the_extra_the_error_names_it_once(command: list[str], tmp_path: Path) -> None:
    # Found before the real one, in this process and in those that it starts.
    missing = "raise ModuleNotFoundError('No module named psycopg', name='psycopg')"
    (tmp_path / "psycopg.py").write_text(missing)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *command, "--metrics", "postgresql://h/d"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (1, 2)
    says = "-m pip install 'theta-greeks-pipeline[sql]'"
    assert done.stderr.count(says) == 1
    assert done.stderr.count("can't be used") == 1
    assert "Traceback" not in done.stderr


def test_the_plain_installation_has_what_sqlite_needs() -> None:
    needed = [Requirement(text) for text in requires("theta-greeks-pipeline") or ()]
    plain = [each for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
    assert {"sqlalchemy"} <= {each.name.lower() for each in plain}
    assert "psycopg" not in {each.name for each in plain}


def test_without_a_database_sqlalchemy_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pipeline.cli.main import main; main(['runs', 'list'])\n"
        "import pipeline.run.command\n"
        "sys.exit(bool({'sqlalchemy', 'psycopg', 'rich', 'tqdm'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)

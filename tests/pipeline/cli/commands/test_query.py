"""`greeks query`: what it answers, in which form, and what it refuses."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pipeline.folder import print_catalog
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, run_here, start
from tests.support.data import files_in
from tests.support.folder import fill
from tests.support.waiting import wait_for
from transforms.text.extras import install

TEN = "ny_time = '2024-03-14 10:00'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("query")
    with TerminalServer() as terminal:
        fill(made / "data" / "greeks", terminal)
    return made


def test_csv_and_json_have_all_rows_and_the_table_fits_the_terminal(folder: Path) -> None:
    sql = f'SELECT * FROM greeks WHERE {TEN} ORDER BY strike, "right"'
    rows = list(csv.DictReader(io.StringIO(greeks_here(folder, "query", sql, "--csv"))))
    documents = json.loads(greeks_here(folder, "query", sql, "--json"))
    assert len(rows) == len(documents) > 100
    assert rows[0]["timestamp"] == documents[0]["timestamp"] == "2024-03-14T10:00:00-04:00"
    assert rows[0]["solved"] == "false"
    assert [float(row["strike"]) for row in rows] == [each["strike"] for each in documents]
    for width in (40, 60, 80, 120, 200):
        shown = greeks_here(folder, "query", sql, COLUMNS=str(width))
        assert max(map(len, shown.splitlines())) <= width
        assert "symbol" in shown
        assert f"{len(rows)} rows (40 shown)" in " ".join(shown.split())
    shown = greeks_here(folder, "query", "SELECT * FROM greeks, range(9)", COLUMNS="60")
    assert shown.splitlines()[-2] == "  ? rows (>9999 rows, 40 shown)"
    assert "23 columns (" in shown


def test_values_keep_their_worth_in_every_form(folder: Path) -> None:
    sql = (
        "SELECT 170141183460469231731687303715884105727 AS large, 1.50::DECIMAL(4, 2) AS price, "
        "'nan'::DOUBLE AS none, [DATE '2024-03-15'] AS days, {'a': 1} AS part, NULL AS empty, "
        "'a \"quoted\", text' AS text, TRUE AS yes"
    )
    (document,) = json.loads(greeks_here(folder, "query", sql, "--json"))
    assert document == {
        "large": 2**127 - 1,
        "price": 1.5,
        "none": None,
        "days": ["2024-03-15"],
        "part": {"a": 1},
        "empty": None,
        "text": 'a "quoted", text',
        "yes": True,
    }
    (row,) = csv.DictReader(io.StringIO(greeks_here(folder, "query", sql, "--csv")))
    assert (row["large"], row["price"], row["yes"]) == (str(2**127 - 1), "1.50", "true")
    assert (row["days"], row["part"], row["empty"]) == ('["2024-03-15"]', '{"a": 1}', "")
    assert row["text"] == document["text"]
    assert json.loads(greeks_here(folder, "query", "SELECT 1 AS a WHERE false", "--json")) == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT nope FROM greeks", 'Referenced column "nope" not found'),
        ("SELECT 'x'::INTEGER", "Could not convert string 'x' to INT32"),
        ("COPY greeks TO 'stolen.csv'", "COPY is no query, which only reads"),
        ("EXPLAIN ANALYZE COPY greeks TO 'stolen.csv'", "EXPLAIN is no query"),
        ("CREATE TABLE t AS SELECT 1", "CREATE is no query"),
        ("SELECT 1; SELECT 2", "2 statements were given, not one"),
        ("", "0 statements were given, not one"),
    ],
)
def test_what_is_no_query_is_a_usage_error_in_duckdbs_words_and_changes_nothing(
    folder: Path, sql: str, says: str
) -> None:
    greeks_here(folder, "query", "SELECT 1")  # the catalog is there
    before = files_in(folder)
    code, _, err = run_here(folder, "query", sql, "--csv")
    assert code == 2
    assert err.startswith("greeks query: ")
    assert says in err
    assert files_in(folder) == before


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--csv"]])
def test_ctrl_c_ends_a_query(folder: Path, form: list[str]) -> None:
    greeks_here(folder, "query", "SELECT 1")  # the catalog is there
    sql = "SELECT sum(hash(i)) FROM range(1000000000000) AS t(i)"
    process = start(folder, "query", sql, *form)
    # Before the query it takes less than a second.
    wait_for("the query", lambda: psutil.Process(process.pid).cpu_times().user > 3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")


def test_columns_of_one_name_are_not_lost_in_json(folder: Path) -> None:
    shown = greeks_here(folder, "query", "SELECT 1 AS a, 2 AS a", "--json", code=2)
    assert "two columns are named a: give one another name, with AS" in shown


def test_a_folder_without_files_and_one_elsewhere_are_said_to_be(tmp_path: Path) -> None:
    assert "there are no files in data/greeks to query" in greeks_here(
        tmp_path, "query", "SELECT 1", code=2
    )
    assert not list(tmp_path.iterdir())
    shown = greeks_here(tmp_path, "query", "SELECT 1", "--output", "ftp://host/greeks", code=2)
    assert "no file system here knows ftp://" in shown


def test_without_duckdb_the_extra_is_named(folder: Path) -> None:
    hidden = "import sys; sys.modules['duckdb'] = None; from pipeline.__main__ import run; run()"
    code = f"{hidden}".replace("run()", "sys.exit(run())")
    done = subprocess.run(
        [sys.executable, "-c", code, "query", "SELECT 1"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"greeks query: DuckDB is not installed: {sys.executable} -m pip install "
        "'theta-greeks-pipeline[notebook]'\n"
    )


@pytest.mark.parametrize("name", ["greeks", "it's [here], 50 %?"])
@pytest.mark.parametrize("on_path", [True, False])
def test_what_a_run_prints_next_is_a_command_that_works_in_a_shell(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    on_path: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    scripts = str(Path(sys.executable).parent)
    if on_path:
        monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    with TerminalServer() as terminal:
        fill(Path("data") / name, terminal)
    print_catalog(f"data/{name}")
    command = capsys.readouterr().out.removeprefix("queries: ").strip()
    assert command.startswith("greeks query " if on_path else f"{scripts}/greeks query ")
    done = subprocess.run(["bash", "-c", f"{command} --csv"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("SPXW,2024-03-15,")


def test_an_extra_is_installed_into_the_environment_that_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bin"
    own.mkdir()
    monkeypatch.setattr(sys, "executable", str(own / "python"))
    monkeypatch.chdir(tmp_path)
    assert install("s3") == "bin/python -m pip install 'theta-greeks-pipeline[s3]'"
    (own / "pip").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(own))
    assert install("s3") == "pip install 'theta-greeks-pipeline[s3]'"
    monkeypatch.chdir(own)
    monkeypatch.setenv("PATH", "/nowhere")
    assert install("s3").startswith(f"{own}/python -m pip")


def test_the_program_of_an_environment_below_the_folder_is_named_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipeline.process.program import program

    monkeypatch.chdir(Path(sys.executable).parents[1])
    assert program() == ["bin/greeks"]
    monkeypatch.setattr(sys, "executable", "/usr/lib/nowhere/python")
    assert program() == ["/usr/lib/nowhere/python", "-m", "pipeline"]

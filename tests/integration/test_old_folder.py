"""A folder that was made before the manifest had an index is read as it is.

`tests/support/folder_of_before` is what the version of 2026-11-28 left of three expirations, one of
them without data: two manifest entries were written for each file then, and there was no index.
"""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

import tests.support
from pipeline.cli.main import main
from tests.support.answers import rows_of
from tests.support.data import files_in
from tests.support.market import NO_DATA, terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

COMMAND = "download --symbol SPXW --start_date 2024-03-14 --retry_empty_after 36500"
NEAR = "2024-03-14/SPXW_20240314.csv"


@pytest.fixture(autouse=True)
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    made = Path(str(tests.support.__file__)).with_name("folder_of_before")
    shutil.copytree(made, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    # A catalog names its folder.
    catalog = Path("data/greeks.meta/catalog.sql")
    catalog.write_text(catalog.read_text().replace("/where/it/was/made", str(tmp_path)))
    return files_in(Path("data"))


def answer(request: GreeksRequest) -> Answer:
    if request.expiration.day == 18:
        return NO_DATA
    return Answer(rows_of(request, request.trade_dates[0], 10))


def fetched(command: str = COMMAND) -> list[str]:
    with scripted_server(terminal(answer)) as server:
        assert main([*command.split(), "--terminal", server.url]) == 0
    return [query["expiration"] for path, query in server.seen if "/history/greeks/" in path]


def test_a_run_and_a_verification_find_it_as_it_was_made(before: dict[str, bytes]) -> None:
    assert main(["verify"]) == 0
    assert fetched() == []
    after = files_in(Path("data"))
    kept = {name for name in before if not name.endswith("catalog.sql")}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert fetched() == []
    assert main(["verify"]) == 0


def test_its_catalog_answers_before_a_run_and_after_one() -> None:
    answers = []
    for _ in range(2):
        connection = duckdb.connect()
        connection.execute(Path("data/greeks.meta/catalog.sql").read_text())
        views = [
            "SELECT count(*) FROM greeks",
            "SELECT symbol, expiration, interval, greeks, rows, bytes, source, run_id, time, "
            "sha256 FROM files ORDER BY expiration",
        ]
        answers.append([connection.sql(view).fetchall() for view in views])
        assert fetched() == []
    assert answers[0] == answers[1]
    assert answers[0][0] == [(20,)]
    assert len(answers[0][1]) == 2


@pytest.mark.parametrize("state", ["committing", "committed"])
def test_a_crash_of_the_version_of_then_costs_one_fetch(
    state: str, before: dict[str, bytes]
) -> None:
    entry = Path(f"data/greeks.meta/files/{NEAR}.json")
    entry.write_text(json.dumps(json.loads(entry.read_text()) | {"state": state}))
    if state == "committed":
        Path("data/greeks", NEAR).unlink()
    assert fetched() == ["2024-03-14"]
    assert files_in(Path("data/greeks")) == {
        name.removeprefix("greeks/"): content
        for name, content in before.items()
        if name.startswith("greeks/")
    }
    assert fetched() == []

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.support.data import layout_in, request_for
from transforms.model import GreeksRequest
from transforms.output.entry import COMMITTED, COMMITTING, Entry
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest, conflict
from transforms.storage import documents

REQUEST = request_for("2024-03-15")


def entry(state: str = COMMITTED) -> Entry:
    return Entry(
        state,
        REQUEST.describe(),
        "live",
        "run-1",
        rows=10,
        bytes=1000,
        sha256="ab" * 32,
        versions={"pyarrow": "25"},
    )


def manifest_in(folder: Path, *, with_file: bool = True) -> Manifest:
    layout = layout_in(folder)
    if with_file:
        path = Path(layout.path(REQUEST))
        path.parent.mkdir(parents=True)
        path.write_text("data")
    return Manifest(layout.folder)


def path_in(folder: Path) -> str:
    return layout_in(folder).path(REQUEST)


def problem_of(
    manifest: Manifest, request: GreeksRequest = REQUEST, source: str = "live"
) -> str | None:
    path = Layout(manifest.folder.path, ".csv", "run-1").path(request)
    return conflict(path, manifest.entry_of(path), request, source)


def test_an_entry_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path)
    assert manifest.entry_of(path_in(tmp_path)) is None
    manifest.write(path_in(tmp_path), entry())
    read = manifest.entry_of(path_in(tmp_path))
    assert read is not None
    assert replace(read, time="") == entry()
    assert read.time.endswith("+00:00")


def test_nothing_there_is_no_conflict(tmp_path: Path) -> None:
    assert problem_of(manifest_in(tmp_path, with_file=False)) is None


@pytest.mark.parametrize("state", [COMMITTING, COMMITTED])
def test_the_request_that_made_a_file_may_replace_it(state: str, tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path)
    manifest.write(path_in(tmp_path), entry(state))
    assert problem_of(manifest) is None


@pytest.mark.parametrize(
    ("other", "source", "expected"),
    [
        (
            replace(REQUEST, trade_dates=(date(2024, 3, 13),)),
            "live",
            "first_trade_date 2024-03-14.*this request has first_trade_date 2024-03-13",
        ),
        (replace(REQUEST, interval="1m"), "live", "it has interval 5m; .* interval 1m"),
        (REQUEST, "simulated", "it has source live; .* source simulated"),
    ],
)
@pytest.mark.parametrize("state", [COMMITTING, COMMITTED])
def test_another_request_may_not(
    other: GreeksRequest, source: str, expected: str, state: str, tmp_path: Path
) -> None:
    import re

    manifest = manifest_in(tmp_path)
    manifest.write(path_in(tmp_path), entry(state))
    problem = problem_of(manifest, other, source)
    assert problem is not None
    assert "SPXW_20240315.csv was made by another request" in problem
    assert re.search(expected, problem)


def test_a_parameter_that_is_missing_now_is_named(tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path)
    narrow = {**REQUEST.describe(), "strike_range": "3"}
    manifest.write(path_in(tmp_path), replace(entry(), request=narrow))
    problem = problem_of(manifest)
    assert problem is not None
    assert "it has strike_range 3; this request has strike_range (none)" in problem


def test_a_file_of_unknown_origin_may_not_be_replaced(tmp_path: Path) -> None:
    problem = problem_of(manifest_in(tmp_path))
    assert problem is not None
    assert "nothing says which request made it" in problem


def test_an_entry_without_its_file_stands_in_nobodys_way(tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path, with_file=False)
    manifest.write(path_in(tmp_path), entry())
    assert problem_of(manifest, replace(REQUEST, interval="1m")) is None


@pytest.mark.parametrize(
    "fields", [{"dates_with_rows": "all"}, {"missing_since": "lately"}, {"dates_with_rows": 1}]
)
def test_an_entry_whose_dates_can_not_be_read_is_broken(
    fields: dict[str, object], tmp_path: Path
) -> None:
    manifest = manifest_in(tmp_path)
    manifest.write(path_in(tmp_path), entry())
    document = Path(manifest.folder.entry(manifest.folder.name(path_in(tmp_path))))
    document.write_text(json.dumps(json.loads(document.read_text()) | fields))
    with pytest.raises(ValueError, match="is not an entry of the manifest"):
        manifest.entry_of(path_in(tmp_path))


@pytest.mark.parametrize("content", ["{}", "[]", "not json"])
def test_a_broken_entry_is_an_error_and_not_an_absence(content: str, tmp_path: Path) -> None:
    manifest = manifest_in(tmp_path)
    manifest.write(path_in(tmp_path), entry())
    (path,) = (tmp_path / "greeks.meta" / "files").rglob("*.json")
    path.write_text(content)
    with pytest.raises(ValueError, match="."):
        manifest.entry_of(path_in(tmp_path))


def test_a_document_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    documents.write_json(str(path), {"n": 1}, str(tmp_path / "unfinished"))
    with pytest.raises(TypeError):
        documents.write_json(str(path), {"n": object()}, str(tmp_path / "unfinished"))
    assert json.loads(path.read_text()) == {"n": 1}
    assert documents.read_json(str(tmp_path / "nothing.json")) is None

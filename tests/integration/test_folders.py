"""Output folders in unusual places: odd names, mount points, links, and two names for one folder."""

import shlex
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support.answers import rows_of
from tests.support.command import greeks_here, start
from tests.support.data import files_in
from tests.support.market import terminal
from tests.support.scripted import Answer, Script, scripted_server
from transforms.storage import files

GOOD = "download --symbol SPXW --start_date 2024-03-14"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def download(output: Path | str, script: Script | None = None, *, code: int = 0) -> int:
    """Downloads three small files; returns how many bodies of rows were fetched."""
    with scripted_server(script or terminal()) as server:
        assert main([*shlex.split(GOOD), "--output", str(output), "--terminal", server.url]) == code
    return sum("/history/greeks/" in path for path, _ in server.seen)


@pytest.mark.parametrize("name", ["[a-z]", "a*", "wh?t", "[!a]", "a[", "{b}"])
def test_a_name_with_the_characters_of_patterns_is_a_name(tmp_path: Path, name: str) -> None:
    others = [tmp_path / each / "x" for each in ("a", "ab", "what", "b", "a.meta/unfinished")]
    for other in others:
        other.mkdir(parents=True)
    output = f"{name}/x"
    assert download(output) == 3
    assert download(output) == 0
    assert main(["verify", "--output", output]) == 0
    assert main(["check", output]) == 1  # the scripted rows break rules, and are read
    assert main(["diff", output, output]) == 0
    assert len(files_in(Path(output))) == 3
    assert not list(Path(f"{output}.meta/unfinished").iterdir())
    assert all(other.is_dir() for other in others)


@pytest.mark.parametrize("scheme", ["", "other://"])
def test_what_a_pattern_would_match_is_neither_listed_nor_removed(
    tmp_path: Path, scheme: str
) -> None:
    from tests.support import other_filesystem

    assert other_filesystem.OtherFileSystem.scheme() == "other"
    for name in ("ab", "a?", "a*", "a[b]"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
    for name in ("a?", "a*", "a[b]"):
        folder = f"{scheme}{str(tmp_path).lstrip('/') if scheme else tmp_path}/{name}"
        assert list(files.below(folder)) == [f"{folder}/file"]
        if not scheme:
            files.remove_folder(folder)
            assert not (tmp_path / name).exists()
    assert (tmp_path / "ab" / "file").exists()

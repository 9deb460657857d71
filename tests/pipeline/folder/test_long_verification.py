"""A verification of many files reads a sample, is stopped, goes on, and corrects what it found."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.folder import output_lock, verify
from pipeline.folder.counted import CountedIterator
from pipeline.folder.verification import Looked
from tests.pipeline.folder.test_verification import (
    DAMAGES,
    break_entry,
    delete,
    entry_of,
    flip,
    folder_of,
    forget,
    leave_uncommitted,
    miscount,
    truncate,
)
from tests.support.data import DAY, batches_of, files_in, layout_in, request_for
from transforms.commit.expiration_writer import ExpirationWriter
from transforms.model import Trailer
from transforms.output.layout import Layout
from transforms.sinks.formats import make_sink
from transforms.storage import documents

MANY = 30


def write(layout: Layout, number: int, rows: int = 20) -> Path:
    writer = ExpirationWriter(make_sink("csv", "none", layout), "live")
    request = request_for(str(DAY + timedelta(days=number)))
    for item in [*batches_of(request, rows), Trailer(1, rows, 1)]:
        writer.write(request, item)
    return Path(layout.path(request))


def many(tmp_path: Path) -> tuple[Layout, list[Path]]:
    layout = layout_in(tmp_path)
    return layout, [write(layout, number) for number in range(MANY)]


def test_a_sample_reads_some_of_the_files_and_checks_the_size_of_all(tmp_path: Path) -> None:
    layout, paths = many(tmp_path)
    flip(paths[3], layout)
    truncate(paths[7], layout)
    paths[9].unlink()
    seen, counts = set(), set()
    for day in range(30):
        found = verify(layout.output, sample=0.1, of=str(day))
        assert found == verify(layout.output, sample=0.1, of=str(day))
        assert found.files == MANY
        named = {problem.path for problem in found.problems}
        assert {str(paths[7]), str(paths[9])} <= named <= {str(paths[each]) for each in (3, 7, 9)}
        seen |= named
        counts.add(found.read)
    assert str(paths[3]) in seen
    assert max(counts) < MANY // 2


class Stopped(Exception):
    """Stops a verification."""


def stop_after(number: int) -> Callable[[CountedIterator[Looked]], Iterator[Looked]]:
    def track(files: CountedIterator[Looked]) -> Iterator[Looked]:
        for done, each in enumerate(files):
            if done == number:
                raise Stopped
            yield each

    return track


def test_a_verification_that_was_stopped_goes_on_and_reports_what_it_had_found(
    tmp_path: Path,
) -> None:
    layout, paths = many(tmp_path)
    note = Path(layout.folder.meta) / "verified.json"
    flip(paths[2], layout)
    flip(paths[25], layout)
    with pytest.raises(Stopped):
        verify(layout.output, stop_after(20))
    assert note.exists()
    write(layout, 5, rows=21)  # by a run that came in between
    with pytest.raises(Stopped):
        verify(layout.output, stop_after(24))
    found = verify(layout.output)
    assert [problem.path for problem in found.problems] == [str(paths[2]), str(paths[25])]
    # What was not read yet, what had a problem, and what is new since it began.
    assert (found.files, found.read) == (MANY, MANY - 24 + 2)
    assert any("went on after" in each for each in found.notes)
    assert not note.exists()
    assert verify(layout.output).read == MANY


def test_a_note_that_is_broken_begins_anew(tmp_path: Path) -> None:
    layout, _ = many(tmp_path)
    for content in ("", "[]", '{"began": 1}', '{"began": "2024-01-01", "with_problems": 3}'):
        (Path(layout.folder.meta) / "verified.json").write_text(content)
        assert verify(layout.output).read == MANY


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_fix_sets_aside_what_is_proven_to_be_wrong_and_nothing_else(
    tmp_path: Path, damage: object, capsys: pytest.CaptureFixture[str]
) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    assert callable(damage)
    damage(path, layout)
    before = files_in(tmp_path / "greeks")
    assert main(["verify", "--output", layout.output, "--fix"]) == 1
    fixed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fixed: ")]
    after = files_in(tmp_path / "greeks")
    if damage in (flip, truncate, forget):
        (line,) = fixed
        name = str(path.relative_to(layout.output))
        assert f"fixed: {path} was set aside as " in line
        aside = files_in(Path(layout.folder.meta) / "aside")
        assert list(aside.values()) == [before.pop(name)]
        problems = verify(layout.output).problems
        assert len(problems) == (0 if damage is forget else 1)
        assert all("is missing; the next run fetches it" in each.message for each in problems)
    else:
        assert damage in (delete, break_entry, miscount, leave_uncommitted)
        assert fixed == []
    assert after == before


def test_fix_removes_what_killed_runs_left_and_sets_aside_what_no_run_made(tmp_path: Path) -> None:
    _, layout = folder_of(tmp_path, ("csv", "none"))
    extra = Path(layout.output) / "notes.txt"
    extra.write_text("mine")
    stray = Path(layout.folder.temporary("20240314T000000.000000Z")) / "x.csv"
    stray.parent.mkdir(parents=True)
    stray.write_text("half")
    assert main(["verify", "--output", layout.output, "--fix"]) == 1
    assert not stray.exists()
    assert list(files_in(Path(layout.folder.meta) / "aside").values()) == [b"mine"]
    assert main(["verify", "--output", layout.output]) == 0


def test_fix_does_nothing_beside_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    flip(path, layout)
    before = files_in(tmp_path / "greeks")
    with output_lock(layout_in(tmp_path, run_id="20240314T000000.000000Z")):
        assert main(["verify", "--output", layout.output, "--fix"]) == 2
    assert "another run is writing to" in capsys.readouterr().err
    assert files_in(tmp_path / "greeks") == before


def test_fix_touches_no_file_of_a_folder_whose_manifest_is_gone(tmp_path: Path) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    for each in Path(layout.folder.entries).rglob("*.json"):
        each.unlink()
    before = files_in(tmp_path / "greeks")
    assert main(["verify", "--output", layout.output, "--fix"]) == 1
    assert files_in(tmp_path / "greeks") == before
    assert path.exists()
    assert not entry_of(path, layout).exists()


@pytest.mark.parametrize("sample", ["5", "0%", "101%", "-3%", "half", ""])
def test_a_sample_is_a_percentage(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", f"--sample={sample}"])
    assert "not a percentage such as 5%" in capsys.readouterr().err


def test_verify_opens_each_document_of_a_folder_without_an_index_once(tmp_path: Path) -> None:
    layout, _ = many(tmp_path)
    index = Path(layout.folder.index)
    assert not index.exists()
    opened: list[str] = []
    open_as_ever = documents.read_marked

    def read_marked(path: str) -> object:
        opened.append(path)
        return open_as_ever(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "read_marked", read_marked)
        assert verify(layout.output).files == MANY
    entries = [path for path in opened if path.startswith(layout.folder.entries)]
    assert len(entries) == len(set(entries)) == MANY
    assert index.exists()

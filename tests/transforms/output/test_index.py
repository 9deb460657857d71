"""The index of a manifest saves opening the documents, and is never believed alone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.data import layout_in, request_for
from transforms.output.entry import COMMITTED, EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.index import entries, windows
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest
from transforms.storage import files

DAYS = [f"2024-03-{day}" for day in (14, 15, 18, 19, 20)]


def add(layout: Layout, day: str, rows: int = 10, state: str = COMMITTED) -> str:
    request = request_for(day)
    path = layout.path(request)
    if state == COMMITTED:
        files.make_folder(path.rpartition("/")[0])
        Path(path).write_bytes(b"x" * rows)
    entry = Entry(
        state,
        request.describe(),
        "live",
        "run-1",
        rows=rows,
        bytes=rows,
        sha256="0" * 64,
        format="csv",
        compression="none",
        quality={"findings": [{"rule": "negative_bid", "count": 3, "examples": []}]},
    )
    Manifest(layout.folder).write(path, entry)
    return path


def folder_in(tmp_path: Path) -> Layout:
    layout = layout_in(tmp_path)
    for day in DAYS:
        add(layout, day, state=EMPTY if day == DAYS[1] else COMMITTED)
    keep(layout.folder)
    return layout


def keep(folder: OutputFolder) -> None:
    for _ in windows(folder, keep=True):
        pass


def document_of(layout: Layout, day: str) -> Path:
    return Path(layout.folder.entry(layout.name(request_for(day))))


def spoil(document: Path) -> None:
    """Makes a document unreadable that looks in a listing as it did."""
    known = document.stat()
    document.write_bytes(b"?" * known.st_size)
    os.utime(document, ns=(known.st_atime_ns, known.st_mtime_ns))


def from_documents(folder: OutputFolder) -> list[tuple[str, Entry]]:
    index = Path(folder.index)
    aside = index.rename(index.with_suffix(".aside")) if index.exists() else None
    try:
        return found_in(folder)
    finally:
        if aside:
            aside.rename(index)


def found_in(folder: OutputFolder) -> list[tuple[str, Entry]]:
    found = []
    for name, entry in entries(folder):
        assert isinstance(entry, Entry), entry
        found.append((name, entry))
    return found


def test_an_index_that_listings_prove_opens_no_document(tmp_path: Path) -> None:
    layout = folder_in(tmp_path)
    expected = from_documents(layout.folder)
    for day in DAYS:
        spoil(document_of(layout, day))
    assert found_in(layout.folder) == expected
    assert [name for name, _ in expected] == [layout.name(request_for(day)) for day in DAYS]


def rewrite_equally(layout: Layout) -> None:
    """Another number of as many digits, so that the document keeps its size."""
    document = document_of(layout, DAYS[2])
    document.write_text(document.read_text().replace('"rows": 10', '"rows": 77'))


CHANGES: list[Callable[[Layout], object]] = [
    lambda layout: add(layout, DAYS[0], rows=20),
    lambda layout: add(layout, "2024-03-21"),
    lambda layout: add(layout, "2024-03-16"),
    lambda layout: document_of(layout, DAYS[0]).unlink(),
    lambda layout: document_of(layout, DAYS[-1]).unlink(),
    lambda layout: list(map(Path.unlink, (document_of(layout, day) for day in DAYS))),
    rewrite_equally,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_document_that_came_went_or_changed_is_seen_and_the_next_index_has_it(
    tmp_path: Path, change: Callable[[Layout], object]
) -> None:
    layout = folder_in(tmp_path)
    before = found_in(layout.folder)
    change(layout)
    after = from_documents(layout.folder)
    assert found_in(layout.folder) == after != before
    keep(layout.folder)
    for document in Path(layout.folder.entries).rglob("*.json"):
        spoil(document)
    assert found_in(layout.folder) == after


def test_a_damaged_index_costs_time_and_gives_the_same_entries(tmp_path: Path) -> None:
    layout = folder_in(tmp_path)
    index = Path(layout.folder.index)
    whole, expected = index.read_bytes(), from_documents(layout.folder)
    damaged = [b"", b"PAR1", whole[: len(whole) // 2], whole[:-1], whole * 2]
    places = range(0, len(whole), 41)
    damaged += [whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :] for at in places]
    for content in damaged:
        index.write_bytes(content)
        assert found_in(layout.folder) == expected
    keep(layout.folder)
    for day in DAYS:
        spoil(document_of(layout, day))
    assert found_in(layout.folder) == expected


def test_the_index_of_another_folder_is_not_believed(tmp_path: Path) -> None:
    one, other = folder_in(tmp_path / "one"), layout_in(tmp_path / "other")
    add(other, DAYS[0], rows=99)
    Path(other.folder.index).write_bytes(Path(one.folder.index).read_bytes())
    assert [entry.rows for _, entry in found_in(other.folder)] == [99]


def test_a_broken_document_is_named_each_time_and_never_in_the_index(tmp_path: Path) -> None:
    layout = folder_in(tmp_path)
    document_of(layout, DAYS[0]).write_text("{")
    for _ in range(2):
        (broken, *others) = [entry for _, entry in entries(layout.folder)]
        assert isinstance(broken, ValueError)
        assert len(others) == len(DAYS) - 1
        keep(layout.folder)


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"longer than 10")])
def test_the_index_has_which_files_are_there_with_the_bytes_of_their_entries(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    layout = folder_in(tmp_path)

    def there() -> list[bool]:
        return [
            each for window in windows(layout.folder) for each in window.rows["there"].to_pylist()
        ]

    assert there() == [True, False, True, True, True]
    change(Path(layout.path(request_for(DAYS[2]))))
    assert there() == [True, False, False, True, True]


def test_names_that_begin_alike_stand_in_the_order_of_their_documents(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    document = document_of(layout, DAYS[0])
    add(layout, DAYS[0])
    names = ["a.csv", "a.csv.gz", "a/b.csv", "a-b/c.csv", "a.csv/d.csv", "b.csv"]
    for name in names:
        path = Path(layout.folder.entry(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document.read_bytes())
    document.unlink()
    keep(layout.folder)
    for name in names:
        spoil(Path(layout.folder.entry(name)))
    assert sorted(name for name, _ in found_in(layout.folder)) == sorted(names)


def test_an_index_is_not_written_again_where_nothing_changed(tmp_path: Path) -> None:
    layout = folder_in(tmp_path)
    before = Path(layout.folder.index).stat().st_mtime_ns
    keep(layout.folder)
    assert Path(layout.folder.index).stat().st_mtime_ns == before


def test_thousands_of_entries_that_come_a_few_at_a_time_keep_their_order(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    add(layout, DAYS[0])
    content = document_of(layout, DAYS[0]).read_bytes()
    document_of(layout, DAYS[0]).unlink()
    names: set[str] = set()
    for start in (0, 3, 1, 2):
        for number in range(start, 6000, 4):
            path = Path(layout.folder.entry(f"{number % 7}/{number}.csv"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            names.add(f"{number % 7}/{number}.csv")
        keep(layout.folder)
        found = [name for name, _ in found_in(layout.folder)]
        assert found == sorted(names, key=lambda name: f"{name}.json")

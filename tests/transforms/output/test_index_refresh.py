"""A refreshed index is the one that listing everything would give, where the changes are named."""

import random
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.data import layout_in
from transforms.output.entry import COMMITTED, EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.index import Window, windows
from transforms.output.index_refresh import refreshed
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest

REQUEST = {"greeks": "first_order", "symbol": "SPXW", "expiration": "2024-03-15"} | dict.fromkeys(
    ("first_trade_date", "last_trade_date", "trade_dates"), "2024-03-14"
)
NAMES = [
    *(f"{place}{number}.csv" for place in ("", "a/", "a/b/", "a-b/", "c/") for number in range(4)),
    "a.csv",
]


def put(layout: Layout, name: str, size: int, state: str = COMMITTED) -> None:
    path = Path(layout.folder.file(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if state == COMMITTED:
        path.write_bytes(b"x" * size)
    entry = Entry(state, REQUEST | {"interval": "1m"}, "live", "one", bytes=size, sha256="0" * 64)
    entry = replace(entry, format="csv", compression="none")
    Manifest(layout.folder).write(str(path), entry)


def take_away(layout: Layout, name: str) -> None:
    Path(layout.folder.file(name)).unlink(missing_ok=True)
    Path(layout.folder.entry(name)).unlink(missing_ok=True)


def taken(found: Iterable[Window]) -> None:
    for _ in found:
        pass


def rows_of(folder: OutputFolder) -> list[dict[str, object]]:
    return [row for window in refreshed(folder, ()) for row in window.rows.to_pylist()]


@pytest.mark.parametrize("seed", range(20))
def test_it_has_the_rows_that_listing_everything_gives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    layout = layout_in(tmp_path)
    for name in chance.sample(NAMES, chance.randrange(len(NAMES))):
        put(layout, name, chance.randrange(9))
    taken(windows(layout.folder, keep=True))
    changed = chance.sample(NAMES, chance.randrange(1, 4))
    for name in changed:
        if chance.random() < 0.3:
            take_away(layout, name)
        else:
            put(layout, name, chance.randrange(9), chance.choice((COMMITTED, EMPTY)))
    taken(refreshed(layout.folder, changed))
    found = rows_of(layout.folder)
    Path(layout.folder.index).unlink()
    taken(windows(layout.folder, keep=True))
    assert found == rows_of(layout.folder)


def test_only_the_folders_of_the_named_files_are_listed(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    for name in ("a/1.csv", "b/1.csv"):
        put(layout, name, 3)
    taken(windows(layout.folder, keep=True))
    for name in ("a/2.csv", "b/2.csv"):
        put(layout, name, 3)
    taken(refreshed(layout.folder, ["a/2.csv"]))
    assert [row["name"] for row in rows_of(layout.folder)] == ["a/1.csv", "a/2.csv", "b/1.csv"]


def test_where_nothing_changed_the_index_is_not_written(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    put(layout, "a/1.csv", 3)
    taken(windows(layout.folder, keep=True))
    before = Path(layout.folder.index).stat().st_ino
    taken(refreshed(layout.folder, ()))
    assert Path(layout.folder.index).stat().st_ino == before


def test_thousands_of_entries_keep_their_order_and_a_lost_index_is_made_again(
    tmp_path: Path,
) -> None:
    layout = layout_in(tmp_path)
    put(layout, "a/0000.csv", 3)
    document = Path(layout.folder.entry("a/0000.csv"))
    names = [f"a/{number:04}.csv" for number in range(2500)]
    for name in names[1:]:
        shutil.copy(document, layout.folder.entry(name))
    taken(windows(layout.folder, keep=True))
    put(layout, "a/1000-a.csv", 3)
    put(layout, "b/1.csv", 3)
    taken(refreshed(layout.folder, ["a/1000-a.csv", "b/1.csv"]))
    expected = sorted([*names, "a/1000-a.csv", "b/1.csv"], key="{}.json".format)
    assert [row["name"] for row in rows_of(layout.folder)] == expected
    Path(layout.folder.index).write_bytes(b"no index")
    taken(refreshed(layout.folder, ["a/0001.csv", "b/1.csv"]))
    assert [row["name"] for row in rows_of(layout.folder)] == expected


def test_a_broken_document_beside_a_named_file_is_named(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    put(layout, "a/1.csv", 3)
    taken(windows(layout.folder, keep=True))
    Path(layout.folder.entry("a/1.csv")).write_text("{")
    (window,) = [each for each in refreshed(layout.folder, ["a/1.csv"]) if each.broken]
    assert window.broken[0][0] == "a/1.csv"
    assert rows_of(layout.folder) == []

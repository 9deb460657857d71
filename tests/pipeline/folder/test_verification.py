"""`greeks verify` names each problem, of any kind."""

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.cli.main import main
from pipeline.folder import output_lock, verify, write_catalog
from pipeline.folder.verification import Verification
from tests.support.crossing import HeldSink
from tests.support.data import batches_of, layout_in, request_for
from transforms.commit.expiration_writer import ExpirationWriter
from transforms.model import Trailer
from transforms.output.index import entries
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.sinks.formats import make_sink

ROWS = 3000
FORMS = [("csv", "none"), ("csv", "gzip"), ("csv", "zstd"), ("parquet", "zstd")]


def folder_of(tmp_path: Path, form: tuple[str, str]) -> tuple[Path, Layout]:
    """Returns an output folder with two files and an empty expiration, as a run leaves it."""
    layout = layout_in(tmp_path, COMPRESSIONS[form[0]][form[1]])
    writer = ExpirationWriter(make_sink(*form, layout), "live")
    for expiration in ("2024-03-15", "2024-03-18"):
        request = request_for(expiration)
        batches = batches_of(request, ROWS)
        for item in [*batches, Trailer(len(batches), ROWS, 1)]:
            writer.write(request, item)
    writer.write(request_for("2024-03-19"), Trailer(0, 0, 1))
    return Path(layout.path(request_for("2024-03-15"))), layout


def entry_of(path: Path, layout: Layout) -> Path:
    return Path(layout.folder.entry(layout.folder.name(str(path))))


def change(path: Path, layout: Layout, **fields: object) -> None:
    entry = entry_of(path, layout)
    entry.write_text(json.dumps(json.loads(entry.read_text()) | fields))


@pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
def test_a_good_folder_is_counted(tmp_path: Path, form: tuple[str, str]) -> None:
    path, _ = folder_of(tmp_path, form)
    found = verify(str(tmp_path / "greeks"))
    assert found.problems == []
    assert (found.files, found.rows, found.empty) == (2, 2 * ROWS, 1)
    size = path.stat().st_size
    assert found.bytes > size


def flip(path: Path, layout: Layout) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path, layout: Layout) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def delete(path: Path, layout: Layout) -> None:
    path.unlink()


def forget(path: Path, layout: Layout) -> None:
    entry_of(path, layout).unlink()


def break_entry(path: Path, layout: Layout) -> None:
    entry_of(path, layout).write_text("{")


def miscount(path: Path, layout: Layout) -> None:
    change(path, layout, rows=ROWS + 1)


def leave_uncommitted(path: Path, layout: Layout) -> None:
    change(path, layout, state="committing")


DAMAGES: dict[Callable[[Path, Layout], None], str] = {
    flip: "has other bytes than were written|can't be read",
    truncate: "bytes, and had",
    delete: "is missing",
    forget: "is not in the manifest",
    break_entry: "its entry in the manifest is broken",
    miscount: f"has {ROWS:,} rows, and had {ROWS + 1:,}",
    leave_uncommitted: "was being put in place when its run ended",
}


@pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_each_damage_is_named_and_nothing_else(
    tmp_path: Path, form: tuple[str, str], damage: Callable[[Path, Layout], None]
) -> None:
    import re

    path, layout = folder_of(tmp_path, form)
    damage(path, layout)
    (problem,) = verify(str(tmp_path / "greeks")).problems
    assert problem.path == str(path)
    assert re.search(DAMAGES[damage], problem.message)


def test_an_extra_file_and_a_stray_unfinished_one_are_named(tmp_path: Path) -> None:
    _, layout = folder_of(tmp_path, ("csv", "none"))
    extra = Path(layout.output) / "2024-03-15" / "notes.txt"
    extra.write_text("mine")
    stray = Path(layout.folder.unfinished) / "run-0" / "x.csv"
    stray.parent.mkdir(parents=True)
    stray.write_text("half")
    problems = verify(str(tmp_path / "greeks")).problems
    assert [problem.path for problem in problems] == [str(extra), str(stray)]


def test_a_file_where_there_was_no_data_is_named(tmp_path: Path) -> None:
    _, layout = folder_of(tmp_path, ("csv", "none"))
    path = Path(layout.path(request_for("2024-03-19")))
    path.parent.mkdir()
    path.write_text("mine")
    (problem,) = verify(str(tmp_path / "greeks")).problems
    assert problem.path == str(path)


def test_another_header_or_schema_is_named_even_if_every_hash_is_right(tmp_path: Path) -> None:
    from hashlib import sha256

    for form in (("csv", "gzip"), ("parquet", "zstd")):
        folder = tmp_path / form[0]
        folder.mkdir()
        path, layout = folder_of(folder, form)
        if form[0] == "csv":
            text = gzip.decompress(path.read_bytes())
            path.write_bytes(gzip.compress(text.replace(b"delta", b"gamma", 1)))
        else:
            table = pq.read_table(path)
            pq.write_table(table.rename_columns([*table.column_names[:-1], "spot"]), path)
        content = path.read_bytes()
        change(path, layout, bytes=len(content), sha256=sha256(content).hexdigest())
        (problem,) = verify(str(folder / "greeks")).problems
        assert "header" in problem.message or "has another schema" in problem.message


def test_the_command_says_so_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    assert main(["verify", "--output", layout.output]) == 0
    assert f"2 files, {2 * ROWS:,} rows" in capsys.readouterr().out
    path.unlink()
    assert main(["verify", "--output", layout.output, "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["problems"] == [
        {"path": str(path), "message": "is missing; the next run fetches it"}
    ]
    assert main(["verify", "--output", str(tmp_path / "nowhere")]) == 2
    assert "has no files" in capsys.readouterr().err


def test_entries_are_found_in_order(tmp_path: Path) -> None:
    _, layout = folder_of(tmp_path, ("csv", "none"))
    assert [name for name, _ in entries(layout.folder)] == [
        "2024-03-15/SPXW_20240315.csv",
        "2024-03-18/SPXW_20240318.csv",
        "2024-03-19/SPXW_20240319.csv",
    ]


def test_a_file_that_is_being_put_in_place_is_no_problem(tmp_path: Path) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    later = replace(layout, run_id="20240314T000000.000000Z")
    sink = HeldSink(later, "none")
    found: list[Verification] = []
    sink.before = lambda: found.append(verify(layout.output))
    request = request_for("2024-03-15")
    batches = batches_of(request, ROWS + 1)
    with output_lock(later):
        writer = ExpirationWriter(sink, "live")
        for item in [*batches, Trailer(len(batches), ROWS + 1, 1)]:
            writer.write(request, item)
    assert [each.problems for each in found] == [[]]
    change(path, layout, state="committing")
    (problem,) = verify(layout.output).problems
    assert "was being put in place when its run ended" in problem.message


def test_beside_runs_that_replace_files_nothing_false_is_reported(tmp_path: Path) -> None:
    _, layout = folder_of(tmp_path, ("csv", "none"))

    def run() -> None:
        for number in range(20):
            later = replace(layout, run_id=f"20240314T000000.{number:06}Z")
            writer = ExpirationWriter(make_sink("csv", "none", later), "live")
            with output_lock(later):
                for expiration in ("2024-03-15", "2024-03-18"):
                    request = request_for(expiration)
                    batches = batches_of(request, ROWS + number)
                    for item in [*batches, Trailer(len(batches), ROWS + number, 1)]:
                        writer.write(request, item)

    runs = threading.Thread(target=run)
    runs.start()
    found = [verify(layout.output)]
    while runs.is_alive():
        found.append(verify(layout.output))
    runs.join()
    assert [problem for each in found for problem in each.problems] == []
    assert verify(layout.output).rows == 2 * (ROWS + 19)


def exchange(one: Path, other: Path) -> None:
    middle = one.with_name("middle")
    one.rename(middle)
    other.rename(one)
    middle.rename(other)


@pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
def test_files_that_changed_places_with_their_entries_are_named(
    tmp_path: Path, form: tuple[str, str]
) -> None:
    path, layout = folder_of(tmp_path, form)
    other = Path(layout.path(request_for("2024-03-18")))
    exchange(path, other)
    exchange(entry_of(path, layout), entry_of(other, layout))
    found = verify(layout.output).problems
    assert [problem.path for problem in found] == [str(path), str(other)]
    assert "has the entry of SPXW expiring 2024-03-18" in found[0].message


@pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"symbol": "SPX"}, "not of SPX expiring 2024-03-15"),
        ({"expiration": "2024-03-22"}, "not of SPXW expiring 2024-03-22"),
        (
            dict.fromkeys(("first_trade_date", "last_trade_date", "trade_dates"), "2024-03-13"),
            "has rows of 2024-03-14, which SPXW expiring 2024-03-15 on 2024-03-13 has not",
        ),
    ],
)
def test_an_entry_of_another_request_than_the_rows_is_named(
    tmp_path: Path, form: tuple[str, str], claim: dict[str, str], message: str
) -> None:
    path, layout = folder_of(tmp_path, form)
    before = json.loads(entry_of(path, layout).read_text())
    change(path, layout, request=before["request"] | claim, dates_with_rows="")
    (problem,) = verify(layout.output).problems
    assert problem.path == str(path)
    assert message in problem.message


def between_dates(table: pa.Table) -> pa.Table:
    """Moves the first third of the rows to the date before, and the last one to the date after."""
    third, place = ROWS // 3, table.schema.get_field_index("timestamp")
    parts = []
    for number, days in enumerate((-1, 0, 1)):
        part = table.slice(number * third, third)
        moved = pc.add(part["timestamp"], pa.scalar(timedelta(days), pa.duration("ms")))
        parts.append(part.set_column(place, table.schema.field(place), moved))
    return pa.concat_tables(parts)


def without_one(name: str) -> Callable[[pa.Table], pa.Table]:
    def edit(table: pa.Table) -> pa.Table:
        place, column = table.schema.get_field_index(name), table[name]
        kept = pa.array([n != ROWS // 2 for n in range(len(column))])
        none = pa.scalar(None, column.type)
        field = table.schema.field(name).with_nullable(True)
        return table.set_column(place, field, pc.if_else(kept, column, none))

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (between_dates, "has rows of 2024-03-14, which SPXW expiring 2024-03-15"),
        (without_one("symbol"), "has rows that are not of SPXW expiring 2024-03-15"),
        (without_one("expiration"), "has rows that are not of SPXW expiring 2024-03-15"),
        (without_one("timestamp"), "has rows that are not of SPXW expiring 2024-03-15"),
    ],
)
@pytest.mark.parametrize("statistics", [True, False])
def test_rows_that_the_ends_of_a_row_group_do_not_show_are_found(
    tmp_path: Path, edit: Callable[[pa.Table], pa.Table], message: str, statistics: bool
) -> None:
    path, layout = folder_of(tmp_path, ("parquet", "zstd"))
    edited = edit(pq.read_table(path))
    pq.write_table(edited, path, write_statistics=statistics)
    assert pq.read_metadata(path).num_row_groups == 1
    content = path.read_bytes()
    request = json.loads(entry_of(path, layout).read_text())["request"]
    if edit is between_dates:
        request |= {"first_trade_date": "2024-03-13", "last_trade_date": "2024-03-15"}
        request |= {"trade_dates": "2024-03-13,2024-03-15"}
    change(
        path,
        layout,
        request=request,
        dates_with_rows="",
        bytes=len(content),
        sha256=sha256(content).hexdigest(),
    )
    (problem,) = verify(layout.output).problems
    assert problem.path == str(path)
    assert message in problem.message


def test_each_broken_entry_is_named_and_the_other_files_are_verified(tmp_path: Path) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    damages: tuple[dict[str, object], ...] = (
        {"state": "done"},
        {"format": "a b"},
        {"quality": []},
        {"request": {"greeks": "first_order"}},
        {"bytes": "many"},
        {"compression": None},
    )
    for damage in damages:
        kept = entry_of(path, layout).read_text()
        change(path, layout, **damage)
        found = verify(layout.output)
        assert [problem.path for problem in found.problems] == [str(path)]
        assert "its entry in the manifest is broken" in found.problems[0].message
        assert "is not an entry of the manifest (its " in found.problems[0].message
        assert (found.files, found.empty) == (1, 1)
        entry_of(path, layout).write_text(kept)


def test_an_entry_that_is_broken_is_named_by_whoever_reads_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, layout = folder_of(tmp_path, ("csv", "none"))
    change(path, layout, state="done")
    assert main(["check", str(path)]) in (0, 1)
    assert "note: nothing of it is believed" in capsys.readouterr().err
    write_catalog(layout.output)
    assert f"note: its file is not in catalog.sql: {entry_of(path, layout)}" in (
        capsys.readouterr().err
    )

"""Output folders in unusual places: odd names, mount points, links, two names for one folder."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from pipeline.cli.main import main
from pipeline.errors import Conflict
from pipeline.folder import output_lock
from pipeline.folder.writers import sweep_dead
from tests.support.answers import rows_of
from tests.support.command import at_scripted, greeks, greeks_here, start
from tests.support.data import files_in
from tests.support.market import terminal
from tests.support.scripted import Answer, Script, scripted_server
from transforms.model import GreeksRequest
from transforms.output.folder import OutputFolder
from transforms.output.layout import Layout
from transforms.storage import files

GOOD = "download --symbol SPXW --start_date 2024-03-14"

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def download(output: Path | str, script: Script | None = None, *, code: int = 0) -> int:
    """Downloads three small files; returns how many bodies of rows were fetched."""
    ended, server = at_scripted(f"{GOOD} --output {shlex.quote(str(output))}", script)
    assert ended == code
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


def test_a_file_whose_name_is_not_utf_8_is_reported_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    assert download("greeks") == 3
    name = os.fsdecode(b"SPXW_\xff.csv")
    (data,) = Path("greeks/2024-03-14").iterdir()
    shutil.copy(data, data.parent / name)
    shown = "greeks/2024-03-14/SPXW_\\udcff.csv"
    verified = greeks_here(tmp_path, "verify", "--output", "greeks", code=1)
    assert f"{shown} is not in the manifest" in verified
    out = greeks_here(tmp_path, "check", "greeks", code=2)
    assert f"'{shown}': its name is not UTF-8; rename it" in out
    assert "15 of 30 rows" in out
    assert "is not UTF-8" in greeks_here(tmp_path, "diff", "greeks", "greeks", code=2)
    report = ["report", "--output", "greeks", "--to", "report.html"]
    assert "is not UTF-8" in greeks_here(tmp_path, *report, code=1)
    assert "is not UTF-8" in Path("report.html").read_text("utf-8")
    assert download("greeks") == 0


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


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than `tmp_path`."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        pytest.skip("there is no /dev/shm, which is another file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        assert Path(folder).stat().st_dev != Path.cwd().stat().st_dev
        yield Path(folder)


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """Mounts a file system while it is entered; the last argument is where."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", arguments[-1]], check=True)


def is_whole(output: Path) -> None:
    """Checks that each command finds what a download has left, and its manifest."""
    assert download(output) == 0
    folder = str(output)
    assert main(["verify", "--output", folder]) == 0
    assert main(["check", folder]) == 1  # the scripted rows break rules, and are read
    with scripted_server(terminal()) as server:
        flags = ["--output", folder, "--terminal", server.url]
        assert "3 skip" in greeks_here(Path(), "plan", *shlex.split(GOOD)[1:], *flags)
        printed = greeks_here(Path(), "doctor", "--json", *flags)
    found = {each["about"]: each["level"] for each in json.loads(printed)}
    assert (found["output"], found["disk of output"]) == ("ok", "ok")
    catalog = Path(OutputFolder(folder).meta) / "catalog.sql"
    connection = duckdb.connect()
    connection.execute(catalog.read_text())
    assert connection.execute("select count(*), count(distinct rows) from files").fetchall() == [
        (3, 1)
    ]
    assert connection.execute("select count(*) from greeks").fetchall() == [(30,)]


@pytest.mark.parametrize("kind", ["bind", pytest.param("tmpfs", marks=pytest.mark.slow)])
def test_a_volume_has_its_meta_inside_and_is_found_wherever_it_is_mounted(
    tmp_path: Path, kind: str
) -> None:
    output, moved = tmp_path / "greeks", tmp_path / "else where"
    disk = tmp_path / "disk"
    for folder in (output, moved, disk):
        folder.mkdir()
    mount = ("-t", "tmpfs", "none", str(output))
    with mounted(*(mount if kind == "tmpfs" else ("--bind", str(disk), str(output)))):
        # Where folders are mounted, a process looks once.
        out = greeks(tmp_path, "verify", "--output", str(output), code=2)
        assert f"{output}/.meta no manifest" in out
        with scripted_server(terminal()) as server:
            flags = ["--output", str(output), "--terminal", server.url]
            greeks(tmp_path, *shlex.split(GOOD), *flags)
        is_whole(output)
        with mounted("--bind", str(output), str(moved)):
            is_whole(moved)
        assert len([name for name in files_in(output) if not name.startswith(".meta/")]) == 3
    assert not Path(f"{output}.meta").exists()
    if kind == "bind":
        # The host sees the volume as a folder like any other.
        is_whole(disk)


def test_readers_leave_out_what_is_not_data_inside_a_volume(tmp_path: Path) -> None:
    output = tmp_path / "greeks"
    (output / ".meta").mkdir(parents=True)
    with scripted_server(terminal()) as server:
        command = [*shlex.split(GOOD), "--format", "parquet", "--output", str(output)]
        assert main([*command, "--terminal", server.url]) == 0
    assert pd.read_parquet(output).shape[0] == 30
    assert ds.dataset(output).count_rows() == 30
    assert pl.scan_parquet(f"{output}/**/*.parquet").select(pl.len()).collect().item() == 30
    assert duckdb.execute(f"select count(*) from '{output}/**/*.parquet'").fetchall() == [(30,)]


def test_a_link_to_another_disk_is_the_folder_there(tmp_path: Path, other_disk: Path) -> None:
    output = tmp_path / "greeks"
    (other_disk / "greeks").mkdir()
    output.symlink_to(other_disk / "greeks")
    assert download(output) == 3
    is_whole(output)
    is_whole(other_disk / "greeks")
    assert sorted(each.name for each in other_disk.iterdir()) == ["greeks", "greeks.meta"]


def test_a_meta_folder_on_another_disk_is_refused_before_anything_is_fetched(
    tmp_path: Path, other_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "greeks"
    Path(f"{output}.meta").symlink_to(other_disk)
    assert download(output, code=2) == 0
    assert f"{output}.meta" in (printed := capsys.readouterr().err)
    assert "is on another file system" in printed
    with scripted_server(terminal()) as server:
        flags = ["--output", str(output), "--terminal", server.url]
        assert "is on another file system" in greeks_here(tmp_path, "doctor", *flags, code=1)
        printed = greeks_here(tmp_path, "plan", *shlex.split(GOOD)[1:], *flags, code=2)
        assert "is on another file system" in printed


def test_two_manifests_of_one_folder_are_refused_by_name_and_both_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where a volume is mounted over a folder that has files, or was copied beside another."""
    output = tmp_path / "volume: a" / "greeks"
    output.parent.mkdir()
    assert download(output) == 3
    inside, beside = output / ".meta", Path(f"{output}.meta")
    shutil.copytree(beside, inside)
    before = files_in(tmp_path)
    both = f"{inside} is the manifest's place there, and {beside} is one as well"
    with scripted_server(terminal()) as server:
        flags = ["--output", str(output), "--terminal", server.url]
        for command in ("download", "plan", "doctor", "verify", "check", "query", "report"):
            words = {
                "plan": [*shlex.split(GOOD)[1:], *flags],
                "download": [*shlex.split(GOOD)[1:], *flags],
                "doctor": flags,
                "check": [str(output)],
                "report": ["--output", str(output)],
                "query": ["SELECT * FROM files", *flags[:2]],
                "verify": flags[:2],
            }
            # What of the rows stands in no manifest is checked all the same.
            code = {"check": 1, "doctor": 1, "report": 1}.get(command, 2)
            assert both in greeks_here(tmp_path, command, *words[command], code=code), command
        assert not any("/history/greeks/" in path for path, _ in server.seen)
    after = files_in(tmp_path)
    assert {name: after[name] for name in before} == before
    # Where the other knows no file, it is no manifest.
    shutil.rmtree(beside / "files")
    assert download(output) == 0


def test_a_folder_inside_on_another_disk_fails_its_expirations_alone(
    tmp_path: Path, other_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "greeks").mkdir()
    (tmp_path / "greeks" / "2024-03-15").symlink_to(other_disk)
    assert download("greeks", code=1) == 3
    assert "a folder inside --output is a link to another disk" in capsys.readouterr().err
    assert len(files_in(tmp_path / "greeks")) == 2
    assert list(other_disk.iterdir()) == []


def test_a_folder_by_another_name_is_locked_too(tmp_path: Path) -> None:
    go, asked = threading.Event(), threading.Event()

    def answer(request: GreeksRequest) -> Answer:
        asked.set()
        return Answer(rows_of(request, request.trade_dates[0], 100), hold=go)

    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "chain").symlink_to(tmp_path / "link")
    with scripted_server(terminal(answer)) as server:
        flags = [*shlex.split(GOOD), "--terminal", server.url, "--output"]
        first = start(tmp_path, *flags, "link")
        assert asked.wait(60)
        for name in ("real", "chain/", "./link"):
            out = greeks_here(tmp_path, *flags, name, code=2)
            assert f"another run is writing to {name}: process {first.pid} on " in out
        go.set()
        printed, err = first.communicate(timeout=60)
    assert first.returncode == 0, printed + err


@pytest.mark.slow
def test_of_runs_that_begin_together_none_fails_for_the_others_probe(tmp_path: Path) -> None:
    """The probe of one was swept away by the other, which had the lock."""
    layouts = [
        Layout("data/greeks", ".csv", f"20240314T000000.00000{number}Z") for number in range(2)
    ]
    held = Path(layouts[0].folder.unfinished)
    for _ in range(20):
        with output_lock(layouts[0]):
            sweep_dead(layouts[0])
            with (
                pytest.raises(Conflict, match="another run is writing to"),
                output_lock(layouts[1]),
            ):
                pass
            assert [each.name for each in held.iterdir()] == [layouts[0].run_id]
        assert not list(held.iterdir())

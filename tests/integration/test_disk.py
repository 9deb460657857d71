"""Full disks, files that may not grow, and folders that may not be written to."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.answers import rows_of
from tests.support.command import greeks, greeks_here, start, summaries
from tests.support.data import files_in
from tests.support.market import terminal as scripted_terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
ROWS = {14: 3000, 15: 60_000, 18: 3000}


def of_sizes(request: GreeksRequest) -> Answer:
    """An answer of 0.4 MB, or for one expiration of 8 MB."""
    return Answer(rows_of(request, request.trade_dates[0], ROWS[request.expiration.day]))


@contextmanager
def mounted(folder: Path, megabytes: int, more: str = "") -> Iterator[None]:
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m{more}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_full_disk_fails_what_does_not_fit_and_leaves_no_trace_of_it(
    tmp_path: Path, form: str
) -> None:
    disk = tmp_path / "disk"
    flags = ["--format", form, "--output", "disk/greeks", "--no_disk_check", "--concurrency", "1"]
    flags += ["--compression", "none"]
    with mounted(disk, 3), scripted_server(scripted_terminal(of_sizes)) as server:
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, "--terminal", server.url, code=1)
        assert "2024-03-15" in out
        assert "No space left on device; the disk is full: make room and run again" in out
        assert len(files_in(disk / "greeks")) == 2
        assert not list((disk / "greeks.meta" / "unfinished").iterdir())
        (summary,) = summaries(tmp_path)
        assert (summary["successful_expirations"], summary["failed_expirations"]) == (2, 1)
        assert "all as it was written" in greeks_here(tmp_path, "verify", "--output", "disk/greeks")
        # Room is made: only what is missing is fetched.
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, "--terminal", server.url)
        assert "1 written, 2 skipped" in out
        assert len(files_in(disk / "greeks")) == 3


@pytest.mark.slow
def test_a_full_temporary_folder_fails_few_expirations_and_the_next_run_fetches_them(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    flags = [*DOWNLOAD, "--greeks", "eod", "--end_date", "2024-03-28", "--max_dte", "20"]
    flags += ["--terminal", terminal.url]
    with mounted(disk, 1):
        out = greeks(tmp_path, *flags, code=1, TMPDIR=str(disk))
        assert "No space left on device: " in out
        assert "greeks-days-" in out
        assert (
            "the disk is full: make room and run again, which fetches only what is missing" in out
        )
        assert not list(disk.iterdir())
    (summary,) = summaries(tmp_path)
    assert 0 < summary["failed_expirations"] < 12 < summary["successful_expirations"]
    assert f"{summary['failed_expirations']} written" in greeks(tmp_path, *flags)


def test_a_disk_without_inodes_is_full(terminal: TerminalServer, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    flags = ["--output", "disk/greeks", "--terminal", terminal.url, "--interval", "1h"]
    with mounted(disk, 50, ",nr_inodes=40"):
        before = terminal.stats()["rows"]
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, code=2)
        assert "free inodes, and 21 files and their manifest take 42" in out
        assert terminal.stats()["rows"] == before
        out = greeks_here(tmp_path, "plan", *DOWNLOAD[1:], *flags, code=2)
        assert "free inodes, and 21 files and their manifest take 42" in out
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, "--no_disk_check", code=1)
        assert "No space left on device" in out
        assert "the disk is full: make room and run again" in out
        assert not list((disk / "greeks.meta" / "unfinished").iterdir())
        subprocess.run(["mount", "-o", "remount,nr_inodes=4000", str(disk)], check=True)
        greeks_here(tmp_path, *DOWNLOAD, *flags)
        assert len(files_in(disk / "greeks")) == 21
        assert "all as it was written" in greeks_here(tmp_path, "verify", "--output", "disk/greeks")


def test_a_folder_that_becomes_read_only_fails_the_rest_and_loses_nothing(tmp_path: Path) -> None:
    meta = tmp_path / "data" / "greeks.meta"
    shut = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(meta)]

    def answer(request: GreeksRequest) -> Answer:
        if request.expiration.day == 18:
            subprocess.run(shut, check=True)
        return Answer(rows_of(request, request.trade_dates[0], 1000))

    with mounted(tmp_path / "probe", 1):
        pass  # or the test is skipped
    with scripted_server(scripted_terminal(answer)) as server:
        flags = ["--concurrency", "1", "--terminal", server.url]
        try:
            out = greeks_here(tmp_path, *DOWNLOAD, *flags, code=1)
            assert "Read-only file system" in out
            before = files_in(tmp_path / "data" / "greeks")
            assert len(before) == 2
            (summary,) = summaries(tmp_path)
            assert (summary["status"], summary["successful_expirations"]) == ("failed", 2)
            assert summary["failed_expirations"] == 1
            out = greeks_here(tmp_path, *DOWNLOAD, *flags, code=2)
            assert "--output data/greeks can't be written to" in out
            assert "Traceback" not in out
        finally:
            subprocess.run(["umount", str(meta)], check=True)
        shut[0] = "true"
        assert "1 written, 2 skipped" in greeks_here(tmp_path, *DOWNLOAD, *flags)
    after = files_in(tmp_path / "data" / "greeks")
    assert {name: after[name] for name in before} == before
    assert "all as it was written" in greeks_here(tmp_path, "verify")


def limited(megabytes: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))

    return limit


def test_a_file_that_may_not_grow_fails_its_expiration_alone(tmp_path: Path) -> None:
    with scripted_server(scripted_terminal(of_sizes)) as server:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *DOWNLOAD, "--terminal", server.url],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            preexec_fn=limited(1),
            check=False,
        )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert len(files_in(tmp_path / "data" / "greeks")) == 2
    assert not list((tmp_path / "data" / "greeks.meta" / "unfinished").iterdir())
    assert "all as it was written" in greeks_here(tmp_path, "verify")


def test_a_disk_that_is_too_small_is_reported_before_anything_is_fetched(
    terminal: TerminalServer, tmp_path: Path
) -> None:
    flags = ["--output", "disk/greeks", "--terminal", terminal.url, "--interval", "1m"]
    with mounted(tmp_path / "disk", 5):
        out = greeks_here(tmp_path, *DOWNLOAD, *flags, code=2)
        assert "of free space, and 21 files are expected to take about" in out
        assert "--no_disk_check" in out
        assert terminal.stats()["rows"] == 0
        for probe in ("never", "auto", "always"):
            out = greeks_here(tmp_path, "plan", *DOWNLOAD[1:], *flags, "--probe", probe, code=2)
            assert "of free space, and 21 files are expected to take" in out
        greeks_here(tmp_path, "plan", *DOWNLOAD[1:], *flags, "--no_disk_check")
        assert files_in(tmp_path / "disk" / "greeks") == {}


@pytest.mark.slow
def test_the_estimate_is_of_the_right_size(terminal: TerminalServer, tmp_path: Path) -> None:
    from datetime import date

    from pipeline.config import DownloadConfig
    from pipeline.history.sizes import Workload
    from pipeline.planning.disk import expected_bytes
    from pipeline.planning.plan import make_plan
    from transforms.thetadata import ThetaClient

    day = date(2024, 3, 14)
    for form, compression in (("csv", "none"), ("parquet", "zstd")):
        config = DownloadConfig(
            ("SPXW",), day, day, interval="30m", format=form, compression=compression
        )
        with ThetaClient(terminal.url) as client:
            plan = make_plan(client, config)
            expected = expected_bytes(client, Workload(plan.requests), config)
        flags = ["--interval", "30m", "--format", form, "--output", form]
        greeks_here(tmp_path, *DOWNLOAD, *flags, "--terminal", terminal.url)
        size = sum(map(len, files_in(tmp_path / form).values()))
        assert 0.5 < expected / size < 3


def test_a_summary_that_can_not_be_kept_is_an_error(tmp_path: Path) -> None:
    disk = tmp_path / "disk"

    def answer(request: GreeksRequest) -> Answer:
        if request.expiration.day == 18:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        return Answer(rows_of(request, request.trade_dates[0], 10))

    flags = ["--metrics", "disk/metrics", "--concurrency", "1"]
    with mounted(disk, 5), scripted_server(scripted_terminal(answer)) as server:
        process = start(tmp_path, *DOWNLOAD, *flags, "--terminal", server.url)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    assert "Read-only file system" in err
    # The files are there all the same.
    assert len(files_in(tmp_path / "data" / "greeks")) == 3


def test_a_disk_that_stays_full_to_the_end_is_reported_and_leaves_nothing_unfinished(
    tmp_path: Path,
) -> None:
    roomy: list[bool] = []
    disk = tmp_path / "disk"

    def answer(request: GreeksRequest) -> Answer:
        if request.expiration.day == 18 and not roomy:
            with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
                while True:
                    filler.write(bytes(4096))
        return Answer(rows_of(request, request.trade_dates[0], 10))

    flags = ["--output", "disk/greeks", "--metrics", "disk/metrics", "--concurrency", "1"]
    with mounted(disk, 3), scripted_server(scripted_terminal(answer)) as server:
        process = start(tmp_path, *DOWNLOAD, *flags, "--terminal", server.url)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1, out + err
        assert "the record could not be kept" in err
        # Beam itself logs at length that the graph's summary found no room; we end in order.
        assert "__main__.py" not in err
        assert len(files_in(disk / "greeks")) == 2
        assert not list((disk / "metrics").rglob("*.unfinished"))
        (disk / "filler").unlink()
        roomy.append(True)
        assert "1 written, 2 skipped" in greeks_here(
            tmp_path, *DOWNLOAD, *flags, "--terminal", server.url
        )

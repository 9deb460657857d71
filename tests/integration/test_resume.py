"""A rerun fetches what is missing, and nothing else; what is in its way is reported."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support.answers import rows_of
from tests.support.command import at_scripted, greeks_here, start, summaries
from tests.support.data import files_in
from tests.support.market import NO_DATA, silent_terminal, terminal
from tests.support.scripted import Answer, Script, scripted_server
from transforms.model import GreeksRequest

GOOD = "download --symbol SPXW --start_date 2024-03-14"
NEAR = "2024-03-14/SPXW_20240314.csv"

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def greeks(command: str, script: Script | None = None, *, code: int = 0) -> list[str]:
    """Runs a command against a scripted Terminal; returns what was fetched."""
    ended, server = at_scripted(command, script)
    assert ended == code
    return sorted(
        f"{query['symbol']} {query['expiration']} on {query['date']}"
        for path, query in server.seen
        if "/history/greeks/" in path
    )


def last_summary() -> dict[str, object]:
    return summaries(Path())[-1]


def data() -> dict[str, bytes]:
    return files_in(Path("data/greeks"))


def entry(name: str = NEAR) -> Path:
    return Path(f"data/greeks.meta/files/{name}.json")


def change(name: str, **fields: object) -> None:
    document = json.loads(entry(name).read_text())
    entry(name).write_text(json.dumps(document | fields))


def another_answer(request: GreeksRequest) -> Answer:
    """Other digits, and as many bytes."""
    body = rows_of(request, request.trade_dates[0], 10)
    return Answer(body.replace(b",0.2500,", b",0.2600,"))


def test_a_rerun_skips_what_is_proven_and_reports_that(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(greeks(GOOD)) == 3
    before = data()
    capsys.readouterr()
    assert greeks(GOOD) == []
    assert "skipped: 3 already there" in capsys.readouterr().out
    assert data() == before
    printed = last_summary()
    assert (printed["status"], printed["total_expirations"]) == ("succeeded", 3)
    assert (printed["skipped_expirations"], printed["successful_expirations"]) == (3, 0)
    assert (printed["total_records"], printed["files_created"]) == (0, [])
    assert [each["status"] for each in printed["expirations"]] == ["skipped"] * 3  # type: ignore[attr-defined]  # -- a list


@pytest.mark.slow
def test_a_summary_counts_all_that_was_skipped_and_lists_a_hundred() -> None:
    many = tuple(f"2024-{month:02}-{day:02}" for month in (4, 5, 6, 7, 8) for day in range(1, 29))
    script = terminal(expirations={"SPXW": many})
    assert len(greeks(f"{GOOD} --max_dte 400", script)) == 140
    assert greeks(f"{GOOD} --max_dte 400", script) == []
    printed = last_summary()
    assert (printed["total_expirations"], printed["skipped_expirations"]) == (140, 140)
    assert len(printed["expirations"]) == 100  # type: ignore[arg-type]  # -- a list


def test_a_larger_request_fetches_only_what_is_new() -> None:
    greeks(f"{GOOD} --max_dte 1")
    before = data()
    assert greeks(f"{GOOD} --symbol SPX,SPXW --max_dte 40") == [
        "SPX 2024-03-15 on 2024-03-14",
        "SPX 2024-04-19 on 2024-03-14",
        "SPXW 2024-03-18 on 2024-03-14",
        "SPXW 2024-04-19 on 2024-03-14",
    ]
    after = data()
    assert {name: after[name] for name in before} == before
    assert len(after) == 6


def test_a_missing_or_truncated_file_is_fetched_again() -> None:
    greeks(GOOD)
    before = data()
    Path("data/greeks", NEAR).unlink()
    other = Path("data/greeks/2024-03-15/SPXW_20240315.csv")
    other.write_bytes(other.read_bytes()[:-1])
    assert len(greeks(GOOD)) == 2
    assert data() == before


def test_equal_size_and_other_bytes_are_found_by_hash_alone() -> None:
    greeks(GOOD)
    before = data()
    path = Path("data/greeks", NEAR)
    path.write_bytes(path.read_bytes().replace(b"C", b"P", 1))
    assert greeks(GOOD) == []
    assert len(greeks(f"{GOOD} --resume hash")) == 1
    assert data() == before


@pytest.mark.parametrize("flag", ["--overwrite", "--resume off"])
def test_an_equal_size_rewrite_replaces_the_old_file(flag: str) -> None:
    greeks(GOOD)
    before = data()
    assert len(greeks(f"{GOOD} {flag}", terminal(another_answer))) == 3
    after = data()
    assert {name: len(content) for name, content in after.items()} == {
        name: len(content) for name, content in before.items()
    }
    assert all(after[name] != before[name] for name in before)
    assert main(["verify"]) == 0


def test_another_compression_or_schema_is_fetched_again() -> None:
    parquet = f"{GOOD} --format parquet"
    greeks(parquet)
    assert greeks(parquet) == []
    assert len(greeks(f"{parquet} --compression snappy")) == 3
    change("2024-03-14/SPXW_20240314.parquet", schema_version=0)
    assert len(greeks(f"{parquet} --compression snappy")) == 1


def test_a_file_below_the_quality_that_is_asked_for_is_fetched_again_and_stays() -> None:
    greeks(GOOD)
    before = data()
    quality = json.loads(entry().read_text())["quality"]
    change(NEAR, quality=quality | {"findings": [{"rule": "crossed_quotes", "count": 9}]})
    assert greeks(f"{GOOD} --fail_on 'crossed_quotes>9'") == []
    assert greeks(f"{GOOD} --fail_on crossed_quotes") == ["SPXW 2024-03-14 on 2024-03-14"]
    assert data() == before


def test_a_provisional_file_is_fetched_again() -> None:
    greeks(GOOD)
    change(NEAR, provisional=True)
    assert greeks(GOOD) == ["SPXW 2024-03-14 on 2024-03-14"]
    assert greeks(GOOD) == []


def test_a_crash_between_file_and_manifest_costs_one_fetch() -> None:
    greeks(GOOD)
    before = data()
    change(NEAR, state="committing")
    assert main(["verify"]) == 1
    assert greeks(GOOD) == ["SPXW 2024-03-14 on 2024-03-14"]
    assert data() == before
    assert main(["verify"]) == 0


def test_what_verify_finds_damaged_and_sets_aside_is_fetched_by_the_next_run() -> None:
    greeks(GOOD)
    before = data()
    content = bytearray(before[NEAR])
    content[-20] ^= 1
    Path("data/greeks", NEAR).write_bytes(content)
    assert greeks(GOOD) == []  # the size is as it was
    assert main(["verify", "--fix"]) == 1
    assert greeks(GOOD) == ["SPXW 2024-03-14 on 2024-03-14"]
    assert data() == before
    assert main(["verify"]) == 0


def none_on_friday(request: GreeksRequest) -> Answer:
    if request.expiration.day == 15:
        return NO_DATA
    return Answer(rows_of(request, request.trade_dates[0], 10))


def test_no_data_is_remembered_and_asked_for_again_after_some_days(
    capsys: pytest.CaptureFixture[str],
) -> None:
    friday = "2024-03-15/SPXW_20240315.csv"
    script = terminal(none_on_friday)
    greeks(GOOD, script)
    assert greeks(GOOD, script) == []
    assert re.search(r"skipped: 1 no data when it was asked for on \d{4}", capsys.readouterr().out)
    assert main(["verify"]) == 0
    # A longer memory, a shorter one, and none.
    asked = (datetime.now(timezone.utc) - timedelta(days=6)).isoformat()
    change(friday, time=asked)
    assert greeks(GOOD, script) == []
    assert greeks(f"{GOOD} --retry_empty_after 5", script) == ["SPXW 2024-03-15 on 2024-03-14"]
    assert greeks(f"{GOOD} --retry_empty_after 0") == ["SPXW 2024-03-15 on 2024-03-14"]
    assert friday in data()
    assert greeks(GOOD) == []


WEEK = (
    "download --symbol SPXW --start_date 2024-03-11 --end_date 2024-03-15 --expirations 2024-03-15"
)
FRIDAY = "2024-03-15/SPXW_20240315.csv"


def without(*days: int) -> Script:
    """A Terminal that has nothing for some days of March."""

    def answer(request: GreeksRequest) -> Answer:
        (day,) = request.trade_dates
        return NO_DATA if day.day in days else Answer(rows_of(request, day, 10))

    return terminal(answer)


def with_only_a_header(*days: int) -> Script:
    """A Terminal that answers with the names of the columns alone for some days of March."""

    def answer(request: GreeksRequest) -> Answer:
        (day,) = request.trade_dates
        return Answer(rows_of(request, day, 0 if day.day in days else 10))

    return terminal(answer)


@pytest.mark.parametrize("lacking", [without, with_only_a_header])
def test_a_missing_trade_date_is_reported_and_fetched_again_until_it_has_rows(
    lacking: Callable[..., Script], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(greeks(WEEK, lacking(11, 13))) == 5
    out = capsys.readouterr().out
    assert "missing: SPXW expiring 2024-03-15: no rows on 2024-03-13\n" in out
    assert last_summary()["incomplete_expirations"] == 1
    (result,) = last_summary()["expirations"]  # type: ignore[misc]  # -- one, or the test fails
    assert result["missing_dates"] == "2024-03-13"  # type: ignore[has-type]
    assert result["dates_with_rows"] == "2024-03-12,2024-03-14/2024-03-15"  # type: ignore[has-type]
    assert main(["runs", "show", "last"]) == 0
    assert "missing      SPXW expiring 2024-03-15: no rows on 2024-03-13" in capsys.readouterr().out
    assert main(["verify"]) == 0
    assert f"note: data/greeks/{FRIDAY} has no rows on 2024-03-13" in capsys.readouterr().out
    assert main(["check", "data/greeks", "--fail_on", "missing_dates"]) == 1
    assert re.search(
        r"missing_dates: 1: .*\n +SPXW 2024-03-15 2024-03-13\n", capsys.readouterr().out
    )
    with scripted_server(lacking(11, 13)) as server:
        plan = ["plan", *shlex.split(WEEK)[1:], "--terminal", server.url, "--probe", "never"]
        assert main(plan) == 0
    planned = capsys.readouterr().out
    assert "again: trade dates are missing" in planned
    assert "no rows on 2024-03-13" in planned
    assert len(greeks(WEEK)) == 5
    assert last_summary()["incomplete_expirations"] == 0
    assert greeks(WEEK) == []
    mended = data()
    greeks(f"{WEEK} --output data/calm")
    assert files_in(Path("data/calm")) == mended
    assert main(["verify"]) == 0


def test_a_missing_trade_date_is_not_requested_for_longer_than_it_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    greeks(WEEK, without(13))
    before = data()
    since = json.loads(entry(FRIDAY).read_text())["missing_since"]
    assert len(greeks(WEEK, without(13))) == 5
    assert json.loads(entry(FRIDAY).read_text())["missing_since"] == since
    earlier = datetime.now(timezone.utc) - timedelta(days=8)
    change(FRIDAY, missing_since=earlier.isoformat())
    capsys.readouterr()
    assert greeks(WEEK) == []
    skipped = f"skipped: 1 already there, with trade dates without data since {earlier:%Y-%m-%d}"
    assert skipped in capsys.readouterr().out
    assert last_summary()["incomplete_expirations"] == 1
    assert data() == before
    assert len(greeks(f"{WEEK} --retry_empty_after 9")) == 5
    assert last_summary()["incomplete_expirations"] == 0


def test_a_manifest_that_does_not_know_the_trade_dates_is_believed() -> None:
    greeks(WEEK, without(13))
    document = json.loads(entry(FRIDAY).read_text())
    del document["dates_with_rows"], document["missing_since"]
    entry(FRIDAY).write_text(json.dumps(document))
    assert greeks(WEEK) == []


def test_a_trade_date_that_the_terminal_has_no_more_fails_and_the_file_stays() -> None:
    greeks(WEEK)
    before = data()
    greeks(f"{WEEK} --overwrite", without(13), code=1)
    assert data() == before
    (error,) = last_summary()["errors"]  # type: ignore[misc]  # -- one, or the test fails
    assert error["error_type"] == "NothingNow"  # type: ignore[has-type]


def test_remembered_emptiness_is_no_success() -> None:
    greeks(GOOD, terminal(lambda request: NO_DATA), code=1)
    assert greeks(GOOD, code=1) == []


def test_trade_dates_before_the_first_quote_are_remembered_as_those_that_were_requested() -> None:
    daily = WEEK.replace("2024-03-11", "2024-03-04") + " --layout daily --concurrency 1"
    quiet = without(*range(1, 13))

    def listing(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/option/list/dates/quote":
            return Answer(b"date\r\n2024-03-13\r\n2024-03-14\r\n2024-03-15\r\n")
        return quiet(path, query)

    requested = [query.rpartition(" ")[2] for query in greeks(daily, listing)]
    # Two without data, then by the list the last one without and those with.
    assert [day[-2:] for day in requested] == ["04", "05", "12", "13", "14", "15"]
    assert last_summary()["empty_expirations"] == 7
    assert greeks(daily, listing) == []
    again = last_summary()
    assert (again["skipped_expirations"], again["skipped_empty_expirations"]) == (10, 7)
    # What came after all is found when it is time to ask again.
    assert len(greeks(f"{daily} --retry_empty_after 0")) == 7


def test_what_is_empty_by_rule_is_never_asked_for() -> None:
    expiring = "download --symbol SPX --start_date 2024-03-15 --max_dte 0"
    assert greeks(expiring) == []
    assert last_summary()["empty_expirations"] == 1
    assert not entry().parent.exists()
    assert greeks(expiring) == []


def test_data_that_the_terminal_has_no_more_stays_and_is_reported() -> None:
    greeks(GOOD)
    before = data()
    greeks(f"{GOOD} --overwrite", terminal(none_on_friday), code=1)
    assert data() == before
    (error,) = last_summary()["errors"]  # type: ignore[misc]  # -- one, or the test fails
    assert error["error_type"] == "NothingNow"  # type: ignore[has-type]


def test_a_daily_layout_adds_a_file_for_each_trade_date() -> None:
    daily = f"{GOOD} --layout daily --max_dte 4"
    assert len(greeks(f"{daily} --end_date 2024-03-14")) == 3
    before = data()
    assert "trade_date=2024-03-14/SPXW_20240315.csv" in before
    assert greeks(f"{daily} --end_date 2024-03-15") == [
        "SPXW 2024-03-15 on 2024-03-15",
        "SPXW 2024-03-18 on 2024-03-15",
    ]
    after = data()
    assert {name: after[name] for name in before} == before
    assert len(after) == 5


def test_a_run_that_wrote_nothing_does_not_choose_the_layout() -> None:
    refused = Answer(b"no", status=403, content_type="text/plain")
    greeks(GOOD, terminal(lambda request: refused), code=1)
    assert len(greeks(f"{GOOD} --layout daily")) == 3


def test_today_and_yesterday_are_new_yorks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(shlex.split("download --symbol SPXW --start_date today --end_date yesterday"))
    assert re.search(r"--end_date is \d{4}-\d\d-\d\d, before", capsys.readouterr().err)


def test_every_reader_reads_a_daily_folder() -> None:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow.dataset as ds

    greeks(f"{GOOD} --layout daily --max_dte 4 --end_date 2024-03-15 --format parquet")
    folder = "data/greeks"
    assert ds.dataset(folder, format="parquet", partitioning="hive").count_rows() == 50
    assert len(pd.read_parquet(folder)) == 50
    assert pl.scan_parquet(f"{folder}/").select(pl.len()).collect().item() == 50
    query = "select count(*), count(distinct trade_date) from 'data/greeks/**/*.parquet'"
    assert duckdb.execute(query).fetchall() == [(50, 2)]


def test_a_second_run_into_the_folder_is_refused_with_the_holder(
    tmp_path: Path,
) -> None:
    go, asked = threading.Event(), threading.Event()

    def answer(request: GreeksRequest) -> Answer:
        asked.set()
        return Answer(rows_of(request, request.trade_dates[0], 100), hold=go)

    with scripted_server(terminal(answer)) as server:
        flags = [*shlex.split(GOOD), "--terminal", server.url]
        first = start(tmp_path, *flags)
        assert asked.wait(60)
        out = greeks_here(tmp_path, *flags, code=2)
        assert f"another run is writing to data/greeks: process {first.pid} on " in out
        out = greeks_here(tmp_path, "verify", code=2)
        go.set()
        printed, err = first.communicate(timeout=60)
    assert first.returncode == 0, printed + err
    assert len(data()) == 3
    assert main(["verify"]) == 0
    assert [each["status"] for each in summaries(Path())] == ["succeeded", "failed"]


def test_two_runs_that_start_together_leave_one_good_tree(tmp_path: Path) -> None:
    together = threading.Barrier(2)

    def script(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/option/list/expirations":
            together.wait(60)
        return plain(path, query)

    plain = terminal(lambda request: Answer(rows_of(request, request.trade_dates[0], 5000)))
    with scripted_server(script) as server:
        both = [start(tmp_path, *shlex.split(GOOD), "--terminal", server.url) for _ in range(2)]
        printed = ["".join(each.communicate(timeout=120)) for each in both]
    # The later one finds the lock taken, or the files there.
    assert [each.returncode for each in both] in ([0, 2], [2, 0], [0, 0]), printed
    assert all(content.count(b"\n") == 5001 for content in data().values())
    assert len(data()) == 3
    assert main(["verify"]) == 0


def test_a_lock_of_a_killed_run_is_nobodys(tmp_path: Path) -> None:
    with silent_terminal() as (url, asked):
        process = start(tmp_path, *shlex.split(GOOD), "--terminal", url)
        assert asked.wait(60)
        process.kill()
        process.communicate()
    assert len(greeks(GOOD)) == 3


SYNCED_COMMIT = """
fsync greeks.meta/unfinished/RUN/UNFINISHED.json
rename greeks.meta/unfinished/RUN/UNFINISHED.json greeks.meta/files/{folder}/{name}.json
fsync greeks.meta/files/{folder}
fsync greeks.meta/unfinished/RUN/UNFINISHED.csv
rename greeks.meta/unfinished/RUN/UNFINISHED.csv greeks/{folder}/{name}
fsync greeks/{folder}
"""


def calls_of(command: str, folder: Path) -> str:
    """Returns each sync and rename of a command in its output folder, a line each, in order.

    Skips the test where no process can be traced, or fails it where that is required.
    """
    trace = folder / "trace"
    calls = "trace=fsync,fdatasync,sync,syncfs,sync_file_range,rename,renameat,renameat2"
    tracer = ["strace", "-f", "-y", "-qq", "-z", "-e", calls, "-o", str(trace)]
    if shutil.which("strace"):
        done = subprocess.run(
            [*tracer, sys.executable, "-m", "pipeline", *shlex.split(command)],
            capture_output=True,
            text=True,
            check=False,
        )
        if "ptrace" not in done.stderr:
            assert done.returncode == 0, done.stderr
            lines = map(_call, trace.read_text().splitlines())
            return "\n".join(line for line in lines if line)
    assert "strace" not in os.environ.get("GREEKS_TEST_REQUIRED", "").split(",")
    pytest.skip("strace is not installed, or may not trace here")


def _call(line: str) -> str:
    call = re.search(r"(\w*sync|rename)\w*\((.*)\) += 0$", line)
    if call is None:
        return ""
    paths = [each.rpartition("data/")[2] for each in re.findall(r'[<"]([^<">]+)[>"]', call[2])]
    shown = " ".join([call[1], *(each for each in paths if each.startswith("greeks"))])
    shown = re.sub(r"unfinished/[^/ ]+/[0-9a-f]{32}", "unfinished/RUN/UNFINISHED", shown)
    return shown if "greeks" in shown else ""


def test_a_commit_syncs_a_file_its_entry_and_their_folders_and_nothing_else(
    tmp_path: Path,
) -> None:
    with scripted_server(terminal()) as server:
        command = f"{GOOD} --layout daily --concurrency 1 --terminal {server.url}"
        shown = calls_of(command, tmp_path)
    folder = "trade_date=2024-03-14"
    first, *others = (
        SYNCED_COMMIT.strip().format(folder=folder, name=f"SPXW_202403{day}.csv").splitlines()
        for day in (14, 15, 18)
    )
    # The folders are new: their own entries are synced, too.
    first[1:1], first[6:6] = ["fsync greeks.meta", "fsync greeks.meta/files"], ["fsync greeks"]
    expected = [*first, *(line for lines in others for line in lines)]
    assert "\n".join(expected) in shown, shown


@pytest.mark.slow
def test_a_file_that_is_replaced_has_its_entry_marked_until_it_is_in_place(tmp_path: Path) -> None:
    greeks(GOOD)
    with scripted_server(terminal()) as server:
        command = f"{GOOD} --max_dte 0 --overwrite --terminal {server.url}"
        change(NEAR, sha256="0" * 64)
        shown = calls_of(command, tmp_path)
    folder, name = NEAR.split("/")
    again = SYNCED_COMMIT.strip().splitlines()[:3]
    expected = SYNCED_COMMIT + "\n".join(again) + "\n"
    assert expected.strip().format(folder=folder, name=name) in shown, shown

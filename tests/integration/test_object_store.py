"""Downloads into S3 and Google's store: real servers, real kills, a reader that always looks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import WITHOUT_COVERAGE, greeks, greeks_here, start
from tests.support.counting_proxy import counting_proxy
from tests.support.data import files_in
from tests.support.google_store import GoogleStore, google_store
from tests.support.object_store import BUCKET, KINDS, SECRET, ObjectStore, object_store
from tests.support.reader import Reader
from tests.support.waiting import wait_for

SPXW = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--progress", "none"]
OUTPUT = ["--output", f"s3://{BUCKET}/out", "--metrics", f"s3://{BUCKET}/runs"]
# Files of 13 MB and more: of several parts.
LARGE = ["--max_dte", "1", "--interval", "1m"]


@pytest.fixture(params=KINDS)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore]:
    with object_store(request.param, tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(params=["moto", pytest.param("gcs", marks=pytest.mark.slow)])
def either(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore | GoogleStore]:
    """S3 or Google's store."""
    if request.param == "gcs":
        with google_store() as google:
            yield google
    else:
        with object_store("moto", tmp_path_factory.mktemp("store")) as running:
            yield running


def output(store: ObjectStore | GoogleStore) -> list[str]:
    """Returns the flags of a download into a store."""
    return [*(word.replace("s3:", f"{store.scheme}:") for word in OUTPUT), *store.flags]


@pytest.fixture
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store("moto", tmp_path_factory.mktemp("store")) as running:
        yield running


def at(
    store: ObjectStore | GoogleStore, folder: Path, *arguments: str, code: int = 0, **more: str
) -> str:
    """Runs `greeks ARGUMENTS` with the store in its environment, and returns what it printed."""
    return greeks_here(folder, *arguments, code=code, **store.environment | more)


@pytest.mark.parametrize(
    "form",
    [
        ["--format", "csv", "--compression", "gzip"],
        pytest.param(["--format", "parquet", "--layout", "daily"], marks=pytest.mark.slow),
    ],
    ids=["gzip", "parquet-daily"],
)
def test_the_objects_are_the_files_of_a_local_run_and_are_believed_like_them(
    terminal: TerminalServer, either: ObjectStore | GoogleStore, form: list[str], tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "1", "--interval", "15m", "--terminal", terminal.url, *form]
    greeks_here(tmp_path, *command)
    local = files_in(tmp_path / "data" / "greeks")
    assert "2 written" in at(either, tmp_path, *command, *output(either))
    assert either.objects("out/") == local
    shown = at(either, tmp_path, "verify", *output(either)[:2], *either.flags)
    assert "2 files" in shown
    assert "all as it was written" in shown
    for proof in ("stat", "hash"):
        shown = at(either, tmp_path, *command, *output(either), "--resume", proof)
        assert "0 written, 2 skipped" in shown
    # Other bytes of the same size: only the hash differs.
    name = next(iter(local))
    either.put(f"out/{name}", bytes(len(local[name])))
    assert "problem" in at(either, tmp_path, "verify", *output(either)[:2], *either.flags, code=1)
    shown = at(either, tmp_path, *command, *output(either), "--resume", "hash")
    assert "1 written, 1 skipped" in shown
    # The very bytes that are there: they stay, and what was sent of the others is taken back.
    assert "2 written" in at(either, tmp_path, *command, *output(either), "--overwrite")
    assert either.objects("out/") == local
    # Nothing but the files, the manifest, its index, the layout and the views is left.
    left = {name.split("/")[0] for name in either.objects("out.meta/")}
    assert left == {"catalog.sql", "files", "files.index", "layout.json"}
    listed = at(either, tmp_path, "runs", "list", *output(either)[2:], "--json")
    assert [each["status"] for each in json.loads(listed)] == ["succeeded"] * 5


@pytest.mark.slow
def test_taking_stock_of_a_store_lists_and_asks_for_no_object_of_its_own(
    terminal: TerminalServer, moto: ObjectStore, tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "8", "--interval", "15m", "--terminal", terminal.url]
    command += OUTPUT[:2]
    at(moto, tmp_path, *command)
    request = json.loads(next(iter(moto.objects("out.meta/files/").values())))
    asked = []
    for files in (30, 90):
        for number in range(files):
            # Of another plan.
            name = f"2023-01-01/SPXW_{number:08}.csv"
            moto.put(f"out/{name}", b"x")
            moto.put(f"out.meta/files/{name}.json", json.dumps(request | {"bytes": 1}).encode())
        at(moto, tmp_path, *command)  # which brings the index up to date
        both = []
        for written in (0, 1):
            with counting_proxy(moto.url) as (url, counts):
                shown = at(moto, tmp_path, *command, AWS_ENDPOINT_URL=url)
            assert f"{written} written" in shown
            both.append(counts)
            moto.client.delete_object(Bucket=BUCKET, Key="out/2024-03-15/SPXW_20240315.csv")
        asked.append(both)
    fewer, more = asked
    assert more == fewer
    assert all(sum(counts.values()) < 60 for counts in more), more
    # Each folder once: nothing at the end of a run that sent nothing, else those beside its files.
    assert [counts["GET list"] for counts in more] == [7, 9]


@pytest.mark.slow
def test_verify_asks_a_store_twice_for_a_file_that_it_reads_and_never_for_another(
    terminal: TerminalServer, moto: ObjectStore, tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "8", "--interval", "1h", "--terminal", terminal.url]
    at(moto, tmp_path, *command, *OUTPUT[:2])
    read = len(moto.objects("out/"))
    request = json.loads(next(iter(moto.objects("out.meta/files/").values())))
    expiration = request["request"]["expiration"]
    asked, keys = {}, list[str]()
    for number in range(60):
        # Of other symbols, every second without data.
        symbol = f"A{number}"
        name = f"{expiration}/{symbol}_{expiration.replace('-', '')}.csv"
        keys += [f"out/{name}", f"out.meta/files/{name}.json"]
        more: dict[str, object] = {"request": request["request"] | {"symbol": symbol}}
        if number % 2:
            more["state"] = "empty"
        else:
            more["bytes"] = 1
            moto.put(keys[-2], b"x")
        moto.put(keys[-1], json.dumps(request | more).encode())
        if number not in (19, 59):
            continue
        at(moto, tmp_path, *command, *OUTPUT[:2])  # which brings the index up to date
        with counting_proxy(moto.url) as (url, asked[number]):
            shown = at(
                moto, tmp_path, "verify", *OUTPUT[:2], "--sample", "0.0001%", AWS_ENDPOINT_URL=url
            )
        assert "; 0 files read" in shown
    assert asked[19] == asked[59]
    for key in keys:
        moto.client.delete_object(Bucket=BUCKET, Key=key)
    at(moto, tmp_path, *command, *OUTPUT[:2])
    with counting_proxy(moto.url) as (url, counts):
        shown = at(moto, tmp_path, "verify", *OUTPUT[:2], AWS_ENDPOINT_URL=url)
    assert "all as it was written" in shown
    reading = counts - asked[59]
    # The other one looks for the note of a verification that was stopped.
    assert (reading["GET object"], reading["HEAD object"]) == (read + 1, read)


@pytest.mark.slow
def test_what_verify_sets_aside_in_a_store_the_next_run_fetches(
    terminal: TerminalServer, either: ObjectStore | GoogleStore, tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "4", "--interval", "30m", "--terminal", terminal.url]
    at(either, tmp_path, *command, *output(either))
    whole = either.objects("out/")
    first = min(whole)
    damaged = bytes(len(whole[first]))
    either.put(f"out/{first}", damaged)
    either.put("out/mine/notes.csv", b"somebody's")
    verify = ["verify", *output(either)[:2], *either.flags]
    shown = at(either, tmp_path, *verify, code=1)
    assert "has other bytes than were written" in shown
    assert "notes.csv is not in the manifest" in shown
    assert either.objects("out/") == whole | {first: damaged, "mine/notes.csv": b"somebody's"}
    shown = at(either, tmp_path, *verify, "--fix", code=1)
    assert shown.count("fixed: ") == 2
    aside = either.objects("out.meta/aside/")
    assert {name.partition("/")[2]: data for name, data in aside.items()} == {
        f"{first}.aside": damaged,
        "mine/notes.csv.aside": b"somebody's",
    }
    assert either.objects("out/").keys() == whole.keys() - {first}
    shown = at(either, tmp_path, *command, *output(either))
    assert f"1 written, {len(whole) - 1} skipped" in shown
    assert either.objects("out/") == whole
    assert "all as it was written" in at(either, tmp_path, *verify)


@pytest.mark.slow
def test_another_request_does_not_replace_an_object(
    terminal: TerminalServer, either: ObjectStore | GoogleStore, tmp_path: Path
) -> None:
    command = [*SPXW, *output(either), "--max_dte", "1", "--terminal", terminal.url]
    at(either, tmp_path, *command, "--interval", "30m")
    before = either.objects("out/")
    shown = at(either, tmp_path, *command, "--interval", "15m", code=2)
    assert "was made by another request" in shown
    shown = at(either, tmp_path, "plan", *command[1:], "--interval", "15m", code=2)
    assert "was made by another request" in shown
    assert either.objects("out/") == before


@pytest.mark.slow
def test_kills_leave_no_object_and_the_next_run_clears_their_parts(
    terminal: TerminalServer, store: ObjectStore, tmp_path: Path
) -> None:
    command = [*SPXW, *LARGE, "--terminal", terminal.url, "--concurrency", "2"]
    greeks_here(tmp_path, *command)
    whole = files_in(tmp_path / "data" / "greeks")
    assert all(len(content) > 2 * (5 << 20) for content in whole.values())
    poller = Reader(lambda: store.objects("out/").items(), whole)
    with poller.reading():
        for _ in range(2):
            process = start(tmp_path, *command, *OUTPUT, **store.environment)
            # Parts are there, and no object is.
            wait_for("an upload", lambda: process.poll() is not None or store.uploads())  # noqa: B023 -- called here
            process.kill()
            process.communicate()
            assert process.returncode == -signal.SIGKILL
        assert store.uploads()
        shown = at(store, tmp_path, *command, *OUTPUT)
    assert "an earlier run was killed" in shown
    assert "unfinished upload" in shown
    assert poller.partial == []
    assert poller.seen >= len(whole)
    assert store.objects("out/") == whole
    assert store.uploads() == []
    assert "all as it was written" in at(store, tmp_path, "verify", *OUTPUT[:2])


@pytest.mark.slow
def test_an_interrupted_run_aborts_its_uploads_and_reports_that(
    terminal: TerminalServer, store: ObjectStore, tmp_path: Path
) -> None:
    command = [*SPXW, *LARGE, "--terminal", terminal.url, "--concurrency", "2"]
    greeks_here(tmp_path, *command)
    whole = files_in(tmp_path / "data" / "greeks")
    poller = Reader(lambda: store.objects("out/").items(), whole)
    with poller.reading():
        process = start(tmp_path, *command, *OUTPUT, **store.environment)
        wait_for("an upload", lambda: process.poll() is not None or store.uploads())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert poller.partial == []
    assert store.uploads() == []
    listed = at(store, tmp_path, "runs", "list", *OUTPUT[2:], "--json")
    assert [each["status"] for each in json.loads(listed)] == ["interrupted"]
    assert not any("unfinished" in name for name in store.objects("out.meta/"))


def _state(entry: bytes) -> str:
    return str(json.loads(entry)["state"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_seen_in_googles_store_of_a_file_that_was_under_way(
    terminal: TerminalServer, number: int, tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "6", "--interval", "1m", "--terminal", terminal.url]
    greeks_here(tmp_path, *command)
    whole = files_in(tmp_path / "data" / "greeks")
    with google_store() as store:
        command += [*output(store), "--concurrency", "2"]
        poller = Reader(lambda: store.objects("out/").items(), whole)
        with poller.reading():
            process = start(tmp_path, *command, **store.environment)
            # Two are under way; each is of several pieces. One killed before it was recorded
            # as in place would be fetched again.
            wait_for(
                "a file in place",
                lambda: (
                    process.poll() is not None
                    or "committed" in map(_state, store.objects("out.meta/files/").values())
                ),
            )
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            assert process.returncode == (130 if number == signal.SIGINT else -number), out + err
            assert 1 <= len(store.objects("out/")) < len(whole)
            shown = at(store, tmp_path, *command)
        assert " skipped" in shown
        assert poller.partial == []
        assert store.objects("out/") == whole
        shown = at(store, tmp_path, "verify", *output(store)[:2], *store.flags)
        assert "all as it was written" in shown


@pytest.mark.slow
def test_two_runs_at_once_leave_whole_objects_and_a_true_manifest(
    terminal: TerminalServer, either: ObjectStore | GoogleStore, tmp_path: Path
) -> None:
    command = [*SPXW, "--max_dte", "8", "--interval", "15m", "--terminal", terminal.url]
    greeks_here(tmp_path, *command)
    whole = files_in(tmp_path / "data" / "greeks")
    poller = Reader(lambda: either.objects("out/").items(), whole)
    with poller.reading():
        both = [start(tmp_path, *command, *output(either), **either.environment) for _ in range(2)]
        shown = ["".join(process.communicate(timeout=120)) for process in both]
    assert poller.partial == []
    assert either.objects("out/") == whole
    for process, text in zip(both, shown, strict=True):
        # Each has all its files, or says of which one the other was faster.
        assert process.returncode == 0 or "has replaced it meanwhile" in text, text
    at(either, tmp_path, *command, *output(either))
    assert "all as it was written" in at(
        either, tmp_path, "verify", *output(either)[:2], *either.flags
    )


@pytest.mark.slow
def test_of_two_runs_that_want_one_object_one_wins_however_they_cross(
    store: ObjectStore,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crossing", f"s3://{BUCKET}/pairs"],
        env=os.environ | store.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["crossing failed written"] * 2
    # One that looks when the other is done replaces the file, as any later run may.
    assert len(lines) == 22
    assert set(lines[2:]) <= {"together failed written", "together written written"}


@pytest.mark.slow
def test_a_store_that_cannot_be_used_is_an_error_with_its_reason_and_no_secret(
    terminal: TerminalServer, moto: ObjectStore, tmp_path: Path
) -> None:
    command = [*SPXW, "--terminal", terminal.url, "--output", "s3://nobucket/out"]
    shown = at(moto, tmp_path, *command, code=2)
    assert "there is no such bucket: make it first" in shown
    secret = ["--s3_access_key_id", "AKIA0", "--s3_secret_access_key", SECRET]
    address = moto.url.replace("http://", "http://me:hunter2@")
    for more, words in (
        ([*secret, "--s3_endpoint_url", address], "address has a password in it"),
        ([*secret, "--s3_endpoint_url", "http://127.0.0.1:9"], "Could not connect"),
    ):
        shown = greeks(tmp_path, *command, *more, code=2, AWS_MAX_ATTEMPTS="1")
        assert words in shown
        assert SECRET not in shown
        assert "hunter2" not in shown
    nowhere = {
        "AWS_ENDPOINT_URL": moto.url,
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert "set AWS_ACCESS_KEY_ID" in greeks(tmp_path, *command, code=2, **nowhere)


def test_no_record_or_object_holds_the_secret(
    terminal: TerminalServer, moto: ObjectStore, tmp_path: Path
) -> None:
    shown = greeks(
        tmp_path,
        *SPXW,
        *OUTPUT,
        "--max_dte",
        "1",
        "--interval",
        "30m",
        "--terminal",
        terminal.url,
        "--s3_endpoint_url",
        moto.url,
        "--s3_access_key_id",
        "AKIA0",
        "--s3_secret_access_key",
        SECRET,
    )
    assert SECRET not in shown
    kept = moto.objects()
    assert any(name.startswith("runs/pipeline-run-") for name in kept)
    assert not any(SECRET.encode() in content for content in kept.values())


@pytest.mark.alone
def test_a_download_into_a_store_stays_below_200_mib(
    terminal: TerminalServer, either: ObjectStore | GoogleStore, tmp_path: Path
) -> None:
    for form in ("csv", "parquet"):
        folder = ["--output", f"{either.scheme}://{BUCKET}/{form}", *output(either)[2:]]
        flags = [*SPXW, "--terminal", terminal.url, "--format", form, "--max_dte", "12"]
        without = either.environment | WITHOUT_COVERAGE
        greeks(tmp_path, *flags, *folder, code=0, **without)
    listed = json.loads(at(either, tmp_path, "runs", "list", *output(either)[2:], "--json"))
    assert [each["rows"] for each in listed] == [listed[0]["rows"]] * 2
    assert max(each["memory"] for each in listed) < 200


@pytest.mark.slow
def test_the_doctor_says_whether_a_bucket_can_be_written_to(
    terminal: TerminalServer, moto: ObjectStore, tmp_path: Path
) -> None:
    command = ["doctor", "--terminal", terminal.url, "--metrics", f"s3://{BUCKET}/runs"]
    shown = at(moto, tmp_path, *command, *OUTPUT[:2])
    assert f"s3://{BUCKET}/out can be listed and written to" in shown
    shown = at(moto, tmp_path, *command, "--output", "s3://nobucket/x", code=1)
    assert "there is no such bucket" in shown
    assert moto.objects() == {}

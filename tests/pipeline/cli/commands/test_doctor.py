import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.answers import HEADER
from tests.support.scripted import Answer, Script, scripted_server
from transforms.native import compiled

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def script(
    status: bytes = b"CONNECTED",
    refused: dict[str, int] | None = None,
    expirations: str = "2099-01-02",
) -> Script:
    """A v3 Terminal that refuses some orders of Greeks with a status."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/terminal/mdds/status":
            return Answer(status, content_type="text/plain")
        if path == "/v3/option/list/expirations":
            return Answer(f"symbol,expiration\r\nSPXW,{expirations}\r\n".encode())
        for order, code in (refused or {}).items():
            if path.endswith(order):
                return Answer(b"not subscribed", status=code, content_type="text/plain")
        if path.endswith("first_order"):
            return Answer(f"{HEADER}\r\n".encode())
        if "/history/" in path:
            return Answer(b"No data found", status=472, content_type="text/plain")
        return Answer(b"no such path", status=404, content_type="text/plain")

    return answer


def doctor(
    capsys: pytest.CaptureFixture[str], *flags: str, code: int, terminal: Script | None = None
) -> str:
    with scripted_server(terminal or script()) as server:
        assert main(["doctor", "--terminal", server.url, *flags]) == code
    out = capsys.readouterr().out.replace(server.url, "URL")
    for line in out.splitlines():
        assert line.startswith(("ok   ", "warn ", "fail ", "     → ")), line
    lines = out.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        assert after.startswith("     → ") == line.startswith(("warn ", "fail ")), line
    return out


def test_where_all_is_well_every_line_is_ok(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = doctor(capsys, code=0)
    assert "ok   Terminal at URL: CONNECTED, and speaks v3" in out
    assert "ok   clock of URL: the same as this machine's" in out
    assert "ok   expirations of SPXW: 1, up to 2099-01-02" in out
    assert "ok   first-order Greeks: nothing for SPXW expiring 2099-01-02 on" in out
    assert out.count("no refusal; needs Standard") == 2
    assert "no refusal; needs Professional" in out
    assert "no refusal; needs Value" in out
    assert "ok   output: data/greeks can be written to" in out
    assert "ok   metrics: 0 runs in data/metrics" in out
    assert "ok   versions: greeks " in out
    assert "in New York" in out
    assert "fail " not in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [True, False])
def test_whether_the_compiled_code_is_there_is_reported_with_the_remedy(
    there: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "AVAILABLE", there)
    out = doctor(capsys, code=0)
    assert ("ok   CSV: read and printed by compiled code" in out) == there
    assert ("warn CSV: read and printed by Arrow" in out) != there
    assert ("     → install one (on Debian: apt-get install gcc" in out) != there


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        (b"DISCONNECTED", "wait until it has connected"),
        (b"UNVERIFIED", "its credentials are wrong"),
    ],
)
def test_a_terminal_without_a_session_fails(
    status: bytes, way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = doctor(capsys, code=1, terminal=script(status))
    assert f"fail Terminal at URL: it says '{status.decode()}', not 'CONNECTED'" in out
    assert f"     → {way_out}" in out
    assert "Greeks" not in out


def test_nobody_at_the_address_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(script()) as server:
        gone = server.url
    assert main(["doctor", "--terminal", gone]) == 1
    out = capsys.readouterr().out
    assert f"fail Terminal at {gone}: no Theta Terminal answers at {gone}" in out
    assert "     → start the Terminal, or give its address with --terminal" in out


def test_each_of_several_terminals_is_reported_and_a_silent_one_is_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with scripted_server(script()) as server:
        gone = server.url
    refusing = script(refused={"first_order": 403})
    with scripted_server(script()) as first, scripted_server(refusing) as second:
        assert main(["doctor", "--terminal", f"{first.url},{gone}, {second.url}/"]) == 1
        out = capsys.readouterr().out
        assert f"ok   Terminal at {first.url}: CONNECTED, and speaks v3" in out
        assert f"ok   Terminal at {second.url}: CONNECTED, and speaks v3" in out
        assert f"warn Terminal at {gone}: no Theta Terminal answers at {gone}" in out
        assert f"ok   first-order Greeks at {first.url}: nothing for SPXW" in out
        assert f"fail first-order Greeks at {second.url}: the Terminal answered 403" in out
        assert out.count("ok   clock of ") == 2
        assert main(["doctor", "--terminal", f"{first.url},{gone}"]) == 0


def test_where_none_of_several_answers_each_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(script()) as first, scripted_server(script()) as second:
        gone = [first.url, second.url]
    assert main(["doctor", "--terminal", ",".join(gone)]) == 1
    out = capsys.readouterr().out
    for url in gone:
        assert f"fail Terminal at {url}: no Theta Terminal answers at {url}" in out


def test_terminals_of_two_markets_fail(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalServer(Market()) as first, TerminalServer(Market(seed=1)) as second:
        assert main(["doctor", "--terminal", f"{first.url},{second.url}"]) == 1
        shown = f"{first.url} has seed 0, {second.url} has seed 1"
    out = capsys.readouterr().out
    assert f"fail Terminals: they do not serve the same: {shown}" in out


def test_terminals_of_two_generations_fail_as_a_download_would(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with TerminalServer(Market()) as first, TerminalServer(Market(), api="v2") as second:
        assert main(["doctor", "--terminal", f"{first.url},{second.url}"]) == 1
        shown = f"{first.url} speaks v3, {second.url} speaks v2"
    out = capsys.readouterr().out
    assert f"fail Terminals: they are of two generations: {shown}" in out
    assert "name Terminals of one generation" in out


def test_something_else_at_the_address_fails(capsys: pytest.CaptureFixture[str]) -> None:
    out = doctor(capsys, code=1, terminal=lambda path, query: Answer(b"nginx", status=404))
    assert "fail Terminal at URL: the Terminal answered 404 NO_IMPL" in out


@pytest.mark.parametrize("code", [403, 471])
def test_an_order_outside_the_subscription_is_reported(
    code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = doctor(capsys, code=0, terminal=script(refused={"second_order": code}))
    assert "ok   first-order Greeks" in out
    assert f"warn second-order Greeks: the Terminal answered {code}" in out
    assert "     → the subscription does not include it" in out
    assert "need Pro" in out
    out = doctor(capsys, code=1, terminal=script(refused={"first_order": code}))
    assert f"fail first-order Greeks: the Terminal answered {code}" in out


def test_a_symbol_without_expirations_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    out = doctor(capsys, code=0, terminal=script(expirations="2020-01-03"))
    assert "warn expirations of SPXW: none after " in out


def test_a_clock_that_is_wrong_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def dated(path: str, query: dict[str, str]) -> Answer:
        answer = script()(path, query)
        answer.headers = {"Date": "Thu, 14 Mar 2024 14:00:00 GMT"}
        return answer

    out = doctor(capsys, code=1, terminal=dated)
    assert "fail clock of URL: 2024-03-14 14:00:00 UTC there, " in out


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_the_stand_in_answers_on_its_generation_and_is_identified(
    api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with TerminalServer(Market(), api=api) as server:
        assert main(["doctor", "--terminal", server.url]) == 0
    out = capsys.readouterr().out
    assert f"ok   Terminal at {server.url}: CONNECTED, and speaks {api}" in out
    assert "simulated (seed 0): this is the stand-in" in out
    assert out.count("Greeks: served: ") == 3


def test_a_parameter_that_changes_no_row_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalServer(Market()) as server:
        assert main(["doctor", "--terminal", server.url]) == 0
    lines = capsys.readouterr().out.splitlines()
    for honoured in ("--greeks_version 1", "--annual_dividend 10", "--option_use_nbbo false"):
        assert f"ok   {honoured}: changes the rows" in lines
    (ignored,) = [line for line in lines if "--underlyer_use_nbbo true" in line]
    assert ignored.startswith("warn")
    assert "the Terminal may ignore it" in ignored


def test_a_history_that_can_not_be_reached_fails_without_its_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = doctor(capsys, "--metrics", "postgresql://me:hush@127.0.0.1:9/x", code=1)
    assert "fail metrics: the run history in postgresql://me:***@127.0.0.1:9/x" in out
    assert "hush" not in out


def test_foreign_files_in_the_history_are_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text("{}")
    out = doctor(capsys, "--metrics", str(tmp_path), code=0)
    assert "warn metrics: 1 file of another kind, such as: " in out


def test_a_file_where_a_folder_must_be_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    out = doctor(capsys, "--output", "file/x", "--metrics", "elsewhere://x/y", code=1)
    assert "fail output: file/x: Not a directory in " in out
    assert "fail metrics: elsewhere://x/y: " in out
    assert (tmp_path / "file").read_text() == "mine"


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mounts a small file system in memory, or skips the test where nobody may."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    with mounted(tmp_path / "full", "size=64k"):
        (tmp_path / "full" / "data").write_bytes(b"x" * 60_000)
        out = doctor(capsys, "--output", "full/greeks", code=1)
    assert "fail output: full/greeks: No space left on device in " in out
    assert "fail disk of output: " in out
    assert "ok   disk of metrics: " in out


def test_little_room_is_warned_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    with mounted(tmp_path / "small", "size=100m"):
        out = doctor(capsys, "--output", "small/greeks", code=0)
    assert "warn disk of output: " in out
    assert "ok   output: small/greeks can be written to" in out


def test_a_read_only_folder_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "fixed").mkdir()
    with mounted(tmp_path / "fixed", "ro,size=100m"):
        out = doctor(capsys, "--output", "fixed", "--metrics", "fixed/m", code=1)
    assert "fail output: fixed: Read-only file system in " in out
    assert "fail metrics: fixed/m: Read-only file system in " in out


def java(folder: Path, shown: str, code: int = 0) -> str:
    """Makes a program that answers as Java does; returns the PATH on which it is found."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{shown}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return f"{folder}:/bin:/usr/bin"


@pytest.mark.parametrize(
    ("shown", "code", "level"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 0, "ok  "),
        ('java version "1.8.0_392"', 0, "fail"),
        ("no Java runtime present", 1, "fail"),
    ],
)
def test_java_is_looked_for_where_flink_is_asked_for(
    shown: str,
    code: int,
    level: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", java(tmp_path, shown, code))
    monkeypatch.setenv("HOME", str(tmp_path))
    out = doctor(capsys, "--flink", code=int(level == "fail"))
    assert f"{level} Java: {shown}" in out
    assert "warn Flink's job server: no beam-runners-flink-*-job-server-" in out
    assert "Java" not in doctor(capsys, code=0)


def test_flinks_job_server_is_looked_for_where_it_is_said_to_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = doctor(capsys, "--flink_job_server_jar", "nowhere.jar", code=1)
    assert "fail Java: there is none" in out
    assert "fail Flink's job server: nowhere.jar is not there" in out
    (tmp_path / "here.jar").write_text("")
    out = doctor(capsys, "--flink_job_server_jar", "here.jar", code=1)
    assert "ok   Flink's job server: here.jar" in out


def test_diagnoses_are_also_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(script()) as server:
        assert main(["doctor", "--terminal", server.url, "--json"]) == 0
    diagnoses = json.loads(capsys.readouterr().out)
    assert {"level", "about", "words", "way_out"} == set(diagnoses[0])
    assert len(diagnoses) > 8


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--terminal", "embedded"], "--terminal: the simulated market needs no doctor"),
        (["--terminal", "ftp://x"], "--terminal is 'ftp://x'"),
        (["--terminal", "http://x,"], "--terminal is ''"),
        (["--terminal", "http://x,http://x/"], "--terminal names one twice"),
        (["--symbol", "../x"], "--symbol: '../x' is not a symbol"),
        (["--runner", "x"], "--runner is not a flag of greeks doctor"),
    ],
)
def test_a_wrong_flag_exits_2(
    flags: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *flags])
    assert ended.value.code == 2
    assert shown in capsys.readouterr().err

"""Mistyped commands, and requests for nothing: the error names the mistake and what to do."""

import os
import shlex
import socket
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.doctor.diagnosis import FAIL
from pipeline.doctor.folders import output as examined
from tests.support.command import greeks, greeks_here
from tests.support.market import terminal
from tests.support.ports import free_port
from tests.support.scripted import Answer, scripted_server
from transforms.market import clock

GOOD = "download --symbol SPXW --start_date 2024-03-14"
CLOSED = "/sys/greeks"  # where not even root may make a folder


def printed(folder: Path, command: str, code: int) -> str:
    return greeks_here(folder, *shlex.split(command), code=code)


@pytest.mark.parametrize("command", ["", "runs", "config"])
def test_a_command_that_is_left_out_is_answered_with_the_help(tmp_path: Path, command: str) -> None:
    out = printed(tmp_path, command, 0)
    assert out.startswith(f"usage: greeks {command}".rstrip())
    assert "examples:" in out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("downlod", "'downlod' is not a command of greeks; did you mean download?"),
        ("runs lst", "'lst' is not a command of greeks runs; did you mean list?"),
        ("xyzzy", "'xyzzy' is not a command of greeks; they are download, plan, "),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(
    tmp_path: Path, command: str, words: str
) -> None:
    assert words in printed(tmp_path, command, 2)


@pytest.mark.parametrize("flag", ["--start_date", "--end_date"])
def test_a_date_in_the_future_is_named_by_its_flag_with_the_date_in_new_york(
    tmp_path: Path, flag: str
) -> None:
    out = printed(tmp_path, f"{GOOD} {flag} 2399-03-14", 2)
    today = clock.now().date()
    assert f"error: {flag} is 2399-03-14, in the future: today is {today} in New York" in out


@pytest.mark.parametrize("command", [GOOD, "doctor"])
@pytest.mark.parametrize("address", ["10.0.0.5:25503", "localhost:25503", "localhost", "theta.lan"])
def test_an_address_without_a_scheme_is_answered_with_the_whole_one(
    tmp_path: Path, command: str, address: str
) -> None:
    out = printed(tmp_path, f"{command} --terminal {address}", 2)
    assert f"did you mean http://{address}?" in out


def test_without_a_terminal_every_address_is_named_and_what_to_do_once(tmp_path: Path) -> None:
    urls = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    out = printed(tmp_path, f"{GOOD} --terminal {','.join(urls)}", 3)
    for url in urls:
        assert f"no Theta Terminal answers at {url} (connection refused)" in out
    for remedy in ("start the Terminal", "--terminal embedded", "greeks doctor"):
        assert out.count(remedy) == 1, out


def test_a_local_terminal_is_looked_for_at_both_ports_which_are_named(tmp_path: Path) -> None:
    # A process of its own: nothing of this machine may answer it.
    if any(map(_answers, (25503, 25510))):
        pytest.skip("a Terminal answers on this machine")
    out = greeks(tmp_path, *GOOD.split(), code=3)
    assert "http://127.0.0.1:25503" in out
    assert "http://127.0.0.1:25510" in out


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_bad_file_of_settings_is_answered_with_the_usage_of_its_command(tmp_path: Path) -> None:
    out = printed(tmp_path, "download --config nope.toml", 2)
    assert out.startswith("usage: greeks download --symbol SPXW --start_date DATE")
    assert "greeks download: error: --config nope.toml: No such file or directory" in out


def test_of_no_expiration_within_reach_the_nearest_is_named(tmp_path: Path) -> None:
    with scripted_server(
        terminal(expirations={"SPXW": ("2024-03-01", "2024-03-22", "2024-04-19")})
    ) as there:
        out = printed(tmp_path, f"{GOOD} --max_dte 3 --terminal {there.url}", 1)
        assert "; the nearest is 2024-03-22: --max_dte 8" in out
        printed(tmp_path, f"{GOOD} --max_dte 8 --terminal {there.url}", 0)


def test_of_an_unknown_symbol_nothing_is_fetched_and_that_is_said(tmp_path: Path) -> None:
    with scripted_server(terminal()) as there:
        out = printed(tmp_path, f"{GOOD} --symbol NOPE --terminal {there.url}", 1)
    assert "lists no expirations of NOPE: nothing was fetched. Is it the option root?" in out
    assert not (tmp_path / "data" / "greeks").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("diff marsh march", "nothing was compared: A: marsh is not there; did you mean march?"),
        ("diff march nowhere", "nothing was compared: B: nowhere is not there"),
        ("diff march", "A: data/greeks is not there, where greeks download puts its files"),
        ("check marsh", "marsh is not there; did you mean march?"),
        ("check summer", "summer is not there\n"),
        ("check", "data/greeks is not there, where greeks download puts its files"),
    ],
)
def test_a_folder_that_is_not_there_is_named_and_the_one_that_may_be_meant(
    tmp_path: Path, command: str, words: str
) -> None:
    (tmp_path / "march").mkdir()
    (tmp_path / "summer.meta").mkdir()  # of no data
    assert words in printed(tmp_path, command, 2)


@pytest.mark.parametrize("flag", ["output", "metrics"])
def test_a_folder_without_permission_is_refused_in_the_words_of_the_doctor(
    flag: str, tmp_path: Path
) -> None:
    diagnosis = next(iter(examined(CLOSED)))
    with scripted_server(terminal()) as there:
        out = printed(tmp_path, f"{GOOD} --terminal {there.url} --{flag} {CLOSED}", 2)
    assert diagnosis.level == FAIL
    assert diagnosis.way_out.replace("output", flag) in out
    assert out.count("can't be") == 1
    assert "Errno" not in out


def test_failures_of_one_reason_are_printed_together_without_their_addresses(
    tmp_path: Path,
) -> None:
    refused = Answer(b"no such thing", status=400, content_type="text/plain")
    with scripted_server(terminal(greeks=lambda _query: refused)) as there:
        out = printed(tmp_path, f"{GOOD} --progress none --terminal {there.url}", 1)
    reasons = [line for line in out.splitlines() if "no such thing" in line]
    assert len(reasons) == 1, out
    assert reasons[0].startswith("failed: 3 expirations: the Terminal answered 400 BAD_REQUEST: ")
    assert out.count("        SPXW expiring ") == 3


def test_a_missing_extra_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    out = printed(tmp_path, "report", 2)
    assert out == (
        "greeks report: altair is not installed, with which charts are drawn: "
        f"{sys.executable} -m pip install 'theta-greeks-pipeline[report]'\n"
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_help_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for command in ("", "download", "check", "diff", "report", "runs compare", "completion"):
        if command:
            with pytest.raises(SystemExit):
                main([*command.split(), "--help"])
        else:
            main([])
        lines = capsys.readouterr().out.splitlines()
        # A path can't be wrapped.
        long = [each for each in lines if len(each) > width and "data/metrics/" not in each]
        assert long == [], command


@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_every_file_and_folder_has_the_mode_that_the_umask_leaves(
    mask: int, tmp_path: Path
) -> None:
    before = os.umask(mask)
    try:
        with scripted_server(terminal()) as there:
            printed(tmp_path, f"{GOOD} --terminal {there.url}", 0)
    finally:
        os.umask(before)
    made = list((tmp_path / "data").rglob("*"))
    assert {"catalog.sql", "layout.json"} <= {path.name for path in made}
    modes = {path: path.stat().st_mode & 0o777 for path in made}
    wrong = {
        str(path.relative_to(tmp_path)): oct(mode)
        for path, mode in modes.items()
        if mode != (0o777 if path.is_dir() else 0o666) & ~mask
    }
    assert wrong == {}

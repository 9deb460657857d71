"""Whatever command is given a secret, none of what it prints or writes has it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import run_here, start

# One that no address could have as it is, one that each splits at another place.
SECRETS = ("hu/sh?of#me%25x", pytest.param("n%2Fever:shown", marks=pytest.mark.slow))
SPXW = ("--symbol", "SPXW", "--start_date", "2024-03-14", "--max_dte", "1", "--interval", "1h")
EMBEDDED = ("--terminal", "embedded")


def commands(secret: str) -> Iterator[tuple[str, ...]]:
    database = f"postgresql://me:{secret}@127.0.0.1:1/greeks"
    broken = f"postgresql://me:{secret}@127.0.0.1:{secret}/greeks"
    terminal = f"http://me:{secret}@127.0.0.1:1"
    store = f"s3://KEY:{secret}@bucket/greeks"
    keys = ("--s3_secret_access_key", secret, f"--s3_session_token={secret}")
    for url in (database, broken):
        yield ("download", *SPXW, *EMBEDDED, "--metrics", url)
        yield ("plan", *SPXW, *EMBEDDED, "--metrics", url)
        yield ("runs", "list", "--metrics", url)
        yield ("runs", "show", "last", "--metrics", url, "--json")
        yield ("report", "last", "--metrics", url)
    yield ("doctor", "--terminal", terminal, "--output", store, "--metrics", database)
    yield ("config", "show", "--terminal", terminal, "--metrics", database, *keys)
    yield ("download", *SPXW, "--terminal", terminal)
    yield ("plan", *SPXW, "--terminal", terminal, "--json")
    yield ("download", *SPXW, *EMBEDDED, "--output", store)
    yield ("plan", *SPXW, *EMBEDDED, "--output", store)
    yield ("verify", "--output", store)
    yield ("check", store)
    yield ("diff", store, store)
    yield ("report", store)
    yield ("download", *SPXW, *EMBEDDED, "--metrics", store)
    yield ("runs", "list", "--metrics", store)
    # Beam's own words, and a run that keeps a record.
    yield ("download", *SPXW, *EMBEDDED, *keys)
    yield ("download", *SPXW, *EMBEDDED, *keys, "--interval", "30m")
    yield ("download", *SPXW, *EMBEDDED, *keys, "--no_such_flag", secret)
    yield ("verify", *keys)
    yield ("runs", "show", "last")
    yield ("config", "show", "--config", "run.toml")
    yield ("download", *SPXW, "--config", "run.toml")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_command_prints_or_writes_a_secret(secret: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        f"terminal = 'http://me:{secret}@127.0.0.1:1'\ns3_secret_access_key = '{secret}'\n"
    )
    variables = {"PGPASSWORD": secret, "AWS_SECRET_ACCESS_KEY": secret, "AWS_ACCESS_KEY_ID": "KEY"}
    shown = []
    for command in commands(secret):
        code, out, err = run_here(tmp_path, *command, **variables)
        assert code in (0, 1, 2), out + err
        assert "Traceback" not in err, err
        shown.append((" ".join(command), out + err))
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        if path.name != "run.toml":
            shown.append((str(path), path.read_bytes().decode("utf-8", "replace")))
    forms = {secret, quote(secret), quote(secret, safe=""), secret.replace("%25", "%")}
    assert [(where, text) for where, text in shown if any(form in text for form in forms)] == []
    assert any("pipeline-run-" in where for where, _ in shown)
    assert any("***" in text for _, text in shown)


# What Beam imports in each of its workers, and in no other process.
SHOUTING = r"""
import logging, os, sys, threading
if "PIPELINE_OPTIONS" in os.environ:
    for secret in (os.environ["OTHER_PASSWORD"], os.environ["PIPELINE_OPTIONS"]):
        print("shouted", secret, "\x1b[2J", file=sys.stderr)
        print("printed", secret)
        logging.error("logged %s", secret)
        threading.Thread(target=int, args=(secret,)).start()
"""


@pytest.mark.slow
def test_no_worker_process_prints_a_secret(terminal: TerminalServer, tmp_path: Path) -> None:
    variable, option = "of/a#variable", "of&an%option"
    (tmp_path / "shouting.py").write_text(SHOUTING)
    process = start(
        tmp_path,
        *("download", *SPXW, "--terminal", terminal.url, "--s3_secret_access_key", option),
        *("--direct_running_mode", "multi_processing", "--beam_plugin", "shouting"),
        PYTHONPATH=str(tmp_path),
        OTHER_PASSWORD=variable,
    )
    out, err = process.communicate(timeout=120)
    assert [secret for secret in (variable, option) if secret in out + err] == []
    assert "\x1b" not in err
    for word in (
        "shouted ***",
        "logged ***",
        "ValueError: invalid literal",
        "s3_secret_access_key",
    ):
        assert word in err, err
    assert "printed ***" in out

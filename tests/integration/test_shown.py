"""No server, file, name or record moves the cursor of whoever reads what a command prints."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answers import rows_of
from tests.support.command import greeks_here, run_here
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

HOSTILE = "é日\nFORGED\t\x1b]0;owned\x07\x1b[2J\x1b]52;c;cm0gLXJm\x07\r\x9b2J\u202eevil\x7f"
DOWNLOAD = ("download", "--symbol", "SPXW", "--start_date", "2024-03-14")


def check_shown(text: str) -> None:
    special = {character for character in text if not character.isprintable()} - {"\n", "\t"}
    assert not special, ascii(text)


def shown(folder: Path, *command: str) -> str:
    code, out, err = run_here(folder, *command)
    assert code in (0, 1, 2, 3)
    assert "Traceback" not in err
    check_shown(out + err)
    assert not re.search(r"^FORGED", out + err, re.MULTILINE), out + err
    if "--json" in command and out:
        json.loads(out)
    return out + err


def answers() -> Iterator[Answer]:
    words, day = HOSTILE.replace("\r", "").encode(), "2024-03-14"
    request = GreeksRequest.of(
        {"symbol": "SPXW", "expiration": "2024-03-15", "interval": "5m", "greeks": "first_order"}
        | dict.fromkeys(("first_trade_date", "last_trade_date", "trade_dates"), day)
    )
    rows = rows_of(request, request.trade_dates[0], 3)
    yield Answer(words * 1000, status=400, content_type="text/plain")
    yield Answer(words, status=403, content_type="text/html")
    yield Answer(b"", status=302, headers={"Location": "http://h/" + "\x1b[2J" + "x" * 9000})
    yield Answer(words + b"\r\n" + rows)
    yield Answer(rows.replace(b"symbol", words))
    for column in (b"SPXW", b"2024-03-15", b"T09", b"CALL", b"PUT", b"0."):
        yield Answer(rows.replace(column, words))


@pytest.mark.parametrize("number", range(len(list(answers()))))
def test_what_a_server_sends_is_shown_escaped_and_short(number: int, tmp_path: Path) -> None:
    script = terminal(lambda _: list(answers())[number], expirations={"SPXW": ("2024-03-15",)})
    with scripted_server(script) as server:
        out = shown(tmp_path, *DOWNLOAD, "--terminal", server.url, "--attempts", "1")
    assert max(map(len, out.splitlines())) < 2500
    shown(tmp_path, "runs", "show", "last")
    shown(tmp_path, "runs", "show", "last", "--json")


@pytest.mark.parametrize(
    "path",
    [
        "expirations",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("status", "year_holidays")),
    ],
)
def test_what_a_listing_holds_is_shown_escaped(path: str, tmp_path: Path) -> None:
    usual = terminal()

    def script(asked: str, query: dict[str, str]) -> Answer:
        if not asked.endswith(path):
            return usual(asked, query)
        return Answer(f"symbol,expiration\r\n{HOSTILE},{HOSTILE}\r\n".encode())

    with scripted_server(script) as server:
        flags = ("--symbol", "SPXW", "--start_date", "2024-03-14", "--terminal", server.url)
        for command in ("download", "plan"):
            shown(tmp_path, command, *flags, "--attempts", "1")
        shown(tmp_path, "doctor", "--terminal", server.url)


def test_names_entries_and_records_are_shown_escaped(tmp_path: Path) -> None:
    with scripted_server(terminal()) as server:
        greeks_here(tmp_path, *DOWNLOAD, "--terminal", server.url)
    output, meta = tmp_path / "data" / "greeks", tmp_path / "data" / "greeks.meta"
    name = HOSTILE.replace("/", "")
    (output / f"{name}.csv").write_text(f"{HOSTILE},symbol\n{HOSTILE}\n")
    entries = sorted((meta / "files").rglob("*.json"))
    kept = json.loads(entries[0].read_text())
    (meta / "files" / f"{name}.csv.json").write_text(json.dumps({"state": HOSTILE}))
    for field in ("state", "run_id", "source", "format", "sha256", "time"):
        entries[0].write_text(json.dumps(kept | {field: HOSTILE}))
        shown(tmp_path, "verify")
    shown(tmp_path, "verify", "--json")
    (record,) = (tmp_path / "data" / "metrics").glob("pipeline-run-*.json")
    run = json.loads(record.read_text())
    run |= {"errors": [{"expiration": HOSTILE, "error_type": "x", "message": HOSTILE}]}
    run["request"] |= {"symbol": [HOSTILE], "interval": HOSTILE, "greeks": HOSTILE}
    run["source"] = {"terminal": HOSTILE, "api": HOSTILE, "data": HOSTILE}
    record.write_text(json.dumps(run))
    (record.parent / f"{name}.json").write_text(HOSTILE)
    for command in (
        *(("runs", "list"), ("runs", "list", "--json"), ("runs", "show", "last")),
        *(("check", str(output)), ("check", str(output), "--json")),
        ("diff", str(output), str(output / f"{name}.csv")),
        ("report", "last", "--to", "report.html"),
        *(("runs", "compare", "last", "last"), ("doctor", "--terminal", "http://127.0.0.1:1")),
        (*DOWNLOAD, "--terminal", "http://127.0.0.1:1", "--symbol", HOSTILE),
    ):
        shown(tmp_path, *command)
    (page,) = tmp_path.glob("*.html")
    visible = page.read_text("utf-8").partition("<script")[0]
    assert "owned" in visible
    check_shown(visible)

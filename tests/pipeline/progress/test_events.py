"""`greeks download --json`: what a scheduler reads."""

import json
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from tests.support.answers import rows_of
from tests.support.command import greeks_here
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--json"]

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def events(capsys: pytest.CaptureFixture[str], *flags: str, code: int = 0) -> list[dict[str, Any]]:
    """Returns the objects on standard output, on which nothing else may be."""
    with redirect_stderr(StringIO()):
        assert main([*DOWNLOAD, *flags]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("progress", ["plain", "none"])
def test_a_run_is_a_line_of_json_for_each_event_and_nothing_else(
    progress: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], 3000)
        if request.expiration.day == 15:
            body += body.splitlines(keepends=True)[-1]  # a duplicate
        return Answer(body) if request.expiration.day != 18 else Answer(b"no", status=403)

    with scripted_server(terminal(answer)) as server:
        found = events(
            capsys, "--terminal", server.url, "--progress", progress, "--concurrency", "1", code=1
        )
    first, *between, last = found
    assert (first["event"], first["request"]["symbol"]) == ("started", ["SPXW"])
    assert (last["event"], last["status"], last["run_id"]) == ("summary", "failed", first["run_id"])
    assert last["successful_expirations"] == 2
    assert Path(last["record"]).is_file()
    assert not {"expirations", "samples"} & set(last)
    results = [each for each in between if each["event"] == "result"]
    assert [(each["expiration"], each["status"]) for each in results] == [
        ("2024-03-14", "written"),
        ("2024-03-15", "written"),
        ("2024-03-18", "failed"),
    ]
    assert Path(results[0]["path"]).is_file()
    assert "403" in results[2]["error"]["message"]
    (duplicate,) = (each for each in between if each.get("rule") == "duplicates")
    assert (duplicate["event"], duplicate["expiration"], duplicate["count"]) == (
        "finding",
        "2024-03-15",
        1,
    )
    assert between.index(duplicate) > between.index(results[1])
    assert all(each["time"].endswith("+00:00") for each in found)


def test_a_run_without_a_terminal_has_its_summary_too(capsys: pytest.CaptureFixture[str]) -> None:
    first, last = events(capsys, "--terminal", "http://127.0.0.1:9", code=3)
    assert (first["event"], last["event"], last["status"]) == ("started", "summary", "failed")
    assert "no Theta Terminal answers" in last["errors"][0]["message"]


def test_symbols_come_from_a_file_with_comments_and_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "symbols.txt").write_text("# weeklies\nspxw  # the index\n\nSPX,SPXW\n", "utf-8")
    with scripted_server(terminal()) as server:
        out = greeks_here(
            tmp_path,
            *("download", "--symbol", "@symbols.txt", "--start_date", "2024-03-15"),
            *("--terminal", server.url),
        )
    assert " of SPXW, SPX, 1 trade date" in out
    assert "SPX     2024-03-15  " in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "@symbols.txt: No such file or directory"),
        (b"# none\n\n", "@symbols.txt names no symbol"),
        (b"\xff\xfe", "@symbols.txt: it is not UTF-8"),
        (b"../etc\n", "'../ETC' is not a symbol"),
    ],
)
def test_a_file_without_symbols_is_refused_by_its_name(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "symbols.txt").write_bytes(content)
    command = ["download", "--symbol", "@symbols.txt", "--start_date", "2024-03-14"]
    assert words in greeks_here(tmp_path, *command, code=2)

"""Progress as a person sees it: on a pseudo-terminal, through a pipe, in every running mode."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest

from tests.support.answers import rows_of
from tests.support.command import start, summaries
from tests.support.market import terminal
from tests.support.runners import job_service
from tests.support.screen import shown
from tests.support.scripted import Answer, scripted_server
from tests.support.waiting import wait_for
from transforms.model import GreeksRequest

DOWNLOAD = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
LAST = date(2024, 3, 18)
UNDER_WAY = "SPXW 2024-03-18 ("


class Watched:
    """The text of a stream, read while it grows."""

    def __init__(self, descriptor: int) -> None:
        self.text = ""
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._descriptor, 1 << 16)
            except OSError:
                return  # Linux ends a pseudo-terminal so
            if not piece:
                return
            self.text += piece.decode(errors="replace")

    def end(self) -> str:
        self._thread.join(30)
        return self.text


class Holding:
    """A Terminal that breaks one answer off, but not before its rows are seen on the display."""

    def __init__(self) -> None:
        self.watched: Watched | None = None
        self.broken = False
        self.seen = False
        self._deadline = time.monotonic() + 60

    def answer(self, request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], 20_000)
        if request.expiration == LAST and not self.broken:
            self.broken = True
            return Answer(body, chunked=True, cut=len(body) // 2, end=self._is_seen)
        return Answer(body)

    def _is_seen(self) -> object:
        assert time.monotonic() < self._deadline, "the rows under way were not shown"
        text = self.watched.text if self.watched else ""
        place = text.rfind(UNDER_WAY) + len(UNDER_WAY)
        self.seen = text[place : place + 1] in tuple("123456789")
        return self.seen or None


def check(holding: Holding, text: str, folder: Path) -> None:
    assert holding.seen
    assert "SPXW 2024-03-18: retried in " in text
    assert "3/3 expirations" in text or "2/3 expirations" in text
    (summary,) = summaries(folder)
    assert summary["total_records"] == 60_000
    samples = summary["samples"]
    assert samples["rows"][-1] == 60_000
    assert samples["bytes"][-1] == summary["total_data_size"]
    assert samples["done"][-1] == 3
    assert max(samples["in_flight"]) >= 1


@pytest.mark.parametrize(
    "mode",
    [
        "in_memory",
        pytest.param("multi_processing", marks=pytest.mark.slow),
        pytest.param("loopback", marks=pytest.mark.slow),
    ],
)
def test_through_a_pipe_rows_under_way_are_plain_lines_in_every_running_mode(
    mode: str, tmp_path: Path
) -> None:
    in_the_launcher = nullcontext(["--direct_running_mode", mode])
    holding = Holding()
    with (
        job_service(tmp_path) if mode == "loopback" else in_the_launcher as flags,
        scripted_server(terminal(holding.answer)) as server,
    ):
        process = start(
            tmp_path,
            *DOWNLOAD,
            "--terminal",
            server.url,
            "--progress_seconds",
            "0.1",
            *flags,
            "--concurrency",
            "2",
        )
        assert process.stdout is not None
        assert process.stderr is not None
        holding.watched = Watched(process.stderr.fileno())
        out = Watched(process.stdout.fileno())
        assert process.wait(timeout=120) == 0, holding.watched.end() + out.end()
        text = holding.watched.end()
        table = out.end()
        process.stdout.close()
        process.stderr.close()
    check(holding, text, tmp_path)
    assert "\x1b" not in text + table
    assert table.count(" written ") == 3
    assert "% " not in table


def test_on_a_terminal_a_bar_redraws_below_the_table(tmp_path: Path) -> None:
    holding = Holding()
    ours, theirs = pty.openpty()
    with scripted_server(terminal(holding.answer)) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *DOWNLOAD, "--terminal", server.url],
            cwd=tmp_path,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "150", "LINES": "40"},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        holding.watched = Watched(ours)
        assert process.wait(timeout=120) == 0
        text = holding.watched.end()
        os.close(ours)
    check(holding, text, tmp_path)
    assert "\x1b[2K" in text  # a line is erased, to be drawn anew
    assert text.rindex("\x1b[?25h") > text.rfind("\x1b[?25l")  # the cursor is there
    after = text[text.rindex("\x1b[2K") :]
    assert "3 expirations: 3 written; 60,000 rows" in after
    assert text.count("\x1b[32mwritten\x1b[0m") == 3


BESIDE = """
import sys
from pipeline import stream
for result in stream(
    symbols="SPXW", start_date="2024-03-14", max_dte=4, terminal=sys.argv[1], progress="auto",
):
    print("the program's own", result.request.expiration)
print(sys.stdout is sys.__stdout__)
"""


@pytest.mark.slow
def test_what_a_program_prints_beside_a_bar_stands_above_it_and_stays(tmp_path: Path) -> None:
    seen = threading.Event()

    def answer(request: GreeksRequest) -> Answer:
        # The last one comes once the bar was there.
        body = rows_of(request, request.trade_dates[0], 100)
        return Answer(body, hold=seen if request.expiration == LAST else None)

    ours, theirs = pty.openpty()
    watched = Watched(ours)
    with scripted_server(terminal(answer)) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", BESIDE, server.url],
            cwd=tmp_path,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        wait_for("the bar", lambda: "in flight" in watched.text)
        seen.set()
        assert process.wait(timeout=120) == 0
    text = watched.end()
    os.close(ours)
    own = [f"the program's own 2024-03-{day}" for day in (14, 15, 18)]
    *lines, restored = shown(text, 80)
    assert (sorted(lines), restored) == (own, "True")


@pytest.mark.parametrize(("width", "layout"), [(60, "expiration"), (80, "daily")])
def test_after_ctrl_c_a_terminal_shows_what_is_kept_and_no_bar(
    width: int, layout: str, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    watched = Watched(ours)

    def answer(request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], 2_000)
        first = request.expiration == date(2024, 3, 14)
        return Answer(body) if first else Answer(body, hold=threading.Event())

    with scripted_server(terminal(answer)) as server:
        flags = ["--terminal", server.url, "--concurrency", "1", "--layout", layout]
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *DOWNLOAD, *flags],
            cwd=tmp_path,
            env=os.environ | {"TERM": "xterm", "COLUMNS": str(width), "LINES": "40"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        wait_for("the bar", lambda: "1/3" in watched.text and "2024-03-15 (0" in watched.text)
        process.send_signal(signal.SIGINT)
        os.close(theirs)
        assert process.wait(timeout=60) == 130
        lines = shown(watched.end(), width)
        os.close(ours)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "interrupted: 1 file kept; the same command fetches the other 2" in "".join(lines)
    # The bar has gone, and of what never began there is no row.
    assert "ETA" not in text
    assert "in flight" not in text
    assert "stopping; again to stop at once" in lines
    rows = [line for line in lines if "interrupted  " in line]
    assert len(rows) == 1, text
    assert "2024-03-15" in rows[0]


@pytest.mark.parametrize(("mode", "lines"), [("none", 0), ("plain", 1)])
def test_progress_is_as_loud_as_asked(mode: str, lines: int, tmp_path: Path) -> None:
    with scripted_server(terminal()) as server:
        flags = ["--terminal", server.url, "--progress", mode, "--progress_seconds", "0.001"]
        process = start(tmp_path, *DOWNLOAD, *flags)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "3 expirations: 3 written" in out
    assert (out.count(" written ") > 0) == bool(lines)
    assert ("/3 expirations (" in err) == bool(lines)

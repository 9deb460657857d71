import io
import os
import pty

import pytest

from pipeline.process.colour import print_coloured

LINE = "fail output: /x failed"


def printed(word: str) -> str:
    """Returns what a terminal gets."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as out:
        print_coloured(LINE, word, out)
        text = os.read(ours, 1 << 10).decode()
    os.close(ours)
    return text.rstrip()


def test_a_word_has_its_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert printed("fail") == "\x1b[31mfail\x1b[0m output: /x failed"
    assert printed("skipped") == LINE


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_gets_none(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert printed("fail") == LINE


def test_a_pipe_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    print_coloured(LINE, "fail", out)
    assert out.getvalue() == f"{LINE}\n"

"""What a process prints passes one door."""

import subprocess
import sys

HOSTILE = "é日\x1b]0;owned\x07\x1b[2J\x1b]52;c;cm0=\x07\r\x00\u202e\x9b1m"
SHOWN = "é日\\u001b]0;owned\\u0007\\u001b[2J\\u001b]52;c;cm0=\\u0007\\u000d\\u0000\\u202e\\u009b1m"


def printed(code: str) -> tuple[str, str]:
    begin = "from pipeline.process.standard_output import open_doors\nopen_doors()\nimport sys\n"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", begin + code], capture_output=True, check=False
    )
    return done.stdout.decode(), done.stderr.decode()


def test_control_characters_are_escaped_on_both_streams() -> None:
    out, err = printed(f"text = {HOSTILE!r}\nprint(text)\nprint(text, file=sys.stderr)")
    assert (out, err) == (SHOWN + "\n", SHOWN + "\n")


def test_a_log_and_a_traceback_pass_it_as_well() -> None:
    _, err = printed(f"import logging\nlogging.error({HOSTILE!r})\nraise OSError({HOSTILE!r})")
    assert err.count(SHOWN) == 2
    assert err.isprintable() or set(filter(lambda c: not c.isprintable(), err)) == {"\n"}


def test_a_display_that_draws_moves_the_cursor_and_shows_what_is_foreign_escaped() -> None:
    code = (
        "from pipeline.progress.bar import Bar\n"
        "import os; os.environ['TERM'] = 'xterm'\n"
        "bar = Bar()\n"
        f"bar.news({HOSTILE!r})\n"
        "print('\\x1b[1A')\n"
        "from pipeline.process.standard_output import drawing\n"
        "drawing(sys.stdout).write('\\x1b[1A')\n"
        "bar.close()\n"
    )
    out, err = printed(code)
    assert out == "\\u001b[1A\n\x1b[1A"
    assert SHOWN in err.replace("\n", "")


def test_a_secret_of_the_command_line_is_not_printed() -> None:
    code = (
        "from transforms.text.secrets import remember_all\n"
        "remember_all(['--metrics', 'postgresql://me:hush%2Fhush@db/x'], {})\n"
        "import logging\n"
        "logging.error('the password hush/hush is wrong')\n"
        "raise OSError('postgresql://me:hush%2Fhush@db/x')\n"
    )
    _, err = printed(code)
    assert "hush" not in err.replace("remember_all(['--metrics'", "").split("Traceback")[0]
    assert "OSError: postgresql://me:***@db/x" in err
    assert "the password *** is wrong" in err

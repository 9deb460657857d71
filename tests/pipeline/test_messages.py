import pytest

from pipeline.messages import PRINTED


def test_a_message_is_one_line_whatever_it_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    PRINTED.note("set aside: a\nfailed: b\x1b[2J")
    PRINTED.warn("no answer of x\r\ninterrupted")
    out, err = capsys.readouterr()
    assert (out, err) == (
        "set aside: a\\u000afailed: b\\u001b[2J\n",
        "no answer of x\\u000d\\u000ainterrupted\n",
    )

"""Text of others moves no cursor, and turns no line around."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from transforms.text.foreign import escaped, on_a_line
from transforms.thetadata import MalformedResponse, StatusError

# Joiners are part of how some languages are written.
_LETTERS = {"\u200c", "\u200d", "\t", "\n"}


def is_special(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in (
        *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
    )


def test_every_control_character_is_escaped_and_every_letter_stays() -> None:
    for code in (*range(0x3000), *range(0xD700, 0xE100), *range(0xFE00, 0x10000), 0xE0041):
        character = chr(code)
        shown = escaped(character)
        if is_special(character) and character not in _LETTERS:
            assert shown.isascii(), hex(code)
        elif character.isalnum() or unicodedata.category(character)[0] in "MNPS":
            assert shown == character, hex(code)


@given(st.text())
def test_what_is_escaped_in_json_is_json_of_the_same_text(text: str) -> None:
    shown = escaped(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(shown) == {"text": text}


def test_a_line_is_one_line_and_short() -> None:
    assert on_a_line("a\nb\tc\x1b]0;x\x07") == "a\\u000ab\\u0009c\\u001b]0;x\\u0007"
    assert on_a_line("été 日本 \U0001f600") == "été 日本 \U0001f600"
    assert len(on_a_line("\x1b" * 5000)) == 1000


def test_an_error_of_the_client_is_one_short_line_whatever_the_server_sent() -> None:
    hostile = "\x1b[2J\u202e\x9b" * 100_000
    for error in (StatusError(500, hostile, "http://h/"), MalformedResponse(f"line 1: {hostile}")):
        assert len(str(error)) <= 1000
        assert str(error).isprintable()

"""docs/flags.md is what the program's parsers say."""

from tests.support.documents import TOP
from tests.support.flags_page import every_flag, flags_page

PAGE = TOP / "docs" / "flags.md"


def test_the_page_of_flags_is_made_from_the_parsers() -> None:
    again = "python -m tests.support.flags_page > docs/flags.md"
    assert PAGE.read_text("utf-8") == flags_page(), f"a flag has changed: run {again}"


def test_every_flag_of_every_command_is_on_the_page_of_flags() -> None:
    sections = {
        section.partition("\n")[0]: section for section in PAGE.read_text("utf-8").split("\n## ")
    }
    for command, flag in every_flag():
        inherited = (
            sections["greeks download"] if "of [`greeks download`]" in sections[command] else ""
        )
        assert (
            f"`{flag}" in sections[command] + inherited
            or f"{flag}`" in sections[command]
            or f" {flag}" in sections[command]
        ), (
            command,
            flag,
        )

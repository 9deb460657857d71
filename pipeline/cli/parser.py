"""The parser of `greeks`: its help fits the terminal, and a mistyped command gets a suggestion."""

import argparse
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.text import meant

# Where the second column of a line begins, which the lines after it keep to.
_COLUMNS = re.compile(r"\s*\S+(?: \S+)*\s{2,}")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps descriptions and examples to the width of the terminal, and keeps their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(_fitted(text, width, indent))

    def _format_usage(self, usage: str | None, *more: Any) -> str:
        shown = super()._format_usage(usage, *more)
        if usage is None:
            return shown  # wrapped already
        begin = " " * len("usage: greeks ")
        return textwrap.fill(shown, self._width, subsequent_indent=begin) + "\n\n"


class Parser(argparse.ArgumentParser):
    """A parser whose commands are suggested where one is mistyped."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            **{"formatter_class": HelpFormatter, "allow_abbrev": False, **settings},
        )

    @property
    def commands(self) -> dict[str, "Parser"]:
        """The parser of each command below this one, by its name; empty if it has none."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return dict(action.choices)
        return {}

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            hint = meant(value, action.choices, f"; they are {', '.join(action.choices)}")
            raise argparse.ArgumentError(None, f"{value!r} is not a command of {self.prog}{hint}")
        super()._check_value(action, value)


def not_a_flag(name: str, known: Iterable[str]) -> str:
    """Returns that a name is no flag's, and which known one may be meant."""
    hint = meant(name, known, "; see greeks download --help")
    return f"{name} is neither a flag of greeks nor of Beam{hint}"


def _fitted(text: str, width: int, indent: str) -> Iterator[str]:
    """Yields the lines of a text, none wider than `width` but for long words.

    Lines that begin at the margin are a paragraph, which is filled; the others stay apart.
    """
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line and not line.startswith(" ") and not line.endswith(":"):
            paragraph.append(line)
            continue
        if paragraph:
            filled = textwrap.wrap(" ".join(paragraph), width, break_on_hyphens=False)
            yield from (indent + each for each in filled)
            paragraph = []
        if len(line) <= width:
            yield indent + line
            continue
        if line.lstrip().startswith(("greeks ", "--")):
            yield from _command(line, width, indent)
            continue
        columns = _COLUMNS.match(line)
        begin = len(columns[0]) if columns else len(line) - len(line.lstrip())
        yield from textwrap.wrap(
            line, width, initial_indent=indent, subsequent_indent=indent + " " * begin
        )


def _command(line: str, width: int, indent: str) -> Iterator[str]:
    """Yields a command in lines that a shell reads as one."""
    begin = " " * (len(line) - len(line.lstrip()))
    shown = indent + begin
    for word in re.findall(r"""(?:"[^"]*"|'[^']*'|\S)+""", line):
        if shown.strip() and len(shown) + len(word) + 2 > width:
            yield f"{shown.rstrip()} \\"
            shown = f"{indent}{begin}    "
        shown += f"{word} "
    yield shown.rstrip()

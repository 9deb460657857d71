"""The README and the pages of docs/, and the blocks of code in them.

A block is run unless a comment on the line above it gives the reason why it can't be:
`<!-- not run: it needs a cluster -->`. Of a `console` block, lines that begin with `$ ` are
commands, and those below are what they print; `…` stands for what was left out.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TOP = Path(__file__).parents[2]
DOCUMENTS = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]*) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n"
    r"(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
# Numbers that differ from run to run: seconds, rates, memory, ports, ids, free room, versions.
_VOLATILE = re.compile(
    r"127\.0\.0\.1:\d+|\d{8}T\d{6}\.\d+Z|\b\d+:\d\d\b"
    r"|[\d,.]+ (?:rows/s|kB/s|MB/s|MiB|GB|s|seconds)\b"
    r"|[-+]\d+\.\d%|\b(?<!v)\d+\.\d+\.\d+\b"
)


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes:
        document: its path below the top of the repository.
        line: of the document, where it begins.
        language: after the fence; `console`, `python`, `sql`, …
        title: of the file that it shows, if it has one.
        text: of the block, without the indentation of a list.
        reason: why it is not run, or None.
    """

    document: str
    line: int
    language: str
    title: str | None
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @cached_property
    def commands(self) -> list[tuple[str, list[str]]]:
        """The commands of a `console` block, each with the lines that it prints."""
        commands: list[tuple[str, list[str]]] = []
        text = self.text.replace("\\\n", " ")
        for line in text.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif line.strip() and commands:
                commands[-1][1].append(line)
        return commands


def blocks(language: str | None = None) -> list[Block]:
    """Returns every block, or those of one language, in the order of the documents."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for match in _BLOCK.finditer(text):
            lines = match["text"].splitlines(keepends=True)
            indent = len(match["indent"])
            found.append(
                Block(
                    document=path.relative_to(TOP).as_posix(),
                    line=text.count("\n", 0, match.start("language")) + 1,
                    language=match["language"],
                    title=match["title"],
                    text="".join(line[indent:] if line.strip() else line for line in lines),
                    reason=match["reason"],
                )
            )
    return [block for block in found if language in (None, block.language)]


def missing(shown: list[str], printed: str) -> list[str]:
    """Returns the shown lines that were not printed, whatever their order and volatile numbers."""
    actual = [_plain(line) for line in printed.splitlines()]
    return [
        line
        for line in shown
        if not any(re.fullmatch(_pattern(line), candidate) for candidate in actual)
    ]


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part.strip()) for part in _plain(line).split("…"))


def _plain(line: str) -> str:
    return " ".join(_VOLATILE.sub("#", line).split())

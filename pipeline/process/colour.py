"""Colour for the words that say how something went, where a person sees it."""

import os
from typing import TextIO

from pipeline.process.standard_output import drawing
from transforms.text.foreign import escaped
from transforms.text.secrets import hide

COLOURS = {
    **dict.fromkeys(("ok", "written", "succeeded"), "green"),
    **dict.fromkeys(("warn", "interrupted", "running"), "yellow"),
    **dict.fromkeys(("fail", "failed", "died", "conflict"), "red"),
}
"""The colour of each word that has one."""
_CODES = {"red": 31, "green": 32, "yellow": 33}


def can_redraw(out: TextIO) -> bool:
    """Returns whether a stream is a terminal that obeys more than the end of a line."""
    return out.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def print_coloured(line: str, word: str, out: TextIO) -> None:
    """Prints a line, on a terminal with the first place of a word in the word's colour.

    Nobody gets colour who has set `NO_COLOR` (https://no-color.org).
    """
    if word not in COLOURS or not can_redraw(out) or os.environ.get("NO_COLOR"):
        print(line, file=out, flush=True)
        return
    before, _, after = escaped(hide(line)).partition(word)
    shown = f"\x1b[{_CODES[COLOURS[word]]}m{word}\x1b[0m"
    print(f"{before}{shown}{after}", file=drawing(out), flush=True)

"""Text of others, of a server, a file or its name, as it may be shown.

A control character in it could clear the screen, set its title or fill the clipboard; one that
turns the direction of writing shows other words than those that are there.
"""

import re

MOST = 1000
"""The most characters that are shown of a text of a server's, such as an error's."""

# C0 and C1 with delete, directions, separators of lines, marks of tags, and halves of characters.
_SPECIAL = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_IN_LINES = re.compile(f"[{_SPECIAL}]")
_IN_LINE = re.compile(f"[\t\n{_SPECIAL}]")


def escaped(text: str) -> str:
    r"""Returns a text of any lines with each of its control characters escaped as JSON does it.

    >>> escaped("été\x1b[2J")
    'été\\u001b[2J'
    """
    return _IN_LINES.sub(_escape, text)


def on_a_line(text: str, most: int | None = MOST) -> str:
    """Returns a text as one line, its control characters escaped.

    Args:
        text: of any lines.
        most: characters; None for all that there are, as of a path.
    """
    if most is None:
        return _IN_LINE.sub(_escape, text)
    shown = _IN_LINE.sub(_escape, text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _escape(found: "re.Match[str]") -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))

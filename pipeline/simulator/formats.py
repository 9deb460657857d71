"""The text of answers: the styles of CSV, and the lists in CSV, NDJSON and JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

CONTENT_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
}
"""The formats that can be asked for."""


@dataclass(frozen=True)
class Style:
    """How CSV looks; the rest is the same in both styles, but for the fraction of a second.

    Attributes:
        line_end: of every line.
        quoted: text stands between quotes; the header does not.
        milliseconds: timestamps always have three digits after the point; else the fraction's
            trailing zeros are cut, and a whole second has none.
        blank_line: between two holidays stands a blank line.
    """

    line_end: bytes
    quoted: bool
    milliseconds: bool
    blank_line: bool


DOCUMENTED = Style(b"\r\n", quoted=False, milliseconds=False, blank_line=True)
"""As the examples of ThetaData's documentation, and Terminals until January 2026."""
LIVE = Style(b"\n", quoted=True, milliseconds=True, blank_line=False)
"""As Terminals in the middle of 2026; that lines end in a bare line feed is inferred."""

STYLES = {"documented": DOCUMENTED, "live": LIVE}


class Stretch(NamedTuple):
    """A stretch of an answer: its bytes, and how many rows of Greeks they hold.

    One with rows holds these, one a line, and nothing else.
    """

    text: bytes
    rows: int


class Decimal3(NamedTuple):
    """A number with three decimals, given in thousandths."""

    thousandths: int


Cell = str | None | Decimal3


def clock_text(milliseconds: int, style: Style) -> str:
    """Returns a time of day, such as `09:30:00`, `09:30:00.5` or, in live style, `09:30:00.000`."""
    seconds, rest = divmod(milliseconds, 1000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if style.milliseconds:
        return f"{text}.{rest:03d}"
    return f"{text}.{rest:03d}".rstrip("0") if rest else text


def strike_text(strike: int) -> str:
    """Returns a strike in dollars with three decimals, given in thousandths."""
    return f"{strike // 1000}.{strike % 1000:03d}"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    form: str,
    style: Style,
    *,
    spaced: bool = False,
) -> Iterator[Stretch]:
    """Yields the answer of a list endpoint.

    Args:
        columns: their names.
        rows: text, nulls and strikes, in the order of the columns.
        form: a key of `CONTENT_TYPES`.
        style: of CSV.
        spaced: in CSV, a blank line stands between two rows.
    """
    if form == "csv":
        yield Stretch(",".join(columns).encode() + style.line_end, 0)
        for n, row in enumerate(rows):
            space = style.line_end if spaced and n else b""
            line = ",".join(_csv_cell(cell, style) for cell in row)
            yield Stretch(space + line.encode() + style.line_end, 0)
        return
    objects = (
        "{" + ",".join(f'"{n}":{_json(cell)}' for n, cell in zip(columns, row, strict=True)) + "}"
        for row in rows
    )
    if form == "ndjson":
        for line in objects:
            yield Stretch(f"{line}\n".encode(), 0)
        return
    yield Stretch(b'{\n\t"response": [', 0)
    for n, line in enumerate(objects):
        yield Stretch(f"{',' if n else ''}\n\t\t{line}".encode(), 0)
    yield Stretch(b"\n\t]\n}\n\n", 0)


def _csv_cell(cell: Cell, style: Style) -> str:
    if isinstance(cell, Decimal3):
        return strike_text(cell.thousandths)
    if cell is None:
        return ""
    return f'"{cell}"' if style.quoted else cell


def _json(cell: Cell) -> str:
    return strike_text(cell.thousandths) if isinstance(cell, Decimal3) else json.dumps(cell)

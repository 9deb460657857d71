"""Damages the body of an answer: cuts it off, breaks a row, changes a number, leaves rows out.

`parts` is the body, which has `rows`, and `draw` chooses where and how.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from pipeline.simulator.formats import Stretch

Draw = Callable[[str], float]
"""Returns a number from 0 to 1 (not included) by name, always the same for the same name."""

_RESTATED = 5  # among so many first rows, one is changed
# The last digit of the underlying's price: behind it, v2 has the date.
_DIGIT = re.compile(rb"\d(?=,\d{8}\D*$|\D*$)")


def cut(parts: Iterable[Stretch], rows: int, draw: Draw) -> Iterator[Stretch]:
    """Yields the beginning of a body, at least a byte less than all of it.

    It may end within the header, within a row, between two rows, within the last row, or right
    before the last byte.
    """
    where = int(draw("where") * 6)
    if where == 0:
        yield from _until(parts, None, draw("byte"))
    elif where == 1:
        yield from _until(parts, int(draw("row") * rows), 0.0)
    elif where == 2:
        yield from _until(parts, rows - 1, draw("byte"))
    elif where == 3:
        yield from _all_but_a_byte(parts)
    else:
        yield from _until(parts, int(draw("row") * rows), draw("byte"))


def cut_late(parts: Iterable[Stretch], rows: int, draw: Draw) -> Iterator[Stretch]:
    """Yields the beginning of a body: more than half of the rows, but not the last one."""
    return _until(parts, rows - 1 - int(draw("row") * (rows // 2)), draw("byte"))


def malformed(parts: Iterable[Stretch], rows: int, draw: Draw) -> Iterator[Stretch]:
    """Yields a body with a broken row: cells are missing, or one is no number."""

    def broken(line: bytes) -> bytes:
        cells = line.split(b",")
        middle = len(cells) // 2
        if draw("how") < 0.5:
            del cells[middle : middle + 2]
        else:
            cells[middle] += b"?"
        return b",".join(cells)

    return _changed(parts, int((0.25 + draw("row") / 2) * rows), broken)


def restated(parts: Iterable[Stretch], rows: int, draw: Draw) -> Iterator[Stretch]:
    """Yields a body in which the underlying's price is another one in one of the first rows."""

    def other(line: bytes) -> bytes:
        # Never 0, lest the text end in one.
        return _DIGIT.sub(lambda found: b"%d" % (int(found.group()) % 9 + 1), line, count=1)

    return _changed(parts, int(draw("restated row") * min(_RESTATED, rows)), other)


def without(parts: Iterable[Stretch], day: date) -> Iterator[Stretch]:
    """Yields a body without the rows of one trade date; the names of the columns stay."""
    # v3's times begin with it, and v2's rows end with it.
    of_day = re.compile(rf"{day}T|,{day:%Y%m%d}\D*$".encode())
    for part in parts:
        lines = part.text.splitlines(keepends=True)
        kept = [line for line in lines if not of_day.search(line)] if part.rows else lines
        yield Stretch(b"".join(kept), len(kept) if part.rows else 0)


def _until(parts: Iterable[Stretch], row: int | None, share: float) -> Iterator[Stretch]:
    """Yields what stands before a share of a row, or of the very first line if `row` is None.

    Unless the share is 0, at least one byte of that row is there; its end never is.
    """
    start = 0
    for part in parts:
        if row is None or start <= row < start + part.rows:
            number = 0 if row is None else row - start
            lines = part.text.splitlines(keepends=True)
            line = lines[number]
            length = 1 + int(share * (len(line) - 1)) if share else 0
            yield Stretch(b"".join(lines[:number]) + line[: min(length, len(line) - 1)], number)
            return
        start += part.rows
        yield part


def _all_but_a_byte(parts: Iterable[Stretch]) -> Iterator[Stretch]:
    before: Stretch | None = None
    for part in parts:
        if before is not None:
            yield before
        before = part
    if before is not None:
        yield Stretch(before.text[:-1], before.rows)


def _changed(
    parts: Iterable[Stretch], row: int, change: Callable[[bytes], bytes]
) -> Iterator[Stretch]:
    start = 0
    for part in parts:
        if start <= row < start + part.rows:
            lines = part.text.splitlines(keepends=True)
            lines[row - start] = change(lines[row - start])
            yield Stretch(b"".join(lines), part.rows)
        else:
            yield part
        start += part.rows

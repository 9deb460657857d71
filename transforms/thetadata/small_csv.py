"""Reads small CSV answers, such as lists of expirations and strikes, and their cells."""

import csv
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from transforms.thetadata.dialect import Query
from transforms.thetadata.errors import BrokenResponse, MalformedResponse

MOST_BYTES = 1 << 22
"""A list of every expiration of a symbol has 100 kB; a row of all Greeks for each of 10,000
contracts, more than any expiration has, 3.5 MB.
"""
_MOST_LINES = 50_000

# What a row shows of the request, by the parameter's name.
_SHOWN = ("symbol", "root", "expiration")
# ThetaData has none before 2012, and no option expires this late.
_FIRST_YEAR, _LAST_YEAR = 1990, 2099
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})")
_STRIKE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def rows_of(text: str, query: Query, columns: Sequence[str]) -> list[dict[str, str]]:
    """Returns the rows of an answer, of each the `columns`.

    Raises:
        BrokenResponse: its last line has no end.
        MalformedResponse: it is no CSV, lacks a column, has more than 50,000 lines, or a row that
            was not asked for.
    """
    path, parameters = query
    lines = text.split("\n")
    if lines.pop():
        raise BrokenResponse(f"{path}: the answer ends in the middle of its last line")
    if len(lines) > _MOST_LINES:
        raise MalformedResponse(f"{path}: the answer has more than {_MOST_LINES:,} lines")
    reader = csv.reader(
        (line for line in lines if line.strip()), skipinitialspace=True, strict=True
    )
    try:
        header = next(reader, [])
        missing = [name for name in columns if name not in header]
        if missing:
            raise MalformedResponse(
                f"{path}: line 1 of the answer lacks {', '.join(missing)}; it is "
                f"{(lines or [''])[0][:80]!r}"
            )
        shown = {header.index(n): parameters[n] for n in _SHOWN if n in header and n in parameters}
        places = [(name, header.index(name)) for name in columns]
        rows = []
        for cells in reader:
            if len(cells) != len(header):
                raise MalformedResponse(
                    f"{path}: row {reader.line_num} of the answer has {len(cells)} cells where "
                    f"the header has {len(header)}"
                )
            for place, wanted in shown.items():
                if cells[place] != wanted:
                    raise MalformedResponse(
                        f"{path}: row {reader.line_num} of the answer has {cells[place][:80]!r} "
                        f"where {wanted} was asked for"
                    )
            rows.append({name: cells[place] for name, place in places})
    except csv.Error as error:
        raise MalformedResponse(f"{path}: the answer is not CSV: {error}") from None
    return rows


def date_of(cell: str, path: str) -> date:
    """Returns the date of a cell: `2024-03-15` or `20240315`.

    Raises:
        MalformedResponse: it is none, or not of 1990 to 2099.
    """
    match = _DATE.fullmatch(cell)
    try:
        day = date(*(int(part) for part in match.groups() if part)) if match else date.min
    except ValueError:
        day = date.min
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise MalformedResponse(
            f"{path}: {cell[:80]!r} is not a date of {_FIRST_YEAR} to {_LAST_YEAR}"
        )
    return day


def strike_of(cell: str, path: str) -> str:
    """Returns the strike of a cell with three decimals, as the v3 API takes it.

    Raises:
        MalformedResponse: it is no decimal above 0 and below a billion.
    """
    strike = cell.strip()
    if not _STRIKE.fullmatch(strike) or not Decimal(strike):
        raise MalformedResponse(f"{path}: {cell[:80]!r} is not a strike")
    return f"{Decimal(strike):.3f}"

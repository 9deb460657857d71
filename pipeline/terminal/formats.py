"""The text of answers: CSV, NDJSON and JSON, in the style of the documentation or of live data."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pipeline.terminal.greeks import CENTS, ORDERS, Block
from pipeline.terminal.quotes import EPOCH, Instants, Ints
from pipeline.terminal.text import Number, PerContract, PerInstant, Piece, render, texts

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


class Part(NamedTuple):
    """A stretch of an answer: its bytes, and how many rows of Greeks they hold."""

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


def _price(strike: int) -> str:
    return f"{strike // 1000}.{strike % 1000:03d}"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    form: str,
    style: Style,
    *,
    spaced: bool = False,
) -> Iterator[Part]:
    """Yields the answer of a list endpoint.

    Args:
        columns: their names.
        rows: text, nulls and strikes, in the order of the columns.
        form: a key of `CONTENT_TYPES`.
        style: of CSV.
        spaced: in CSV, a blank line stands between two rows.
    """
    if form == "csv":
        yield Part(",".join(columns).encode() + style.line_end, 0)
        for n, row in enumerate(rows):
            space = style.line_end if spaced and n else b""
            line = ",".join(_csv_cell(cell, style) for cell in row)
            yield Part(space + line.encode() + style.line_end, 0)
        return
    objects = (
        "{" + ",".join(f'"{n}":{_json(cell)}' for n, cell in zip(columns, row, strict=True)) + "}"
        for row in rows
    )
    if form == "ndjson":
        for line in objects:
            yield Part(f"{line}\n".encode(), 0)
        return
    yield Part(b'{\n\t"response": [', 0)
    for n, line in enumerate(objects):
        yield Part(f"{',' if n else ''}\n\t\t{line}".encode(), 0)
    yield Part(b"\n\t]\n}\n\n", 0)


def _csv_cell(cell: Cell, style: Style) -> str:
    if isinstance(cell, Decimal3):
        return _price(cell.thousandths)
    if cell is None:
        return ""
    return f'"{cell}"' if style.quoted else cell


def _json(cell: Cell) -> str:
    return _price(cell.thousandths) if isinstance(cell, Decimal3) else json.dumps(cell)


def greeks(blocks: Iterable[Block], order: str, form: str, style: Style) -> Iterator[Part]:
    """Yields the answer of a Greeks endpoint, a block at a time; nothing of it is kept.

    In NDJSON and JSON the keys stand in the order of the CSV columns; the real Terminal's order
    is that of a hash table.

    Args:
        blocks: the rows.
        order: a key of `ORDERS`.
        form: a key of `CONTENT_TYPES`.
        style: of CSV and of timestamps.
    """
    stamps = _Stamps(style)
    if form == "csv":
        names = ("symbol", "expiration", "strike", "right", "timestamp", *ORDERS[order])
        header = ",".join((*names, "underlying_timestamp", "underlying_price"))
        yield Part(header.encode() + style.line_end, 0)
        yield from (_csv_block(block, order, style, stamps) for block in blocks)
    elif form == "ndjson":
        yield from (_ndjson_block(block, order, stamps) for block in blocks)
    else:
        yield from _json_answer(blocks, order, stamps)


class _Stamps:
    """The timestamps of an answer. Most blocks share their instants, which are spelled once."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._at: Instants | None = None

    def of(self, at: Instants) -> tuple[PerInstant, PerInstant]:
        """Returns the rows' own timestamps, and the underlying's."""
        if at is not self._at:
            self._at = at
            self._own = self._spelled(at.days, at.milliseconds)
            self._underlying = self._spelled(at.days, at.underlying_milliseconds)
        return self._own, self._underlying

    def _spelled(self, days: Ints, milliseconds: Ints) -> PerInstant:
        dates = {day: date.fromordinal(EPOCH + day).isoformat() for day in set(days.tolist())}
        pairs = zip(days.tolist(), milliseconds.tolist(), strict=True)
        return PerInstant(
            texts([f"{dates[day]}T{clock_text(at, self._style)}".encode() for day, at in pairs])
        )


def _number(block: Block, name: str) -> Number:
    return Number(block.numbers[name], 2 if name in CENTS else 4)


def _csv_block(block: Block, order: str, style: Style, stamps: _Stamps) -> Part:
    quote = '"' if style.quoted else ""
    head = f"{quote}{block.symbol}{quote},{quote}{block.expiration}{quote},"
    contracts = [
        f"{head}{_price(strike)},{quote}{right}{quote},".encode()
        for strike, right in block.contracts
    ]
    stamp, underlying_stamp = stamps.of(block.at)
    pieces: list[Piece] = [PerContract(texts(contracts)), stamp]
    for name in ORDERS[order]:
        pieces += [b",", _number(block, name)]
    pieces += [b",", underlying_stamp, b",", _number(block, "underlying_price")]
    pieces.append(style.line_end)
    return Part(render(pieces, len(contracts), len(block.at.days)), block.rows)


def _members(block: Block, order: str, stamps: _Stamps) -> list[Piece]:
    """Returns what stands between the braces of a row in JSON, without the contract."""
    stamp, underlying_stamp = stamps.of(block.at)
    pieces: list[Piece] = [b'"timestamp":"', stamp, b'"']
    for name in ORDERS[order]:
        pieces += [f',"{name}":'.encode(), _number(block, name)]
    pieces += [b',"underlying_timestamp":"', underlying_stamp]
    return [*pieces, b'","underlying_price":', _number(block, "underlying_price")]


def _contract(block: Block, strike: int, right: str) -> bytes:
    return (
        f'"symbol":"{block.symbol}","expiration":"{block.expiration}",'
        f'"right":"{right}","strike":{_price(strike)}'
    ).encode()


def _ndjson_block(block: Block, order: str, stamps: _Stamps) -> Part:
    contracts = [_contract(block, *contract) for contract in block.contracts]
    pieces = [b"{", PerContract(texts(contracts)), b",", *_members(block, order, stamps), b"}\n"]
    return Part(render(pieces, len(contracts), len(block.at.days)), block.rows)


def _json_answer(blocks: Iterable[Block], order: str, stamps: _Stamps) -> Iterator[Part]:
    yield Part(b'{\n\t"response": [', 0)
    comma = b""
    for block in blocks:
        for n, contract in enumerate(block.contracts):
            one = Block(
                block.symbol,
                block.expiration,
                [contract],
                block.at,
                {name: values[n : n + 1] for name, values in block.numbers.items()},
            )
            pieces = [b"\t\t\t\t{", *_members(one, order, stamps), b"},\n"]
            rows = render(pieces, 1, len(block.at.days)).removesuffix(b",\n")
            head = b'\n\t\t{\n\t\t\t"contract": {' + _contract(block, *contract) + b"},\n"
            text = comma + head + b'\t\t\t"data": [\n' + rows + b"\n\t\t\t]\n\t\t}"
            yield Part(text, one.rows)
            comma = b","
    yield Part(b"\n\t]\n}\n\n", 0)

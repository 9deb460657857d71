"""The text of the rows of Greeks, as a v3 Terminal prints them."""

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np

from pipeline.simulator.formats import Stretch, Style, clock_text, strike_text
from pipeline.simulator.market.greeks import COLUMNS, EOD, ContractRows, decimals, has_underlying
from pipeline.simulator.market.quotes import Instants
from pipeline.simulator.text import Bytes, Number, RowPart, render, texts
from transforms.arrays import Ints
from transforms.market.clock import EPOCH


def greeks(
    blocks: Iterable[ContractRows], order: str, form: str, style: Style
) -> Iterator[Stretch]:
    """Yields the answer of a Greeks endpoint, a block at a time; nothing of it is kept.

    In NDJSON and JSON the keys stand in the order of the CSV columns; the real Terminal's order
    is that of a hash table.

    Args:
        blocks: the rows.
        order: a key of `COLUMNS`.
        form: a key of `CONTENT_TYPES`.
        style: of CSV and of timestamps.
    """
    stamps = _Stamps(style)
    if form == "csv":
        names = ["symbol", "expiration", "strike", "right", "timestamp", *COLUMNS[order]]
        if has_underlying(order):
            names += ["underlying_timestamp", "underlying_price"]
        header = ",".join(names)
        yield Stretch(header.encode() + style.line_end, 0)
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

    def of(self, block: ContractRows) -> tuple[Bytes, Bytes]:
        """Returns the rows' own timestamps, and the underlying's."""
        at = block.at
        if at is not self._at:
            self._at = at
            self._own = self._spelled(at.days, at.milliseconds[None])
            self._underlying = self._spelled(at.days, at.underlying_milliseconds[None])
        times = block.numbers.get("ms_of_day")
        if times is None:
            return self._own, self._underlying
        return self._spelled(at.days, times), self._underlying

    def _spelled(self, days: Ints, times: Ints) -> Bytes:
        dates = {day: date.fromordinal(EPOCH + day).isoformat() for day in set(days.tolist())}
        each = np.broadcast_to(days, times.shape).ravel().tolist()
        pairs = zip(each, times.ravel().tolist(), strict=True)
        spelled = [f"{dates[day]}T{clock_text(at, self._style)}".encode() for day, at in pairs]
        return texts(spelled, *times.shape)


def _number(block: ContractRows, name: str) -> Number:
    return Number(block.numbers[name], decimals(name))


def _underlying_price(block: ContractRows, order: str) -> list[RowPart]:
    """Returns the price with two decimals, or three at the end of the day, as documented."""
    number = _number(block, "underlying_price")
    return [number, b"0"] if order == EOD else [number]


def _csv_block(block: ContractRows, order: str, style: Style, stamps: _Stamps) -> Stretch:
    quote = '"' if style.quoted else ""
    head = f"{quote}{block.symbol}{quote},{quote}{block.expiration}{quote},"
    contracts = [
        f"{head}{strike_text(strike)},{quote}{right}{quote},".encode()
        for strike, right in block.contracts
    ]
    stamp, underlying_stamp = stamps.of(block)
    pieces: list[RowPart] = [texts(contracts, -1, 1), stamp]
    for name in COLUMNS[order]:
        pieces += [b",", _number(block, name)]
    if has_underlying(order):
        pieces += [b",", underlying_stamp, b",", *_underlying_price(block, order)]
    pieces.append(style.line_end)
    return Stretch(render(pieces, len(contracts), len(block.at.days)), block.rows)


def _members(block: ContractRows, order: str, stamps: _Stamps) -> list[RowPart]:
    """Returns what stands between the braces of a row in JSON, without the contract."""
    stamp, underlying_stamp = stamps.of(block)
    pieces: list[RowPart] = [b'"timestamp":"', stamp, b'"']
    for name in COLUMNS[order]:
        pieces += [f',"{name}":'.encode(), _number(block, name)]
    if not has_underlying(order):
        return pieces
    pieces += [b',"underlying_timestamp":"', underlying_stamp]
    return [*pieces, b'","underlying_price":', *_underlying_price(block, order)]


def _contract(block: ContractRows, strike: int, right: str) -> bytes:
    return (
        f'"symbol":"{block.symbol}","expiration":"{block.expiration}",'
        f'"right":"{right}","strike":{strike_text(strike)}'
    ).encode()


def _ndjson_block(block: ContractRows, order: str, stamps: _Stamps) -> Stretch:
    contracts = [_contract(block, *contract) for contract in block.contracts]
    pieces = [b"{", texts(contracts, -1, 1), b",", *_members(block, order, stamps), b"}\n"]
    return Stretch(render(pieces, len(contracts), len(block.at.days)), block.rows)


def _json_answer(blocks: Iterable[ContractRows], order: str, stamps: _Stamps) -> Iterator[Stretch]:
    yield Stretch(b'{\n\t"response": [', 0)
    comma = b""
    for block in blocks:
        for n, contract in enumerate(block.contracts):
            width = len(block.at.days)
            (one,) = block.between(n * width, (n + 1) * width)
            head = b'\n\t\t{\n\t\t\t"contract": {' + _contract(block, *contract) + b"},\n"
            yield Stretch(comma + head + b'\t\t\t"data": [\n', 0)
            pieces = [b"\t\t\t\t{", *_members(one, order, stamps), b"},\n"]
            rows = render(pieces, 1, width).removesuffix(b",\n")
            yield Stretch(rows + b"\n", one.rows)
            yield Stretch(b"\t\t\t]\n\t\t}", 0)
            comma = b","
    yield Stretch(b"\n\t]\n}\n\n", 0)

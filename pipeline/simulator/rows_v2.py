"""The text of a v2 Terminal's answers: CSV, and the envelope of JSON.

Numbers have no trailing zeros, dates and times are whole numbers. No verbatim CSV of bulk requests
is known: that `root,expiration,strike,right` stand before the documented columns is inferred. The
white space of JSON is ours: one row a line.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from pipeline.simulator.formats import Stretch
from pipeline.simulator.market.greeks import COLUMNS, ContractRows, decimals, has_underlying
from pipeline.simulator.text import Bytes, Number, RowPart, render, texts
from transforms.arrays import Ints
from transforms.market.clock import EPOCH

NO_NEXT_PAGE = "null"
"""Says that there is no next page: a string, in JSON, too."""


def columns(order: str) -> tuple[str, ...]:
    """Returns the columns of a row in JSON; those of CSV begin with the contract's.

    Args:
        order: a key of `COLUMNS`.
    """
    underlying = ("ms_of_day2", "underlying_price") if has_underlying(order) else ()
    return ("ms_of_day", *COLUMNS[order], *underlying, "date")


def csv(
    blocks: Iterable[ContractRows], order: str, line_end: bytes, *, header: bool = True
) -> Iterator[Stretch]:
    """Yields an answer in CSV.

    Args:
        blocks: the rows.
        order: a key of `COLUMNS`.
        line_end: of every line.
        header: whether the first line has the names of the columns.
    """
    if header:
        names = ("root", "expiration", "strike", "right", *columns(order))
        yield Stretch(",".join(names).encode() + line_end, 0)
    for block in blocks:
        contracts = [
            f"{block.symbol},{block.expiration:%Y%m%d},{strike},{right[0]},".encode()
            for strike, right in block.contracts
        ]
        pieces: list[RowPart] = [texts(contracts, -1, 1), *_row(block, order), line_end]
        yield Stretch(render(pieces, len(contracts), len(block.at.days)), block.rows)


def json_answer(blocks: Iterable[ContractRows], order: str, next_page: str) -> Iterator[Stretch]:
    """Yields an answer in JSON.

    Args:
        blocks: the rows.
        order: a key of `COLUMNS`.
        next_page: the address of the next page, or `NO_NEXT_PAGE`.
    """
    yield Stretch(_envelope(columns(order), next_page), 0)
    comma = b""
    for block in blocks:
        width = len(block.at.days)
        for n, (strike, right) in enumerate(block.contracts):
            (one,) = block.between(n * width, (n + 1) * width)
            yield Stretch(comma + b'\n{"ticks":[\n', 0)
            rows = render([b"[", *_row(one, order), b"],\n"], 1, width).removesuffix(b",\n")
            yield Stretch(rows + b"\n", width)
            contract = {
                "root": block.symbol,
                "expiration": int(f"{block.expiration:%Y%m%d}"),
                "strike": strike,
                "right": right[0],
            }
            yield Stretch(f'],"contract":{_compact(contract)}}}'.encode(), 0)
            comma = b","
    yield Stretch(b"\n]}\n", 0)


def list_answer(
    column: str, values: Sequence[int | str], line_end: bytes, *, as_csv: bool
) -> Iterator[Stretch]:
    """Yields a list, as CSV or as JSON; in both a value stands alone on its line."""
    if as_csv:
        yield Stretch(b"".join(str(cell).encode() + line_end for cell in (column, *values)), 0)
    else:
        yield Stretch(_envelope((column,), NO_NEXT_PAGE), 0)
        lines = ",\n".join(map(_compact, values))
        yield Stretch(f"\n{lines}\n]}}\n".encode(), 0)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _envelope(names: Sequence[str], next_page: str) -> bytes:
    header = {
        "id": 1,
        "latency_ms": 0,
        "error_type": "null",
        "error_msg": "null",
        "next_page": next_page,
        "format": list(names),
    }
    return f'{{"header":{_compact(header)},"response":['.encode()


def _row(block: ContractRows, order: str) -> list[RowPart]:
    """Returns the cells of a row, with commas between them."""
    own = block.numbers.get("ms_of_day")
    stamp: RowPart = _whole(block.at.milliseconds) if own is None else Number(own, 0)
    pieces = [stamp]
    for name in COLUMNS[order]:
        pieces += [b",", Number(block.numbers[name], decimals(name), shortest=True)]
    if has_underlying(order):
        price = Number(block.numbers["underlying_price"], 2, shortest=True)
        pieces += [b",", _whole(block.at.underlying_milliseconds), b",", price]
    days = {n: f"{date.fromordinal(EPOCH + n):%Y%m%d}" for n in set(block.at.days.tolist())}
    dates = texts([days[n].encode() for n in block.at.days.tolist()], 1, -1)
    return [*pieces, b",", dates]


def _whole(values: Ints) -> Bytes:
    return texts([str(n).encode() for n in values.tolist()], 1, -1)

"""Reads a CSV answer as record batches while it arrives, and checks every row of it.

The answer is never held whole: it is cut into blocks of whole lines, and each block is parsed,
checked and handed on before the next one is read.
"""

import csv
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache

import pyarrow as pa
import xxhash

from transforms.market.clock import DAY_MS, interval_ms
from transforms.model import GreeksRequest
from transforms.native.compiled import count_lines
from transforms.orders import order_of
from transforms.thetadata.dialect import Dialect, Part
from transforms.thetadata.errors import AnswerChanged, BrokenResponse, MalformedResponse
from transforms.thetadata.row_reader import BadLine, RowReader

BLOCK_BYTES = 1 << 20
"""Bytes read and parsed at a time: about 7,000 rows of first-order Greeks.

Half as many take 3 to 7 % more of a run's time, and 8 MiB less in all.
"""

_LINE_BYTES = 1 << 18
_MOST_COLUMNS = 4096  # all Greeks are 46; more may be added, but not so many
_WORDS = 400  # characters of an error
MOST_CONTRACTS = 10_000
"""Contracts of one expiration: seven times as many as the largest has."""

_EXPIRATIONS = 20
"""All expirations of a symbol have at most so many times `MOST_CONTRACTS`."""


def most_rows(request: GreeksRequest, part: Part) -> int:
    """Returns how many rows an answer can have at most.

    That is one for each of `MOST_CONTRACTS` and each step of its grid, around the clock; without a
    grid (`tick`), each millisecond. End of day v2 serves some rows twice.
    """
    days = (part.last - part.first).days + 1
    if request.order.daily:
        expirations = 1 if part.reach is None else _EXPIRATIONS
        return 2 * days * MOST_CONTRACTS * expirations
    step = 1 if request.interval == "tick" else interval_ms(request.interval)
    return days * (DAY_MS // step + 1) * MOST_CONTRACTS


def blocks_of_lines(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yields the body in blocks that end where a line ends; the last one where the body does.

    Args:
        read: returns the next n bytes of the body, fewer only at its end.
        size: about how many bytes a block has, the first one half as many, so that also an answer
            that soon breaks off brings rows; a longer line makes a longer block.
    """
    rest: list[bytes] = []
    waiting = 0
    sizes = itertools.chain([max(size // 2, 1)], itertools.repeat(size))
    while chunk := read(next(sizes)):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            # While a block is looked at, and its rows are written, nobody else holds it.
            block = [b"".join((*rest, memoryview(chunk)[:cut]))]
            rest, waiting = [chunk[cut:]], len(chunk) - cut
            del chunk
            yield block.pop()
        else:
            rest.append(chunk)
            waiting += len(chunk)
            if waiting > _LINE_BYTES:
                raise MalformedResponse(f"a line of more than {_LINE_BYTES:,} bytes")
    if waiting:
        yield b"".join(rest)


class CsvReader:
    """Parses one answer to one schema; the answer may come in several attempts.

    What was passed on is remembered as a number of bytes and their XXH3 of 128 bits, which guards
    against chance as SHA-256 does, at a twentieth of its time. A second answer to the same query
    must begin with those very bytes: then its reading goes on behind them, and no row is lost or
    doubled.

    Args:
        request: what was asked for.
        part: the part of it that the answer is for.
        dialect: the generation that answers.

    Raises:
        MalformedResponse: from every method, naming the request and the line.
    """

    def __init__(self, request: GreeksRequest, part: Part, dialect: Dialect) -> None:
        self._request, self._part = request, part
        self._dialect = dialect
        span = str(part.first) if part.first == part.last else f"{part.first} to {part.last}"
        every = part.reach is not None
        whom = ", every expiration," if every else f" expiring {request.expiration}"
        self.what = f"{request.symbol}{whom} on {span}"
        """The request and the dates of the answer, in words."""
        self._line = 1
        self._row_reader: RowReader | None = None
        self._digest = xxhash.xxh3_128()
        self._rowless = 0  # bytes since the last row
        self._rows, self._most_rows = 0, most_rows(request, part)
        self.passed = 0
        """Bytes of the answer whose rows were passed on."""

    def batches(
        self, read: Callable[[int], bytes], batch_size: int, block_bytes: int = BLOCK_BYTES
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows that were not passed on yet as batches of 1 to `batch_size` rows.

        Args:
            read: returns the next n bytes of the answer, fewer only at its end.
            batch_size: the most rows in a batch.
            block_bytes: see `blocks_of_lines`.

        Raises:
            AnswerChanged: the answer does not begin with the bytes that were passed on.
            BrokenResponse: its last line has no end: that line is no row.
        """
        self._prove(read)
        if not self.passed:
            self._row_reader = None
        for block in blocks_of_lines(read, block_bytes):
            if self._row_reader is None:
                self._require_csv(block)
            if not block.endswith(b"\n"):
                raise BrokenResponse(
                    f"{self.what}: the answer ends in the middle of line {self._line}"
                )
            rows = block
            if self._row_reader is None:
                header, _, rows = block.partition(b"\n")
                try:
                    columns = _columns_of(header, self._request.greeks, self._dialect)
                except ValueError as bad:
                    raise self._error(1, f"the header {bad}") from bad
                self._row_reader = RowReader(columns, self._request, self._part, self._dialect)
            lines = count_lines(block)
            headers = int(rows is not block)
            try:
                batch = self._row_reader.read(rows, lines - headers)
            except BadLine as bad:
                raise self._error(self._line + headers + bad.before, str(bad)) from bad
            self._rowless = 0 if batch.num_rows else self._rowless + len(block)
            if self._rowless > _LINE_BYTES:
                raise self._error(self._line + headers, "only empty lines follow")
            self._rows += batch.num_rows
            if self._rows > self._most_rows:
                error = self._error(
                    self._line,
                    f"more than {self._most_rows:,} rows, more than such an answer can have",
                )
                error.retryable = False  # it does not end
                raise error
            self._line += lines
            self._digest.update(block)
            self.passed += len(block)
            del block, rows
            for start in range(0, batch.num_rows, batch_size):
                yield batch.slice(start, batch_size)
        if self._row_reader is None:
            raise self._error(1, "the answer is empty: not even a header")

    def _prove(self, read: Callable[[int], bytes]) -> None:
        digest, left = xxhash.xxh3_128(), self.passed
        while left and (chunk := read(min(left, BLOCK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.digest() != self._digest.digest():
            raise AnswerChanged(
                f"{self.what}: asked again, the Terminal gave other rows than those that it had "
                "given before the answer broke off"
            )

    def _require_csv(self, block: bytes) -> None:
        text = block[:200].decode("utf-8", errors="replace").strip()
        kind = {"{": "JSON", "[": "JSON", "<": "HTML or XML"}.get(text[:1])
        if kind is not None:
            raise self._error(1, f"{kind} where CSV was asked for: {text[:80]}")

    def _error(self, line: int, problem: str) -> MalformedResponse:
        return MalformedResponse(
            f"{self.what}: line {line} of the answer: {problem[:_WORDS]}. Nothing of this "
            "expiration was kept; if it happens again, the Terminal's version may have changed its "
            "format"
        )


@lru_cache(16)  # the answers of a run have the same one
def _columns_of(line: bytes, greeks: str, dialect: Dialect) -> tuple[str, ...]:
    """Returns the columns that a header names.

    Raises:
        ValueError: what the header lacks, or has too much, after "the header".
    """
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    if text.count(",") >= _MOST_COLUMNS:
        raise ValueError(f"has more than {_MOST_COLUMNS:,} columns")
    try:
        counts = Counter(next(csv.reader([text], strict=True), []))
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from error
    if missing := [name for name in dialect.types(order_of(greeks)) if name not in counts]:
        raise ValueError(f"lacks {', '.join(missing)}; it is {text[:200] or '(empty)'}")
    if repeated := sorted(name for name, count in counts.items() if count > 1):
        raise ValueError(f"names {', '.join(repeated)} more than once")
    return tuple(counts)

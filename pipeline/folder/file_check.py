"""Checks one file of an output folder against its entry in the manifest, in one pass."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.folder.parquet_rows import trade_dates, values
from pipeline.text import count
from transforms.model import GreeksRequest
from transforms.orders import MONTH
from transforms.orders.schema import VERSION
from transforms.output.entry import COMMITTING, Entry
from transforms.sinks.csv_text import encode_header
from transforms.storage import files

_PIECE = 1 << 20


def check_file(path: str, entry: Entry, *, is_there: bool) -> Iterator[str]:
    """Yields the problems of the file of an entry, each as a sentence without its subject.

    Args:
        path: of the file.
        entry: of the file.
        is_there: whether a listing has shown it with the size of its entry.

    Raises:
        OSError: the file system does not say whether it is there.
    """
    if entry.state == COMMITTING:
        yield "was being put in place when its run ended: unproven, the next run fetches it"
        return
    if not is_there and not files.exists(path):
        yield "is missing; the next run fetches it"
        return
    try:
        if not is_there and (size := files.size(path)) != entry.bytes:
            yield f"has {size:,} bytes, and had {entry.bytes:,} when it was written"
            return
        with files.open_file(path) as file:
            reader = _Hashing(file)
            if entry.format == "parquet":
                rows, problems = _parquet(path, entry)
            elif entry.format in ("csv", ""):
                rows, problems = _csv(reader, entry)
            else:
                # Of somebody's own sink: its bytes are all that can be compared.
                rows, problems = entry.rows, []
            digest = reader.drain()
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        yield f"can't be read as {entry.format}: {error}"
        return
    if digest != entry.sha256:
        yield f"has other bytes than were written: SHA-256 {digest}, not {entry.sha256}"
    yield from problems
    if rows != entry.rows:
        yield f"has {count(rows, 'row')}, and had {entry.rows:,} when it was written"


class _Hashing:
    """Reads a file once, from its beginning to its end, and hashes what passes."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._digest = sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int) -> bytes:
        piece: bytes = self._file.read(size)
        self._digest.update(piece)
        return piece

    def drain(self) -> str:
        """Reads the rest, and returns the hash of the whole file."""
        while self.read(_PIECE):
            pass
        return self._digest.hexdigest()

    def close(self) -> None:
        """Does nothing: Arrow closes what it has read from, and there may be more to hash."""


def _csv(reader: _Hashing, entry: Entry) -> tuple[int, list[str]]:
    """Returns the rows of a CSV file, and the problems of its form and its rows."""
    text: Any = reader
    if entry.compression != "none":
        text = pa.CompressedInputStream(pa.PythonFile(reader, mode="r"), entry.compression)
    request = GreeksRequest.of(entry.request)
    start = f"\n{request.symbol},{request.expiration},".encode()
    row = re.compile(re.escape(start) + rb"[^,\n]*,[CP],([0-9-]{10})T")
    header, lines, own, dates, rest = b"", 0, 0, set[bytes](), b""
    while piece := bytes(text.read(_PIECE)):
        if b"\n" not in header:
            header += piece[: piece.find(b"\n") + 1 or len(piece)]
        lines += piece.count(b"\n")
        # From the end of a line to the start of the last one, which may go on.
        piece = rest + piece
        end = piece.rfind(b"\n")
        found = row.findall(piece, 0, max(end, 0))
        own += len(found)
        dates.update(found)
        rest = piece[max(end, 0) :]
    rows = lines - 1
    expected = encode_header(request.schema)
    if entry.schema_version == VERSION and header != expected:
        return rows, [f"begins with {header[:80]!r}, not with the header {expected[:80]!r}"]
    if rest != b"\n":
        return rows, ["ends in the middle of a line"]
    if entry.schema_version != VERSION:
        return rows, []
    other = rows - own
    problems = [] if not other else [f"has {count(other, 'row')} not of {request}"]
    return rows, problems + _foreign_dates({each.decode() for each in dates}, request)


def _parquet(path: str, entry: Entry) -> tuple[int, list[str]]:
    """Returns the rows of a Parquet file by its footer, and the problems of its schema or rows.

    The footer's statistics, and where they do not prove it the rows, say whose they are.
    """
    request = GreeksRequest.of(entry.request)
    expected = request.schema
    with files.open_file(path) as file, pq.ParquetFile(file) as parquet:
        schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
        if entry.schema_version != VERSION:
            return rows, []
        made, wanted = ({f"{f.name} {f.type}" for f in each} for each in (schema, expected))
        if schema.names != expected.names or made != wanted:
            differ = ", ".join(sorted(made ^ wanted)) or "other order"
            return rows, [f"has another schema: {differ}"]
        symbols, expirations = values(parquet, "symbol"), values(parquet, "expiration")
        dates = trade_dates(parquet)
    problems = []
    if (symbols, expirations) != ({request.symbol}, {request.expiration}) or None in dates:
        problems = [f"has rows that are not of {request}"]
    return rows, problems + _foreign_dates({str(day) for day in dates if day}, request)


def _foreign_dates(dates: set[str], request: GreeksRequest) -> list[str]:
    """Returns that there are rows of trade dates that were not requested, if there are."""
    if request.order.request_span == MONTH:
        # By month, each day between may have rows.
        first, last = request.first_trade_date.isoformat(), request.last_trade_date.isoformat()
        foreign = {day for day in dates if not first <= day <= last}
    else:
        foreign = dates - {day.isoformat() for day in request.trade_dates}
    if not foreign:
        return []
    return [f"has rows of {', '.join(sorted(foreign)[:5])}, which {request} has not"]

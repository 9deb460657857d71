"""Batches, requests and layouts that the tests of the library share."""

import hashlib
import io
from contextlib import suppress
from datetime import date
from pathlib import Path

import pyarrow as pa

from pipeline.inspection.files import find_files
from tests.support.answers import rows_of
from transforms.model import GreeksRequest
from transforms.orders import schema_of
from transforms.output.layout import Layout
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Part
from transforms.thetadata.v3 import V3

SCHEMA = schema_of("first_order")
DAY = date(2024, 3, 14)


def request_for(expiration: str, symbol: str = "SPXW") -> GreeksRequest:
    return GreeksRequest(symbol, date.fromisoformat(expiration), (DAY,))


def batches_of(
    request: GreeksRequest, rows: int, batch_size: int = 1000, step: float = 0.0001
) -> list[pa.RecordBatch]:
    """Returns `rows` rows of a request, no two alike."""
    return batches_on(request, DAY, rows, batch_size, step)


def batches_on(
    request: GreeksRequest, day: date, rows: int, batch_size: int = 1000, step: float = 0.0001
) -> list[pa.RecordBatch]:
    """Returns the same of a trade date."""
    body = io.BytesIO(rows_of(request, day, rows, step))
    return list(CsvReader(request, Part(day, day), V3()).batches(body.read, batch_size, 1 << 26))


def layout_in(folder: Path, suffix: str = ".csv", run_id: str = "run-1") -> Layout:
    return Layout(str(folder / "greeks"), suffix, run_id)


def files_in(folder: Path) -> dict[str, bytes]:
    """Returns every file below a folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def has_rows(unfinished: Path) -> bool:
    """Returns whether a run that goes on has rows in a file below a folder."""
    # Files and folders come and go meanwhile.
    with suppress(FileNotFoundError):
        return any(path.stat().st_size for path in unfinished.rglob("*.csv"))
    return False


def hashes(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each data file below a folder in which a download ran."""
    found = files_in(folder / "data" / "greeks")
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def data_files(folder: Path) -> list[str]:
    """Returns the paths of the data files below a folder, by name."""
    return find_files([str(folder)])

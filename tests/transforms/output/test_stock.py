"""What listings and the index say of a request is what its document and its file say."""

import gc
import json
import os
import tracemalloc
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.support.data import layout_in, request_for
from transforms.orders.schema import VERSION
from transforms.output.entry import COMMITTED, COMMITTING, EMPTY, Entry
from transforms.output.layout import Layout
from transforms.output.manifest import Manifest
from transforms.output.resume import HASH, OFF, Resume, reason_to_skip
from transforms.output.stock import Stock
from transforms.storage import files

FORM = ("csv", "none")
REQUEST = request_for("2024-03-15")
DONE = Entry(
    COMMITTED,
    REQUEST.describe(),
    "live",
    "run-1",
    rows=10,
    bytes=10,
    sha256="0" * 64,
    dates_with_rows="2024-03-14",
    format="csv",
    compression="none",
    schema_version=VERSION,
)
NOW = datetime.now(timezone.utc)


def stock_of(layout: Layout, resume: Resume = Resume(), refuse: str = "", **later: int) -> Stock:  # noqa: B008 -- frozen
    def is_refused(findings: Mapping[str, int], _rows: int) -> bool:
        return refuse in findings

    now = datetime.now(timezone.utc) + timedelta(**later)
    return Stock(layout.folder, FORM, resume, now, is_refused, keep=True)


def put(layout: Layout, entry: Entry | None, size: int | None = 10) -> str:
    path = layout.path(REQUEST)
    if size is not None:
        files.make_folder(path.rpartition("/")[0])
        Path(path).write_bytes(b"x" * size)
    if entry is not None:
        Manifest(layout.folder).write(path, entry)
    return path


FOUND = [
    (DONE, 10),
    (DONE, None),
    (DONE, 11),
    (None, 10),
    (None, None),
    (replace(DONE, state=COMMITTING), 10),
    (replace(DONE, state=EMPTY), None),
    (replace(DONE, provisional=True), 10),
    (replace(DONE, schema_version=VERSION - 1), 10),
    (replace(DONE, format="parquet", compression="zstd"), 10),
]


@pytest.mark.parametrize("days", [0, 10])
@pytest.mark.parametrize("resume", [Resume(), Resume(OFF), Resume(retry_empty_after=20)])
@pytest.mark.parametrize(("entry", "size"), FOUND)
def test_listings_give_the_reason_that_the_document_and_the_file_give(
    tmp_path: Path, entry: Entry | None, size: int | None, resume: Resume, days: int
) -> None:
    layout = layout_in(tmp_path)
    path = put(layout, entry, size)
    for _ in range(2):  # without an index, and with one
        stock = stock_of(layout, resume, days=days)
        read = Manifest(layout.folder).entry_of(path)
        reason = reason_to_skip(read, path, FORM, resume, NOW + timedelta(days=days))
        known = stock.known(REQUEST, layout.name(REQUEST), "live")
        assert (known.reason if known else None) == reason
        assert known is None or known.is_empty == (read is not None and read.state == EMPTY)
        assert stock.has(layout.name(REQUEST)) == (read is not None or size is not None)


def test_another_request_of_the_same_file_is_not_known(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    put(layout, DONE)
    stock, name = stock_of(layout), layout.name(REQUEST)
    assert stock.known(REQUEST, name, "live")
    assert stock.known(REQUEST, name, "simulated, seed 0") is None
    assert stock.known(replace(REQUEST, interval="1m"), name, "live") is None
    assert stock.known(replace(REQUEST, parameters=(("version", "1"),)), name, "live") is None
    assert stock.known(REQUEST, f"elsewhere/{name}", "live") is None
    assert not stock.has(f"elsewhere/{name}")


def test_with_the_hash_as_proof_no_file_is_known_by_listings(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    put(layout, DONE)
    assert stock_of(layout, Resume(HASH)).known(REQUEST, layout.name(REQUEST), "live") is None
    put(layout, replace(DONE, state=EMPTY))
    assert stock_of(layout, Resume(HASH)).known(REQUEST, layout.name(REQUEST), "live")


def test_a_file_whose_findings_would_fail_this_run_is_not_known(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    finding = {"rule": "negative_bid", "count": 3, "examples": []}
    put(layout, replace(DONE, quality={"findings": [finding]}))
    for _ in range(2):
        name = layout.name(REQUEST)
        assert stock_of(layout).known(REQUEST, name, "live")
        assert stock_of(layout, refuse="negative_bid").known(REQUEST, name, "live") is None


def test_missing_trade_dates_are_known_once_they_are_not_asked_for_again(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    (day,) = REQUEST.trade_dates
    week = replace(REQUEST, trade_dates=(day - timedelta(days=2), day))
    missing = replace(DONE, request=week.describe(), dates_with_rows="2024-03-12")
    put(layout, replace(missing, missing_since=NOW.isoformat()))
    assert stock_of(layout).known(week, layout.name(week), "live") is None
    known = stock_of(layout, days=8).known(week, layout.name(week), "live")
    assert known is not None
    assert (known.missing_dates, known.is_empty) == ("2024-03-14", False)


@pytest.mark.slow
def test_a_stock_takes_less_than_60_bytes_a_file(tmp_path: Path) -> None:
    held, peaks = [], []
    for number in (2000, 6000):  # more than are looked at at once
        layout = layout_in(tmp_path / str(number))
        path = put(layout, DONE)
        document = Path(layout.folder.entry(layout.name(REQUEST)))
        for each in range(number):
            folder = f"{each % 50}"
            for copied, name in ((Path(path), f"{each}.csv"), (document, f"{each}.csv.json")):
                place = copied.parent.parent / folder
                place.mkdir(exist_ok=True)
                os.link(copied, place / name)
        stock_of(layout)  # writes the index
        tracemalloc.start()
        stock = stock_of(layout)
        gc.collect()
        now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert stock.has("7/407.csv")
        assert stock.known(REQUEST, "7/407.csv", "live")
        held.append(now)
        peaks.append(peak)
    assert (held[1] - held[0]) / 4000 < 60
    assert (peaks[1] - peaks[0]) / 4000 < 100


def test_a_stock_takes_as_little_of_requests_without_data_whenever_they_were_sent(
    tmp_path: Path,
) -> None:
    peaks = []
    for number in (2000, 6000):  # more than are looked at at once
        layout = layout_in(tmp_path / str(number))
        place = Path(layout.folder.entries) / "empty"
        place.mkdir(parents=True)
        for each in range(number):
            asked = (NOW - timedelta(minutes=each)).isoformat()
            entry = replace(DONE, state=EMPTY, rows=0, bytes=0, sha256="", time=asked)
            (place / f"{each}.csv.json").write_text(json.dumps(asdict(entry)))
        stock_of(layout)  # writes the index
        tracemalloc.start()
        stock = stock_of(layout, Resume(retry_empty_after=0.5))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        known = stock.known(REQUEST, "empty/7.csv", "live")
        assert known is not None
        assert known.reason.startswith("no data when it was asked for on 20")
        assert stock.known(REQUEST, "empty/999.csv", "live") is None
    assert (peaks[1] - peaks[0]) / 4000 < 100


def test_a_broken_document_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    put(layout, DONE)
    stock_of(layout)
    document = Path(layout.folder.entry(layout.name(REQUEST)))
    document.write_text("{")
    os.utime(document)
    stock = stock_of(layout)
    assert stock.known(REQUEST, layout.name(REQUEST), "live") is None
    assert stock.has(layout.name(REQUEST))

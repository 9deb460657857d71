"""An entry of the manifest is a claim: a wrong one is named by its field, and never believed."""

import json
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data import request_for
from transforms.model import GreeksRequest
from transforms.orders import ORDERS
from transforms.output.entry import Entry, read_entry
from transforms.output.entry_fields import FIELDS
from transforms.output.folder import OutputFolder
from transforms.output.index import entries

REQUEST = request_for("2024-03-15")
GOOD: dict[str, Any] = {
    "state": "committed",
    "request": REQUEST.describe(),
    "source": "live",
    "run_id": "20240314T093000.000001Z",
    "rows": 10,
    "bytes": 1000,
    "sha256": "ab" * 32,
    "format": "parquet",
    "compression": "zstd",
    "quality": {"findings": [{"rule": "holes", "count": 3}]},
    "time": "2024-03-14T21:00:00+00:00",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def test_every_field_has_a_check() -> None:
    assert {field.name for field in fields(Entry)} == {*FIELDS, "request"}


def test_an_entry_that_is_whole_is_read() -> None:
    assert read_entry(json.dumps(GOOD).encode(), "x").rows == 10
    assert read_entry(json.dumps(GOOD | {"added_later": 1}).encode(), "x").rows == 10


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"state": "done"}, "its state is 'done', not one of committing, committed, empty"),
        ({"state": []}, "its state is []"),
        ({"state": None}, "its state is None"),
        ({"format": "../a b"}, "its format is '../a b', not the name of a format"),
        ({"format": {}}, "its format is {}"),
        ({"compression": "lzma"}, "its compression is 'lzma'"),
        ({"compression": "snappy", "format": "csv"}, "its compression is 'snappy'"),
        ({"quality": []}, "its quality is []"),
        ({"quality": {"findings": [1]}}, "its quality is"),
        ({"quality": {"findings": [{"rule": "holes", "count": "3"}]}}, "its quality is"),
        ({"rows": -1}, "its rows is -1, not a number of rows"),
        ({"rows": True}, "its rows is True"),
        ({"rows": 1.5}, "its rows is 1.5"),
        ({"bytes": "1000"}, "its bytes is '1000'"),
        ({"sha256": "AB" * 32}, "its sha256 is 'AB"),
        ({"sha256": ""}, "it has no sha256"),
        ({"provisional": "no"}, "its provisional is 'no'"),
        ({"time": "yesterday"}, "its time is 'yesterday'"),
        ({"time": "2024-03-14T21:00:00"}, "its time is"),
        ({"run_id": 7}, "its run_id is 7"),
        ({"source": ""}, "its source is ''"),
        ({"versions": ["25"]}, "its versions is"),
        ({"schema_version": None}, "its schema_version is None"),
        ({"dates_with_rows": 3}, "its dates_with_rows is 3"),
        ({"dates_with_rows": "2024-03-14/x"}, "Invalid isoformat string"),
        ({"request": "SPXW"}, "its request is none: it is 'SPXW'"),
        ({"request": {}}, "its request is none: it has no symbol"),
    ],
)
def test_what_is_no_entry_is_named_by_its_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="^files/x.json is not an entry of the manifest") as caught:
        read_entry(json.dumps(GOOD | change).encode(), "files/x.json")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"symbol": "../SPXW"}, "is not a symbol"),
        ({"symbol": 7}, "its symbol is 7"),
        ({"expiration": "20240315"}, ""),
        ({"expiration": "2024-02-30"}, ""),
        ({"expiration": "2024-03-13"}, "after the expiration"),
        ({"trade_dates": ""}, ""),
        ({"trade_dates": "2024-03-14,2024-03-14"}, "must ascend"),
        ({"first_trade_date": "2024-03-13"}, "its first_trade_date is '2024-03-13'"),
        ({"last_trade_date": "x"}, "its last_trade_date is 'x'"),
        ({"interval": "7m"}, "'7m'"),
        ({"greeks": "fourth_order"}, "'fourth_order'"),
        ({"added": "1"}, "its added is '1'"),
    ],
)
def test_what_describes_no_request_is_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="its request is none") as caught:
        Entry.of(GOOD | {"request": REQUEST.describe() | change}, "x")
    assert named in str(caught.value)


def test_a_request_is_read_as_it_was_described() -> None:
    parameters = tuple((name, "1") for name in sorted(ORDERS["all"].v3.parameters))
    of_day = (("option_use_nbbo", "false"),)
    days = (date(2024, 3, 13), date(2024, 3, 14))
    for request in (
        REQUEST,
        GreeksRequest("BRK.B", date(2024, 3, 15), days, "eod", "eod"),
        GreeksRequest("SPX", date(2024, 3, 15), days, "eod", "eod", of_day),
        GreeksRequest("SPX", date(2024, 3, 15), days, "1h", "all", parameters),
    ):
        assert GreeksRequest.of(request.describe()) == request


@given(st.dictionaries(st.sampled_from([*FIELDS, "request"]), JSON, max_size=3))
def test_any_document_is_an_entry_or_named(changes: dict[str, Any]) -> None:
    content = json.dumps(GOOD | changes).encode("utf-8", "surrogatepass")
    try:
        entry = read_entry(content, "files/x.json")
    except ValueError as error:
        assert str(error).startswith("files/x.json is not an entry of the manifest")
    else:
        assert entry.rows >= 0
        assert entry.missing_dates == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_named_and_the_others_are_read(
    content: bytes, tmp_path: Path
) -> None:
    folder = OutputFolder(str(tmp_path / "greeks"))
    documents = Path(folder.entries)
    documents.mkdir(parents=True)
    (documents / "a.csv.json").write_bytes(content)
    (documents / "b.csv.json").write_text(json.dumps(GOOD))
    broken, good = (entry for _, entry in entries(folder))
    assert isinstance(broken, ValueError)
    assert "a.csv.json is not an entry of the manifest" in str(broken)
    assert isinstance(good, Entry)

import io
import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.answers import HEADER, SAMPLE, SAMPLE_REQUEST, SAMPLE_ROWS, rows_of
from transforms.native import compiled
from transforms.orders import schema_of
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Part
from transforms.thetadata.errors import BrokenResponse, MalformedResponse
from transforms.thetadata.row_reader import RowReader
from transforms.thetadata.v3 import V3

DAY = date(2024, 11, 4)
NEW_YORK = ZoneInfo("America/New_York")


def read(body: bytes, *, block: int = 1 << 19, batch_size: int = 1000) -> list[pa.RecordBatch]:
    reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
    return list(reader.batches(io.BytesIO(body).read, batch_size, block))


@pytest.fixture(autouse=True, scope="module", params=["compiled", "arrow"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever is claimed here holds with the compiled reader, where there is one, and without."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "arrow":
            patch.setattr(compiled, "AVAILABLE", False)
        yield


def table(body: bytes, block: int = 1 << 19) -> pa.Table:
    return pa.Table.from_batches(read(body, block=block), schema_of("first_order"))


def test_the_documented_sample_parses_to_its_exact_values() -> None:
    rows = table(SAMPLE).to_pylist()
    assert len(rows) == 3
    assert rows[1] == {
        "symbol": "AAPL",
        "expiration": date(2024, 11, 8),
        "strike": 262.5,
        "right": "C",
        "timestamp": datetime(2024, 11, 4, 9, 35, tzinfo=NEW_YORK),
        "bid": 0.0,
        "ask": 0.02,
        "delta": 0.0026,
        "theta": -0.0141,
        "vega": 0.1913,
        "rho": 0.0063,
        "epsilon": -0.0064,
        "lambda": 55.293,
        "implied_vol": 0.5874,
        "iv_error": 0.0721,
        "underlying_timestamp": datetime(2024, 11, 4, 9, 35, tzinfo=NEW_YORK),
        "underlying_price": 220.66,
    }


def live(row: str) -> str:
    """The same row as a Terminal of mid-2026 prints it: quoted text, milliseconds."""
    symbol, expiration, strike, right, *rest = row.split(",")
    rest = [f"{cell}.000" if "T" in cell else cell for cell in rest]
    return ",".join([f'"{symbol}"', f'"{expiration}"', strike, f'"{right}"', *rest])


def test_both_generations_of_csv_text_give_the_same_rows() -> None:
    body = "\n".join([HEADER, *map(live, SAMPLE_ROWS), ""]).encode()
    assert table(body) == table(SAMPLE)


def test_columns_are_read_by_name_and_unknown_ones_are_passed_over() -> None:
    lines = [line.split(",") for line in SAMPLE.decode().split()]
    reordered = [
        [*reversed(line), "vendor_score" if n == 0 else "1"] for n, line in enumerate(lines)
    ]
    body = "\n".join(",".join(line) for line in [*reordered, []]).encode()
    assert table(body) == table(SAMPLE)


def test_blank_lines_lose_nothing() -> None:
    body = b"\r\n\r\n".join(SAMPLE.split(b"\r\n"))
    assert table(body) == table(SAMPLE)


def test_a_last_line_without_its_end_is_no_row_though_the_answer_is_as_long_as_it_should_be() -> (
    None
):
    for body in (SAMPLE.rstrip(), SAMPLE[:-4], SAMPLE + b" ", HEADER.encode()):
        with pytest.raises(BrokenResponse, match="AAPL expiring .* ends in the middle of line"):
            read(body)


def test_a_time_that_the_clocks_skip_is_no_row() -> None:
    start, _, price = SAMPLE_ROWS[1].rsplit(",", 2)
    row = f"{start},2024-03-10T02:30:00,{price}"
    with pytest.raises(MalformedResponse, match=f"line 2 .* the line is {row}"):
        read(f"{HEADER}\n{row}\n".encode())


@given(block=st.integers(1, 2000))
def test_rows_do_not_depend_on_where_the_blocks_are_cut(block: int) -> None:
    assert table(SAMPLE, block) == table(SAMPLE)


@pytest.mark.parametrize("batch_size", [1, 7, 1000, 10**9])
def test_batches_hold_1_to_batch_size_rows_of_the_schema_in_order(batch_size: int) -> None:
    body = rows_of(SAMPLE_REQUEST, DAY, 9001)
    batches = read(body, batch_size=batch_size, block=1 << 16)
    assert all(1 <= batch.num_rows <= batch_size for batch in batches)
    assert all(
        batch.schema.equals(schema_of("first_order"), check_metadata=True) for batch in batches
    )
    assert pa.Table.from_batches(batches) == table(body)


@pytest.mark.parametrize("lines", [2_000, 8_000])
@pytest.mark.parametrize("filler", ["", SAMPLE_ROWS[0]], ids=["empty lines", "rows"])
def test_to_find_a_bad_line_takes_about_twice_its_block_and_no_parse_for_each_line(
    monkeypatch: pytest.MonkeyPatch, lines: int, filler: str
) -> None:
    parsed: list[int] = []
    parse = RowReader._parse

    def counted(self: RowReader, block: bytes) -> dict[str, pa.Array]:
        parsed.append(len(block))
        return parse(self, block)

    monkeypatch.setattr(RowReader, "_parse", counted)
    bad = SAMPLE_ROWS[1].replace("0.0721", "oops")
    body = "\n".join([HEADER, *[filler] * lines, bad, *[filler] * lines, ""]).encode()
    with pytest.raises(MalformedResponse, match=f"line {lines + 2} of .*oops"):
        read(body, block=1 << 22)
    assert len(parsed) < 2 * (2 * lines).bit_length()
    assert sum(parsed) < 4 * len(body)


def test_any_number_of_columns_is_an_error_soon() -> None:
    # To count each name among all of them would take a quarter of an hour.
    names = ",".join(f"{number:x}" for number in range(240_000))
    with pytest.raises(MalformedResponse, match="the header has more than 4,096 columns"):
        read(f"{HEADER},{names}\n".encode(), block=1 << 22)
    names = ",".join(f"more_{number}" for number in range(4000))
    with pytest.raises(MalformedResponse, match="names more_7 more than once"):
        read(f"{HEADER},more_7,{names}\n".encode())


def test_empty_lines_without_end_are_an_error() -> None:
    reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
    passed = []
    for _ in range(3):
        pieces = iter([SAMPLE])
        with pytest.raises(MalformedResponse, match="only empty lines follow"):
            list(reader.batches(lambda size: next(pieces, b"\n" * size), 1000))  # noqa: B023 -- read at once
        passed.append(reader.passed)
    # A repeated request gets no further: it must not seem to make progress.
    assert passed[0] == passed[1] == passed[2]


@pytest.mark.parametrize("cell", ["NaN", "nan", "Infinity", "-Infinity", "inf", "null", "1e999"])
def test_a_cell_that_holds_no_number_is_null(cell: str) -> None:
    rows = table(SAMPLE.replace(b"0.0721", cell.encode())).to_pylist()
    assert [row["iv_error"] for row in rows] == [100.0, None, 0.0455]
    assert rows == [
        {**row, "iv_error": rows[n]["iv_error"]} for n, row in enumerate(table(SAMPLE).to_pylist())
    ]


def test_minus_zero_is_zero() -> None:
    body = SAMPLE.replace(b"-0.0141", b"-0.0000")
    assert str(table(body).column("theta")[1].as_py()) == "0.0"


def test_an_empty_numeric_cell_is_null_and_an_empty_key_is_an_error() -> None:
    assert table(SAMPLE.replace(b"55.2930", b"")).column("lambda").to_pylist()[1] is None
    with pytest.raises(MalformedResponse, match="line 3 .*timestamp is empty"):
        read(SAMPLE.replace(b",2024-11-04T09:35:00,0.00", b",,0.00", 1))


BAD = {
    "a missing column": (SAMPLE.replace(b"iv_error,", b""), "line 1 .*lacks iv_error"),
    "a repeated column": (
        SAMPLE.replace(b",underlying_price\r", b",underlying_price,bid\r"),
        "line 1 .*names bid more than once",
    ),
    "a word for a number": (SAMPLE.replace(b"0.0721", b"oops"), "line 3 .*oops"),
    "a number with a unit": (SAMPLE.replace(b"0.0721", b"0.07%"), "line 3 .*0.07%"),
    "a strike that is none": (SAMPLE.replace(b"262.500", b"NaN", 1), "line 2 .*strike is empty"),
    "a strike without end": (SAMPLE.replace(b"262.500", b"1e999", 1), "line 2 .*strike is empty"),
    "the year 1": (
        SAMPLE.replace(b"2024-11-04T09:35:00,220", b"0001-01-01T00:00:00,220"),
        "line 3 .*0001-01-01 00:00:00 where a time of 1990 to 2099",
    ),
    "the year 9999": (
        SAMPLE.replace(b"2024-11-04T09:35:00,220", b"9999-12-31T23:59:59,220"),
        "line 3 .*9999-12-31 23:59:59 where a time of 1990 to 2099",
    ),
    "a short row": (SAMPLE.replace(b",220.66", b""), "line 3 .*Expected 17 columns, got 16"),
    "a long row": (SAMPLE.replace(b"220.66", b"220.66,1"), "line 3 .*Expected 17 columns"),
    "a date without time": (
        SAMPLE.replace(b"2024-11-04T09:35:00,0.00", b"20241104,0.00", 1),
        "line 3 .*timestamp",
    ),
    "a third right": (SAMPLE.replace(b"CALL", b"BOTH", 1), "line 2 .*BOTH where CALL or PUT"),
    "another expiration": (
        SAMPLE.replace(b"2024-11-08", b"2024-11-15", 1),
        "line 2 .*2024-11-15 where 2024-11-08",
    ),
    "another symbol": (SAMPLE.replace(b"AAPL", b"TSLA", 1), "line 2 .*TSLA where AAPL"),
    "another trade date": (
        SAMPLE.replace(b"2024-11-04T09:40:00,0.00", b"2024-11-05T09:40:00,0.00"),
        "line 4 .*2024-11-05 09:40:00 where 2024-11-04",
    ),
    "JSON": (b'{"response": []}', "line 1 .*JSON where CSV"),
    "HTML": (b"<html><body>Bad Gateway</body></html>", "line 1 .*HTML or XML where CSV"),
    "nothing": (b"", "line 1 .*the answer is empty"),
    "bytes that are no text": (SAMPLE.replace(b"AAPL", b"\xff\xfeAA", 1), "line 2 "),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=list(BAD))
def test_a_bad_answer_is_an_error_that_names_the_request_and_the_line(
    body: bytes, expected: str
) -> None:
    with pytest.raises(
        MalformedResponse, match=f"AAPL expiring 2024-11-08 on 2024-11-04: {expected}"
    ):
        read(body, block=64)


def test_a_line_is_named_by_its_place_in_the_whole_answer() -> None:
    lines = rows_of(SAMPLE_REQUEST, DAY, 5000).split(b"\r\n")
    lines[4321] = lines[4321].replace(b"AAPL", b"APPL")
    with pytest.raises(MalformedResponse, match="line 4322 "):
        read(b"\r\n".join(lines), block=4096)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(MalformedResponse, match="a line of more than"):
        read(HEADER.encode() + b"\n" + b"9" * 10_000_000, block=1000)


@pytest.mark.parametrize(
    ("day", "offset"),
    [
        (date(2024, 3, 8), "-05:00"),
        (date(2024, 3, 11), "-04:00"),
        (date(2024, 11, 1), "-04:00"),
        (date(2024, 11, 4), "-05:00"),
    ],
)
def test_timestamps_are_new_york_instants_on_both_daylight_saving_edges(
    day: date, offset: str
) -> None:
    body = SAMPLE.replace(b"2024-11-04", str(day).encode())
    reader = CsvReader(SAMPLE_REQUEST, Part(day, day), V3())
    (batch,) = reader.batches(io.BytesIO(body).read, 1000)
    assert batch.column("timestamp")[0].as_py().isoformat() == f"{day}T09:30:00{offset}"


def test_reading_holds_a_block_and_not_the_answer() -> None:
    line = SAMPLE_ROWS[1].encode() + b"\r\n"

    def endless(rows: int) -> int:
        left = rows

        header = HEADER.encode() + b"\n"

        def read_some(size: int) -> bytes:
            nonlocal left, header
            count = min(left, size // len(line) - 1)
            left -= count
            first, header = header, b""
            return first + line * count

        reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
        tracemalloc.start()
        arrow_before = pa.total_allocated_bytes()
        most = total = 0
        for batch in reader.batches(read_some, 1000):
            total += batch.num_rows
            most = max(most, pa.total_allocated_bytes() - arrow_before)
        most += tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == rows
        return most

    small, large = endless(20_000), endless(160_000)
    assert large < small * 1.1 + 65_536


def test_a_block_is_held_no_longer_than_its_rows_are_looked_at() -> None:
    line = SAMPLE_ROWS[1].encode() + b"\n"
    body = HEADER.encode() + b"\n" + line * 20_000
    reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
    block, asked, most = 1 << 16, 0, 0
    stream = io.BytesIO(body)

    def read(size: int) -> bytes:
        nonlocal asked
        asked += 1
        return stream.read(size)

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in reader.batches(read, 1000, block):
        most = max(most, tracemalloc.get_traced_memory()[0] - before)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert asked == len(body) // block + 2
    # While rows are handed on, only NumPy's columns are there, and not the block.
    numbers = 12 * 8 * block // len(line)
    assert most < block / 2 + numbers
    assert peak < 3 * block + 2 * numbers

"""The compiled code says nothing that Arrow does not say, and keeps to the room that it has."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.answers import HEADER, PIECES, SAMPLE, SAMPLE_REQUEST, SAMPLE_ROWS, rows_of
from tests.support.command import greeks_here
from transforms.market.clock import VARIES, day_offsets
from transforms.model import GreeksRequest
from transforms.native import compiled
from transforms.native.compiled import count_lines
from transforms.orders import schema_of
from transforms.sinks.csv_rows import RowEncoder
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Part
from transforms.thetadata.fast_csv import PlainLines
from transforms.thetadata.row_reader import RowReader
from transforms.thetadata.v3 import V3

pytestmark = pytest.mark.skipif(
    not compiled.AVAILABLE and shutil.which("cc") is None, reason="there is no C compiler"
)

DAY = date(2024, 11, 4)
COLUMNS = HEADER.split(",")


def asked(greeks: str) -> GreeksRequest:
    interval = "eod" if greeks == "eod" else "5m"
    return GreeksRequest("AAPL", date(2024, 11, 8), (DAY,), interval, greeks)


def by_arrow(rows: bytes, greeks: str = "first_order") -> pa.RecordBatch:
    """What the reader that knows all of CSV makes of rows; an error if it makes nothing."""
    reader = RowReader(schema_of(greeks).names, asked(greeks), Part(DAY, DAY), V3())
    return reader._typed(reader._parse(rows))


def compiled_rows(
    rows: bytes,
    columns: Sequence[str] = COLUMNS,
    part: Part = Part(DAY, DAY),  # noqa: B008 -- a frozen value
    greeks: str = "first_order",
) -> pa.RecordBatch | None:
    return PlainLines(columns, asked(greeks), part, V3()).read(rows, count_lines(rows))


def test_it_is_there_where_there_is_a_c_compiler() -> None:
    assert compiled.AVAILABLE


# What a Terminal may print: up to fifteen digits, a sign, some zeros too many.
decimals = st.builds(
    lambda sign, whole, decimals: f"{sign}{whole}{decimals}",
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "00", "5147", "0123456789"]) | st.integers(0, 99_999).map(str),
    st.just("") | st.text("0123456789", min_size=1, max_size=5).map(lambda digits: f".{digits}"),
)
times = st.builds(
    lambda gap, second, fraction: (
        f"{DAY}{gap}{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{fraction}"
    ),
    st.sampled_from("T "),
    st.integers(0, 86_399),
    st.just("") | st.text("0123456789", min_size=1, max_size=3).map(lambda digits: f".{digits}"),
)
plain_rows = st.lists(
    st.builds(
        lambda quote, strike, right, stamp, numbers, priced, price, end: (
            ",".join(
                [
                    f"{quote}AAPL{quote}",
                    f"{quote}2024-11-08{quote}",
                    strike,
                    f"{quote}{right}{quote}",
                    f"{quote}{stamp}{quote}",
                    *numbers,
                    priced,
                    price,
                ]
            )
            + end
        ),
        st.sampled_from(["", '"']),
        decimals,
        st.sampled_from(["CALL", "PUT", "C", "P"]),
        times,
        st.lists(decimals, min_size=10, max_size=10),
        times,
        decimals,
        st.sampled_from(["\n", "\r\n"]),
    ),
    min_size=1,
    max_size=6,
)


@given(rows=plain_rows, ended=st.booleans())
def test_plain_rows_are_read_as_arrow_reads_them(rows: list[str], ended: bool) -> None:
    text = "".join(rows).encode()
    text = text if ended else text.rstrip()
    found = compiled_rows(text)
    assert found is not None
    assert found.equals(by_arrow(text))
    for name in found.schema.names:
        if pa.types.is_floating(found.schema.field(name).type):
            assert not np.signbit(found[name].to_numpy()[found[name].to_numpy() == 0]).any()


ROWS = "".join(f"{row}\n" for row in SAMPLE_ROWS).encode()


@settings(max_examples=2000, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(ROWS)), st.integers(0, 20), st.sampled_from(PIECES)),
        min_size=1,
        max_size=3,
    )
)
# Ten NULs are not the date that was never read.
@example(edits=[(ROWS.index(b"2024-11-04"), 10, b"\x00" * 10)])
def test_whatever_else_comes_it_refuses_or_reads_as_arrow_does(
    edits: list[tuple[int, int, bytes]],
) -> None:
    text = ROWS
    for place, length, piece in edits:
        text = text[:place] + piece + text[place + length :]
    found = compiled_rows(text)
    if found is not None:
        # Arrow must take it, too: an error here fails the test.
        assert found.equals(by_arrow(text))


REFUSED = {
    "another symbol": (b"AAPL,", b"AAPLX,"),
    "half a quote": (b"AAPL,", b'"AAPL,'),
    "another expiration": (b"2024-11-08", b"2024-11-09"),
    "another trade date": (b"2024-11-04T09:35:00,0.00", b"2024-11-05T09:35:00,0.00"),
    "no such day": (b"2024-11-04T09:35:00,0.00", b"2024-11-31T09:35:00,0.00"),
    "a third right": (b"CALL", b"CALLS"),
    "an empty cell": (b"55.2930", b""),
    "an exponent": (b"55.2930", b"5e1"),
    "a plus": (b"55.2930", b"+5"),
    "a point without decimals": (b"55.2930", b"5."),
    "more digits than a float64 holds": (b"55.2930", b"0.1234567890123456789"),
    "microseconds": (b"09:35:00,0.00", b"09:35:00.123456,0.00"),
    "a short row": (b",220.66", b""),
    "a long row": (b"220.66", b"220.66,1"),
    "an empty line": (b"220.66", b"220.66\n"),
    "a line feed of its own kind": (b"220.66\n", b"220.66\r"),
}


@pytest.mark.parametrize(("old", "new"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_not_plain_is_refused(old: bytes, new: bytes) -> None:
    assert old in ROWS
    assert compiled_rows(ROWS) is not None
    assert compiled_rows(ROWS.replace(old, new)) is None


def test_columns_that_are_not_asked_for_are_passed_over_wherever_they_are() -> None:
    lines = [[cell, "x y"] for cell in reversed(ROWS.decode().split("\n")[0].split(","))]
    columns = [name for each in reversed(COLUMNS) for name in (each, f"{each}_more")]
    text = ",".join(cell for pair in lines for cell in pair).encode()
    found = compiled_rows(text, columns)
    assert found is not None
    assert found.equals(by_arrow(ROWS.split(b"\n")[0]))
    assert compiled_rows(text.replace(b"x y", b'"x,y"', 1), columns) is None


def test_whole_numbers_are_read_as_their_type_or_refused() -> None:
    names = schema_of("eod").names
    cells = dict.fromkeys(names, "1")
    cells |= {"symbol": "AAPL", "expiration": "2024-11-08", "right": "PUT"}
    cells |= {"timestamp": f"{DAY}T15:59:59.828", "underlying_timestamp": f"{DAY}T17:15:28.71"}
    cells |= {"volume": "999999999999999999", "bid_exchange": "-42", "count": "-7"}
    text = ",".join(cells[name] for name in names).encode()
    found = compiled_rows(text, names, greeks="eod")
    assert found is not None
    assert found.equals(by_arrow(text, "eod"))
    assert compiled_rows(text.replace(b"-42", b"3000000000"), names, greeks="eod") is None
    assert compiled_rows(text.replace(b"-42", b"4.2"), names, greeks="eod") is None


def test_times_of_both_sides_of_a_change_of_clocks_are_read_and_of_its_day_refused() -> None:
    first, last = date(2024, 11, 1), date(2024, 11, 4)
    summer, _, sunday, winter = day_offsets(first, last).tolist()
    assert (summer, sunday, winter) == (-4 * 3_600_000, VARIES, -5 * 3_600_000)
    part = Part(first, last)
    for day, read in (("2024-11-01", True), ("2024-11-03", False), ("2024-11-04", True)):
        text = ROWS.replace(b"2024-11-04", day.encode())
        found = compiled_rows(text, part=part)
        assert (found is not None) == read
        if found is not None:
            assert str(found["timestamp"][0].as_py()) == (
                f"{day} 09:30:00-0{5 - (day < '2024-11-03')}:00"
            )


@given(st.lists(st.integers(0, 3), max_size=30))
def test_lines_are_counted(lengths: list[int]) -> None:
    text = "\n".join("x" * length for length in lengths).encode()
    assert compiled.count_lines(text) == text.count(b"\n")


def test_nothing_is_read_or_written_beyond_the_room_that_there_is() -> None:
    days = (0, 30_000, 0, np.zeros(30_000, np.int32))
    key = (b"A", b"2024-11-08")
    line = b"1.5,2.5\n"
    out = bytearray(48)

    def read(text: bytes, kinds: bytes, places: tuple[int, ...], most: int) -> int | None:
        return compiled.read_rows(text, kinds, places, key, days, out, most)

    assert read(line * 3, b"dd", (0, 24), 3) == 3
    assert np.frombuffer(out).tolist() == [1.5] * 3 + [2.5] * 3
    assert read(line * 4, b"dd", (0, 24), 3) is None
    for kinds, places, most in (
        (b"dd", (0, 32), 3),
        (b"dd", (0, -8), 3),
        (b"dd", (0, 4), 1),
        (b"dd", (0,), 1),
        (b"dd", (0, 24), -1),
        (b"", (), 1),
        (b"dd", (0, 1 << 62), 1),
    ):
        with pytest.raises(ValueError, match="column|place"):
            read(line, kinds, places, most)
    # A text that ends in the middle of anything.
    for end in range(len(ROWS)):
        compiled_rows(ROWS[:end])


numbers = (
    st.integers(-140_000, 140_000).map(lambda number: number / 10_000)
    | st.integers(-(10**15), 10**15).map(lambda number: number / 10_000)
    | st.integers(-(10**6), 10**6).map(lambda number: number / 10**8)
    | st.sampled_from([0.1, 0.0, 1e22, 1e-7, 5e-324, 0.30000000000000004, 99999999999.9999])
    | st.floats(allow_nan=False, allow_infinity=False)
).map(lambda number: number + 0.0)  # rows hold no minus zero
SPRING = 1_710_054_000_000  # 2024-03-10 07:00 UTC, when New York's clocks go forward


@given(
    rows=st.lists(
        st.tuples(
            numbers,
            st.integers(-(2**63), 2**63 - 1),
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-86_400_000, 86_400_000),
            st.integers(0, 2_932_896),
            st.sampled_from(["", "C", "SPXW", "É"]),
        ),
        min_size=1,
        max_size=20,
    ),
    start=st.integers(0, 20),
)
def test_rows_are_printed_as_arrow_prints_them(
    rows: list[tuple[float, int, int, int, int, str]], start: int
) -> None:
    kinds = (pa.float64(), pa.int64(), pa.int32(), pa.int64(), pa.int32(), pa.string())
    decimal, long, short, time, days, text = (
        pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)
    )
    instants = pa.array(time.to_numpy() + SPRING).cast(pa.timestamp("ms", "America/New_York"))
    whole = pa.table(
        {"d": decimal, "l": long, "i": short, "t": instants, "D": days.cast(pa.date32()), "u": text}
    )
    cut = whole.slice(min(start, len(rows) - 1))
    printed = bytes(RowEncoder().encode(cut))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "AVAILABLE", False)
        assert printed == bytes(RowEncoder().encode(cut))


def printed(*columns: tuple[object, ...], rows: int = 1, shift: int = 0) -> bytes | None:
    out = bytearray()
    size = compiled.print_rows(columns, rows, shift, out)
    return None if size is None else bytes(out[:size])


def test_what_can_not_be_printed_plainly_is_refused() -> None:
    for number, text in ((0.0, b"0\n"), (1e10, b"10000000000\n"), (12.5, b"12.5\n")):
        assert printed(("d", np.array([number]), None)) == text
    for number in (0.30000000000000004, 1e22, np.nan, np.inf, 1e-9):
        assert printed(("d", np.array([number]), None)) is None
    assert printed(("t", np.array([-1]), None)) is None
    assert printed(("D", np.array([2_932_897], np.int32), None)) is None
    for letters in (b"a,b", b'a"b', b"a\nb"):
        ends = np.array([0, len(letters)], np.int32)
        assert printed(("u", ends, letters)) is None


def test_what_was_printed_before_is_not_pulled_away_from_who_still_looks_at_it() -> None:
    out = bytearray()
    column = ("d", np.arange(100.0), None)
    size = compiled.print_rows((column,), 1, 0, out)
    view = memoryview(out)[:size]
    with pytest.raises(BufferError):
        compiled.print_rows((column,), 100, 0, out)
    assert bytes(view) == b"0\n"


def test_a_column_that_has_less_than_it_should_is_an_error() -> None:
    ends = np.array([0, 3], np.int32)
    for column in (
        ("d", np.zeros(1), None),
        ("i", np.zeros(1, np.int32), None),
        ("u", ends, b"abc"),
    ):
        with pytest.raises(ValueError, match="too few values"):
            printed(column, rows=2)
    for ends, letters in (
        (np.array([0, 3], np.int32), b"ab"),
        (np.array([2, 1], np.int32), b"ab"),
        (np.array([-1, 1], np.int32), b"ab"),
        (np.array([0, 1], np.int32), None),
    ):
        with pytest.raises(ValueError, match="does not end where it should"):
            printed(("u", ends, letters))
    with pytest.raises(ValueError, match="no such kind"):
        printed(("x", np.zeros(1), None))
    with pytest.raises(ValueError, match="minutes"):
        printed(("t", np.zeros(1, np.int64), None), shift=1)


_ARROW_ALONE = """\
import sys
# As where they were not built.
sys.modules["transforms.native._text"] = None
from pipeline.__main__ import run
sys.exit(run())
"""


@pytest.mark.parametrize("file_format", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_without_the_compiled_code_files_and_findings_are_the_same(
    tmp_path: Path, file_format: str
) -> None:
    flags = (
        *("download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--max_dte", "4"),
        *("--interval", "15m", "--terminal", "embedded", "--format", file_format),
    )
    greeks_here(tmp_path, *flags, "--output", "compiled", "--metrics", "compiled.runs")
    arrow = [sys.executable, "-c", _ARROW_ALONE, *flags, "--output", "arrow"]
    arrow += ["--metrics", "arrow.runs"]
    subprocess.run(arrow, cwd=tmp_path, check=True, timeout=240, capture_output=True)
    files = {
        name: {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in sorted((tmp_path / name).rglob("*.*"))
        }
        for name in ("compiled", "arrow")
    }
    assert len(files["arrow"]) >= 3
    assert files["compiled"] == files["arrow"]
    found = {}
    for name in files:
        (record,) = [
            json.loads(path.read_text())
            for path in tmp_path.glob(f"{name}.runs/pipeline-run-*.json")
        ]
        assert record["versions"]["csv"] == name
        found[name] = [result["quality"] for result in record["expirations"]]
    assert found["compiled"] == found["arrow"]
    assert found["arrow"][0]["statistics"]["zero_bids"]["count"] > 0


def test_an_answer_of_plain_rows_is_read_by_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: RowReader, _block: bytes) -> dict[str, pa.Array]:
        raise AssertionError("Arrow was asked")

    monkeypatch.setattr(RowReader, "_parse", refuse)
    for body in (SAMPLE, rows_of(SAMPLE_REQUEST, DAY, 9001)):
        reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
        batches = list(reader.batches(io.BytesIO(body).read, 1000))
        assert sum(batch.num_rows for batch in batches) == body.count(b"\n") - 1

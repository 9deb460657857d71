"""Whatever arrives, there are two outcomes: the rows that the text denotes, or a named error."""

import csv
import io
import math
import random
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.answers import PIECES, SAMPLE, SAMPLE_REQUEST
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Part
from transforms.thetadata.errors import BrokenResponse, MalformedResponse
from transforms.thetadata.v3 import V3

DAY = date(2024, 11, 4)
EMPTY = ("null", "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf")
NEW_YORK = ZoneInfo("America/New_York")
CASES = 10_000

EDITS = st.lists(
    st.tuples(
        st.integers(0, len(SAMPLE)),
        st.integers(0, 40),
        st.sampled_from(PIECES) | st.binary(max_size=3),
    ),
    min_size=1,
    max_size=4,
)


def mutated(edits: list[tuple[int, int, bytes]], body: bytes = SAMPLE) -> bytes:
    for place, length, piece in edits:
        body = body[:place] + piece + body[place + length :]
    return body


def number(cell: str) -> float | None:
    value = math.nan if cell == "null" else float(cell)
    return value + 0.0 if math.isfinite(value) else None


def oracle(body: bytes) -> list[dict[str, object]]:
    """The rows by Python's own csv, float and datetime: nothing of pyarrow."""
    header, *lines = csv.reader(io.StringIO(body.decode(), newline=""))
    rows = []
    for line in lines:
        if not line:
            continue
        cells = dict(zip(header, line, strict=True))
        row: dict[str, object] = {}
        for name, cell in cells.items():
            if name in ("symbol", "expiration", "right"):
                # Arrow trims dates.
                row[name] = cell[:1] if name == "right" else cell.strip(" ")
            elif not cell or (name == "underlying_timestamp" and cell in EMPTY):
                row[name] = None
            elif name in ("timestamp", "underlying_timestamp"):
                seconds, _, fraction = cell.partition(".")
                microseconds = int((fraction or "0").ljust(6, "0"))
                at = datetime.fromisoformat(seconds).replace(tzinfo=NEW_YORK)
                row[name] = at.replace(microsecond=microseconds)
            elif name in KNOWN:
                row[name] = number(cell)
        rows.append(row)
    return rows


KNOWN = set(SAMPLE.split(b"\r\n")[0].decode().split(","))


def check(body: bytes, block: int) -> None:
    reader = CsvReader(SAMPLE_REQUEST, Part(DAY, DAY), V3())
    try:
        batches = list(reader.batches(io.BytesIO(body).read, 1000, block))
    except (MalformedResponse, BrokenResponse) as error:
        assert "line" in str(error)
        return
    found = [row for batch in batches for row in batch.to_pylist()]
    for row in found:
        row["expiration"] = str(row["expiration"])
    expected = [{name: row[name] for name in found[0]} for row in oracle(body) if found]
    assert found == expected


@pytest.mark.parametrize(
    "part", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 10))]
)
def test_10000_mutated_answers_give_the_rows_that_they_denote_or_a_named_error(part: int) -> None:
    for seed in range(part * CASES // 10, (part + 1) * CASES // 10):
        chance = random.Random(seed)
        edits = [
            (
                chance.randrange(len(SAMPLE) + 1),
                chance.choice((0, 0, 1, 1, 5, 40)),
                chance.choice((*PIECES, chance.randbytes(2))),
            )
            for _ in range(chance.randint(1, 4))
        ]
        try:
            check(mutated(edits), chance.choice((100, 333, 1 << 18)))
        except BaseException:
            print(f"seed {seed}: {edits}")
            raise


@settings(suppress_health_check=list(HealthCheck))
@given(edits=EDITS, block=st.sampled_from([16, 100, 333, 1 << 18]))
# A last line of one space is a line.
@example(edits=[(len(SAMPLE), 0, b" ")], block=16)
# A time that holds no time is empty, as a number is.
@example(edits=[(403, 27, b",NaN,")], block=333)
def test_what_hypothesis_thinks_of_too(edits: list[tuple[int, int, bytes]], block: int) -> None:
    check(mutated(edits), block)

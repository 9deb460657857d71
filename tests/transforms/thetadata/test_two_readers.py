"""The compiled reader and Arrow's make the same of every answer: equal rows or an equal error."""

import io
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.answers import PIECES, SAMPLE, SAMPLE_REQUEST, SAMPLE_ROWS, as_v2, rows_of
from tests.transforms.thetadata.test_fuzz import EDITS, mutated
from transforms.native import compiled
from transforms.thetadata.csv_reader import CsvReader
from transforms.thetadata.dialect import Dialect, Part
from transforms.thetadata.errors import ThetaError
from transforms.thetadata.fast_csv import PlainLines
from transforms.thetadata.v2 import V2
from transforms.thetadata.v3 import V3

pytestmark = pytest.mark.skipif(not compiled.AVAILABLE, reason="there is no compiled code here")

DAY = date(2024, 11, 4)
V2_SAMPLE = as_v2(SAMPLE)
V2_HEADER, *V2_ROWS = V2_SAMPLE.decode().split("\n")[:-1]


def read(
    body: bytes,
    block: int,
    part: Part,
    dialect: Dialect = V3(),  # noqa: B008 -- it has no state
) -> tuple[list[pa.RecordBatch], str]:
    """The rows that were passed on, and the error that ended them."""
    reader = CsvReader(SAMPLE_REQUEST, part, dialect)
    batches: list[pa.RecordBatch] = []
    try:
        batches.extend(reader.batches(io.BytesIO(body).read, 1000, block))
    except ThetaError as error:
        return batches, f"{type(error).__name__}: {error}"
    return batches, ""


def agree(
    body: bytes,
    block: int = 1 << 20,
    part: Part = Part(DAY, DAY),  # noqa: B008 -- a frozen value
    dialect: Dialect = V3(),  # noqa: B008 -- it has no state
) -> list[pa.RecordBatch]:
    found = read(body, block, part, dialect)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "AVAILABLE", False)
        assert read(body, block, part, dialect) == found
    return found[0]


def widened(body: bytes, columns: int, cell: str) -> bytes:
    """The answer with more columns, of which nobody knows."""
    header, *lines = body.decode("latin-1").replace("\r\n", "\n").removesuffix("\n").split("\n")
    header += "".join(f",more_{number}" for number in range(columns))
    return "".join(
        f"{line}\n" for line in [header, *(row + f",{cell}" * columns for row in lines)]
    ).encode("latin-1")


@settings(suppress_health_check=list(HealthCheck))
@given(
    edits=EDITS,
    block=st.sampled_from([16, 100, 333, 1 << 18]),
    columns=st.sampled_from([0, 1, 120, 400]),
    part=st.sampled_from([Part(DAY, DAY), Part(DAY, DAY, "call"), Part(DAY, DAY, None, "262.500")]),
)
@example(edits=[(len(SAMPLE), 0, b"\n\n")], block=16, columns=0, part=Part(DAY, DAY, "put"))
def test_a_mutated_answer_is_the_same_to_both(
    edits: list[tuple[int, int, bytes]], block: int, columns: int, part: Part
) -> None:
    body = mutated(edits)
    agree(widened(body, columns, "x") if columns else body, block, part)


@given(
    row=st.sampled_from(SAMPLE_ROWS),
    place=st.integers(0, 16),
    cell=st.sampled_from([piece.decode("latin-1") for piece in PIECES])
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.decimals(allow_nan=True).map(str)
    | st.datetimes().map(lambda moment: moment.isoformat()),
)
def test_any_cell_in_any_place_is_the_same_to_both(row: str, place: int, cell: str) -> None:
    cells = row.split(",")
    cells[place] = cell
    agree(
        "\r\n".join([SAMPLE.decode().split("\r\n")[0], *SAMPLE_ROWS, ",".join(cells), ""]).encode()
    )


@settings(suppress_health_check=list(HealthCheck))
@given(
    edits=EDITS,
    block=st.sampled_from([16, 100, 1 << 18]),
    part=st.sampled_from([Part(DAY, DAY), Part(DAY, DAY, "call"), Part(DAY, DAY, None, "262.500")]),
)
def test_a_mutated_v2_answer_is_the_same_to_both(
    edits: list[tuple[int, int, bytes]], block: int, part: Part
) -> None:
    agree(mutated(edits, V2_SAMPLE), block, part, V2())


@given(
    row=st.sampled_from(V2_ROWS),
    place=st.integers(0, 17),
    cell=st.sampled_from([piece.decode("latin-1") for piece in PIECES])
    | st.sampled_from(["CALL", "PUT", '"C"', "P", "20241104", "20241105", "20240230", "0", "-0"])
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.integers(0, 86_400_000).map(str)
    | st.dates().map(lambda day: f"{day:%Y%m%d}"),
)
def test_any_cell_in_any_place_of_v2_is_the_same_to_both(row: str, place: int, cell: str) -> None:
    cells = row.split(",")
    cells[place] = cell
    agree("\n".join([V2_HEADER, *V2_ROWS, ",".join(cells), ""]).encode(), dialect=V2())


@pytest.mark.parametrize("day", [date(2024, 11, 3), date(2024, 11, 4)])
def test_rows_of_v2_on_the_day_the_clocks_change_are_the_same_to_both(day: date) -> None:
    part = Part(date(2024, 11, 3), DAY)
    body = as_v2(rows_of(SAMPLE_REQUEST, day, 800))
    assert sum(batch.num_rows for batch in agree(body, part=part, dialect=V2())) == 800


def test_the_rows_of_both_generations_are_the_same() -> None:
    body = rows_of(SAMPLE_REQUEST, DAY, 800)
    assert agree(body) == agree(as_v2(body), dialect=V2())


@pytest.mark.parametrize("columns", [111, 112, 300, 4000])
def test_any_number_of_columns_is_the_same_to_both(columns: int) -> None:
    batches = agree(widened(SAMPLE, columns, "1.5"))
    assert sum(batch.num_rows for batch in batches) == 3


@pytest.mark.parametrize(
    "part", [Part(DAY, DAY, "put"), Part(DAY, DAY, "call"), Part(DAY, DAY, None, "5005.000")]
)
def test_rows_that_a_part_did_not_ask_for_are_an_error_to_both(part: Part) -> None:
    body = rows_of(SAMPLE_REQUEST, DAY, 800)
    assert agree(body, part=part) == []
    _, error = read(body, 1 << 20, part)
    assert (
        "where C was expected" in error or "where P was expected" in error or "where 5005" in error
    )


@pytest.mark.parametrize(("body", "dialect"), [(SAMPLE, V3()), (V2_SAMPLE, V2())])
def test_the_plain_rows_of_either_generation_are_read_by_compiled_code(
    body: bytes, dialect: Dialect
) -> None:
    header, _, rows = body.partition(b"\n")
    columns = header.decode().rstrip().split(",")
    lines = PlainLines(columns, SAMPLE_REQUEST, Part(DAY, DAY), dialect)
    assert lines.read(rows, 3) is not None

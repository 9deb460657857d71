from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pytest

from transforms.quality.columns import UNKNOWN, arrays, milliseconds

MOMENT = datetime(2024, 3, 14, 13, 30, 0, 250_000, timezone.utc)
MS = 1_710_423_000_250


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_are_milliseconds(unit: str) -> None:
    moment = MOMENT.replace(microsecond=0) if unit == "s" else MOMENT
    column = pa.array([moment], pa.timestamp(unit, "America/New_York"))
    assert milliseconds(column).tolist() == [MS - MS % 1000 if unit == "s" else MS]


def test_a_time_that_is_not_there_is_unknown() -> None:
    column = pa.array([MOMENT, None], pa.timestamp("ms", "UTC"))
    assert milliseconds(column).tolist() == [MS, UNKNOWN]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int32()])
def test_numbers_of_any_type_are_floats_and_nan_where_there_is_none(kind: pa.DataType) -> None:
    found = arrays(pa.table({"bid": pa.array([2, None], kind)}))["bid"]
    assert found.dtype == np.float64
    assert found[0] == 2
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), "string")]
)
@pytest.mark.parametrize("rights", [["C", "P", "C"], ["P"], []])
def test_a_right_is_whether_it_is_a_call_in_any_type_and_any_slice(
    kind: pa.DataType, rights: list[str]
) -> None:
    calls = [right == "C" for right in rights]
    column = pa.array(["P", *rights], pa.string()).cast(kind)
    for table in (
        pa.table({"right": column.slice(1)}),
        pa.table({"right": pa.chunked_array([column.slice(0, 0), column.slice(1)])}),
    ):
        assert arrays(table)["right"].tolist() == calls


def test_of_other_columns_only_one_that_lacks_a_number_is_there() -> None:
    table = pa.table({"bid_exchange": [1, None], "ask_exchange": [1, 2], "condition": ["a", None]})
    found = arrays(table)
    assert found.keys() == {"bid_exchange"}
    assert found["bid_exchange"][0] == 0
    assert np.isnan(found["bid_exchange"][1])


def test_an_array_without_a_null_is_seen_where_it_lies_and_a_slice_from_its_start() -> None:
    column = pa.array([1.0, 2.0, 3.0])
    whole = arrays(pa.table({"ask": column}))["ask"]
    assert whole.__array_interface__["data"][0] == column.buffers()[1].address
    assert arrays(pa.record_batch({"ask": column.slice(1, 2)}))["ask"].tolist() == [2.0, 3.0]

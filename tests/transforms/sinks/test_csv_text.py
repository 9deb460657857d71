from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sinks.csv_text import decimal_text, timestamp_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (115.20, "115.2"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.10000000000000002, "0.10000000000000002"),
        (262.5, "262.5"),
        (5123.0, "5123"),
        (0.00001, "0.00001"),
        (-1e-7, "-0.0000001"),
        (123456789012.1234, "123456789012.1234"),
        (-2394.8608, "-2394.8608"),
        (1e22, "10000000000000000000000"),
        (None, None),
    ],
)
def test_numbers_are_plain_decimals(value: float | None, text: str | None) -> None:
    assert decimal_text(pa.array([1.5, value], pa.float64())).to_pylist() == ["1.5", text]


@given(st.lists(st.none() | st.integers(1_300_000_000_000, 1_900_000_000_000)))
def test_times_are_printed_as_if_each_stood_alone(instants: list[int | None]) -> None:
    values = pa.array(instants, pa.int64()).cast(pa.timestamp("ms", "America/New_York"))
    alone = [timestamp_text(values.slice(n, 1))[0] for n in range(len(values))]
    assert list(timestamp_text(values)) == alone


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_the_text_reads_back_as_the_same_number(values: list[float | None]) -> None:
    for value, text in zip(
        values, decimal_text(pa.array(values, pa.float64())).to_pylist(), strict=True
    ):
        if value is None:
            assert text is None
        else:
            assert float(text) == value
            assert "e" not in text
            assert "." not in text or not text.endswith("0")
            assert Decimal(text) == Decimal(repr(value))


def test_timestamps_carry_the_offset_of_their_day() -> None:
    zone = pa.timestamp("ms", "America/New_York")
    instants = pa.array([1709908200000, 1710163800123, None], pa.int64()).cast(zone)
    assert timestamp_text(instants).to_pylist() == [
        "2024-03-08T09:30:00.000-05:00",
        "2024-03-11T09:30:00.123-04:00",
        None,
    ]

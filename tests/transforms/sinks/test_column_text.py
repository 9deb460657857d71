import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.sinks.column_text import Decimals, Timestamps
from transforms.sinks.csv_text import decimal_text, timestamp_text

ZONED = pa.timestamp("ms", "America/New_York")

decimals = st.integers(-140_000, 140_000).map(lambda number: number / 10_000)
few = st.sampled_from([5150.0, 4775.0, 0.05, 1e22, 1e-7])
anything = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
blocks = st.lists(
    st.one_of(*(st.lists(kind, max_size=30) for kind in (decimals, few, anything))), max_size=40
)


@given(blocks)
def test_every_way_to_print_a_column_gives_the_same_text(columns: list[list[float]]) -> None:
    decimals = Decimals()
    for numbers in columns:
        values = pa.array(numbers, pa.float64())
        assert decimals.text(values).equals(decimal_text(values))


def test_every_entry_of_the_table_is_the_number_it_stands_for() -> None:
    numbers = np.arange(-131_071, 131_072) / 10_000
    text = Decimals().text(pa.array(numbers)).to_pylist()
    assert [float(entry) for entry in text] == numbers.tolist()
    assert text[131_071] == "0"


def test_a_number_next_to_a_decimal_keeps_all_its_digits() -> None:
    values = pa.array([0.1, np.nextafter(0.1, 1), 13.1072, -13.1072])
    assert Decimals().text(values).to_pylist() == [
        "0.1",
        "0.10000000000000002",
        "13.1072",
        "-13.1072",
    ]


def test_null_numbers_and_times_stay_null() -> None:
    assert Decimals().text(pa.array([1.5, None])).to_pylist() == ["1.5", None]
    times = pa.array([0, None], pa.int64()).cast(ZONED)
    assert Timestamps().text(times).to_pylist()[1] is None


@given(st.lists(st.lists(st.integers(1_300_000_000_000, 1_900_000_000_000)), max_size=8))
def test_times_are_printed_as_if_each_stood_alone(columns: list[list[int]]) -> None:
    timestamps = Timestamps()
    for instants in columns:
        values = pa.array(instants, pa.int64()).cast(ZONED)
        assert timestamps.text(values).equals(timestamp_text(values))


def test_what_is_known_of_times_does_not_grow_with_the_rows() -> None:
    timestamps = Timestamps()
    for block in range(50):
        ticks = np.arange(block * 1000, block * 1000 + 1000) + 1_700_000_000_000
        timestamps.text(pa.array(ticks).cast(ZONED))
    assert len(timestamps._known) < 20_000

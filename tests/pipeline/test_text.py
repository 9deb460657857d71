import pytest

from pipeline.text import count, size_text, time_text


def test_sizes_are_in_powers_of_1000() -> None:
    texts = [size_text(size) for size in (0, 999, 1000, 2_500_000, 3e9, 4e12, 5e15)]
    assert texts == ["0 B", "999 B", "1.0 kB", "2.5 MB", "3.0 GB", "4.0 TB", "5000.0 TB"]


def test_times_read_as_on_a_clock() -> None:
    assert [time_text(s) for s in (None, 0.4, 59.6, 3600)] == ["?", "0:00", "1:00", "1:00:00"]


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "expiration", "1 expiration"),
        (0, "trade date", "0 trade dates"),
        (1_234, "retry", "1,234 retries"),
        (2, "day", "2 days"),
        (2, "address", "2 addresses"),
        (3, "batch", "3 batches"),
    ],
)
def test_a_count_has_its_noun_in_the_right_form(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text

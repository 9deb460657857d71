"""The fast printing against Python's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.simulator.text import Number, RowPart, render, texts


def plain(scaled: int, decimals: int) -> str:
    whole, fraction = divmod(abs(scaled), 10**decimals)
    return f"{'-' if scaled < 0 else ''}{whole}.{fraction:0{decimals}d}"


@pytest.mark.parametrize("decimals", [2, 4])
@pytest.mark.parametrize("digits", [2, 5, 8, 9, 12, 15])
@settings(max_examples=30)
@given(data=st.data())
def test_every_number_is_printed_as_python_prints_it(
    digits: int, decimals: int, data: st.DataObject
) -> None:
    limit = 10**digits
    numbers = data.draw(st.lists(st.integers(-limit, limit), min_size=1, max_size=20))
    text = render([Number(np.array([numbers]), decimals), b"\n"], 1, len(numbers))
    assert text.decode().splitlines() == [plain(number, decimals) for number in numbers]


def shortest(scaled: int, decimals: int) -> str:
    if not decimals:
        return str(scaled)
    text = plain(scaled, decimals).rstrip("0").rstrip(".")
    return text or "0"


@pytest.mark.parametrize("decimals", [0, 2, 4])
@pytest.mark.parametrize("digits", [2, 5, 8, 9, 12, 15])
@settings(max_examples=30)
@given(data=st.data())
def test_every_number_can_be_printed_without_trailing_zeros(
    digits: int, decimals: int, data: st.DataObject
) -> None:
    limit = 10**digits
    round_ = st.integers(-digits, digits).map(lambda n: n * 10**decimals)
    numbers = data.draw(st.lists(st.integers(-limit, limit) | round_, min_size=1, max_size=20))
    piece = Number(np.array([numbers]), decimals, shortest=True)
    text = render([piece, b"\n"], 1, len(numbers))
    assert text.decode().splitlines() == [shortest(number, decimals) for number in numbers]


def test_whole_numbers_have_no_point() -> None:
    piece = Number(np.array([[0, -7, 7, 43200000, 99_999_999, 123_456_789]]), 0)
    assert render([piece, b" "], 1, 6) == b"0 -7 7 43200000 99999999 123456789 "


def test_a_text_may_belong_to_a_single_row() -> None:
    table = texts([b"a", b"bcd", b"", b"ef"], 2, 2)
    pieces: list[RowPart] = [texts([b"x", b"y"], -1, 1), table, b";"]
    assert render(pieces, 2, 2) == b"xa;xbcd;y;yef;"


def test_zero_has_no_sign_and_small_negatives_have_one() -> None:
    assert render([Number(np.array([[0, -1, 1]]), 4), b" "], 1, 3) == b"0.0000 -0.0001 0.0001 "


def test_rows_go_contract_by_contract_and_then_instant_by_instant() -> None:
    pieces: list[RowPart] = [
        texts([b"a,", b"bcd,"], -1, 1),
        texts([b"9:30", b"10:00"], 1, -1),
        b",",
        Number(np.array([[1, -20_000_000], [123_456, 9_999]]), 2),
        b"\r\n",
    ]
    assert render(pieces, 2, 2) == (
        b"a,9:30,0.01\r\na,10:00,-200000.00\r\nbcd,9:30,1234.56\r\nbcd,10:00,99.99\r\n"
    )


def test_many_contracts_are_printed_like_a_few() -> None:
    contracts, instants = 301, 79
    numbers = np.arange(contracts * instants).reshape(contracts, instants) * 37 - 100_000
    names = [str(n).encode() for n in range(contracts)]
    text = render([texts(names, -1, 1), b":", Number(numbers, 4), b"\n"], contracts, instants)
    expected = [f"{n // instants}:{plain(n * 37 - 100_000, 4)}" for n in range(numbers.size)]
    assert text.decode().splitlines() == expected


def test_many_instants_are_printed_like_a_few() -> None:
    contracts, instants = 2, 5000
    numbers = np.arange(contracts * instants).reshape(contracts, instants)
    stamps = texts([str(n).encode() for n in range(instants)], 1, -1)
    text = render([stamps, b":", Number(numbers, 2), b"\n"], contracts, instants)
    expected = [f"{n % instants}:{plain(n, 2)}" for n in range(numbers.size)]
    assert text.decode().splitlines() == expected

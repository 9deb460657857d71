"""The digits of many numbers at once, as machine words: what `text` writes into its rows.

A number is some words, one after the other, each at its place in the field; zero bytes stand
where a shorter number has nothing.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.arrays import Flags, Ints

Words = Sequence[tuple[int, NDArray[Any]]]
"""(offset within the field, one word a row)."""


def spell(scaled: Ints, decimals: int, *, shortest: bool) -> tuple[int, Words]:
    """Returns the width of a field in bytes, and the words of its numbers.

    A number that is cut to zero has no sign: Java's BigDecimal knows no negative zero.

    Args:
        scaled: the numbers times 10**decimals.
        decimals: digits after the point: 0, 2 or 4.
        shortest: without trailing zeros, and without a point where nothing follows it: `115.2`.
    """
    size = np.abs(scaled)
    unit = 10**decimals
    whole = size // unit
    largest = whole.max(initial=0)
    if largest >= 10_000 * 10_000:
        # Hardly ever: a Greek of 10 digits.
        table = np.array([_one(int(n), decimals, shortest) for n in scaled], dtype=np.bytes_)
        return table.itemsize, [(0, table)]
    if decimals == 0 or shortest:
        width, words = _whole(whole, scaled < 0, largest, pointed=False)
        if decimals == 0:
            return width, words
        return width + 8, [*words, (width, _trimmed(decimals)[size - whole * unit])]
    width, words = _whole(whole, scaled < 0, largest, pointed=True)
    fraction = _tables()[3 if decimals == 4 else 4][size - whole * unit]
    return width + decimals, [*words, (width, fraction)]


@cache
def _tables() -> tuple[NDArray[Any], ...]:
    """Returns texts of numbers as words, by number.

    They are: `12.` for 12 and `-12.` for 12 + 10000, in 8 bytes; the same without a point; `12.`
    for 12 and `-12.` for 12 + 100, in 4 bytes; `0012`, in 4 bytes; and `12`, in 2 bytes.
    """
    signed = [(sign + str(n)) for sign in ("", "-") for n in range(10_000)]
    return (
        np.array([text + "." for text in signed], dtype="S8").view(np.uint64),
        np.array(signed, dtype="S8").view(np.uint64),
        np.array([f"{sign}{n}." for sign in ("", "-") for n in range(100)], "S4").view(np.uint32),
        np.array([f"{n:04d}" for n in range(10_000)], dtype="S4").view(np.uint32),
        np.array([f"{n:02d}" for n in range(100)], dtype="S2").view(np.uint16),
    )


@cache
def _trimmed(decimals: int) -> NDArray[Any]:
    """Returns what stands behind a whole number, point included: `.2` for 20 of 2 decimals."""
    fractions = [f".{n:0{decimals}d}".rstrip("0").rstrip(".") for n in range(10**decimals)]
    return np.array(fractions, dtype="S8").view(np.uint64)


def _whole(whole: Ints, negative: Flags, largest: int, *, pointed: bool) -> tuple[int, Words]:
    """Returns the words of whole numbers, with the point that follows them or without one."""
    with_point, plain, small, four, _ = _tables()
    if pointed and largest < 100:  # narrower, which is faster
        return 4, [(0, small[whole + negative * 100])]
    signed = negative * 10_000
    ends = with_point if pointed else plain
    if largest < 10_000:
        return 8, [(0, ends[whole + signed])]
    upper = whole // 10_000
    lower = whole - upper * 10_000
    few = upper == 0
    head = np.where(few, np.uint64(0), plain[upper + signed])
    # Behind other digits, four digits and the point; else as above.
    padded = four[lower].astype(np.uint64) | np.uint64(ord(".") << 32 if pointed else 0)
    return 16, [(0, head), (8, np.where(few, ends[lower + signed], padded))]


def _one(scaled: int, decimals: int, shortest: bool) -> bytes:
    whole, fraction = divmod(abs(scaled), 10**decimals)
    text = f"{'-' if scaled < 0 else ''}{whole}"
    if decimals:
        text += f".{fraction:0{decimals}d}"
    if decimals and shortest:
        text = text.rstrip("0").rstrip(".")
    return text.encode()

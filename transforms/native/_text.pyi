"""The types of _text.c; see transforms.native.compiled for what it is to the others."""

from collections.abc import Sequence
from typing import Any

def count_lines(text: Any, /) -> int:
    """Returns how many line feeds a buffer has."""

def read_rows(
    text: bytes,
    kinds: bytes,
    places: tuple[int, ...],
    key: tuple[bytes, bytes],
    days: tuple[int, int, int, Any],
    out: Any,
    most: int,
    /,
) -> int | None:
    """Reads lines of CSV without a header into columns, and returns how many rows they are.

    Args:
        text: whole lines; the last one may lack its line feed.
        kinds: a letter for each column of the text, at least 1, of what its cells are:

            - `s` the symbol and `e` the expiration of the key, which are checked and not written;
            - `r` CALL, PUT, C or P, written as the byte C or P;
            - `d` a decimal, a float64, finite and never minus zero;
            - `l` an int64 of at most 18 digits, `i` an int32 of at most 9;
            - `T` a local time of the dates asked for, `t` any local time: int64, milliseconds since
              1970 in UTC;
            - `c` C or P, written as that byte; `k` tenths of a cent, a whole number of at most 15
              digits, written as dollars, a float64; `m` and `n` milliseconds of the local day,
              written as `T` and `t` are; `y` that day, YYYYMMDD, one asked for, not written;
            - a space: not looked at.
        places: where in `out` each column begins, in bytes, a multiple of its items' size.
        key: the symbol and the expiration that every row must have, as the text has them.
        days: the first and the last date asked for and the first date of the offsets, in days since
            1970; and int32 offsets, one a date: what local time is ahead of UTC in milliseconds,
            the least int32 where that is not the same all day.
        out: is written to.
        most: rows that each column has room for.

    Returns:
        None where a cell is empty or anything is not plainly as above, or there are more rows. What
        `out` holds is undefined then.

    Raises:
        ValueError: a column does not fit into `out`, or there are `m` and `n` without a `y`.
    """

def print_rows(
    columns: tuple[Sequence[Any], ...],
    rows: int,
    shift: int,
    out: bytearray,
    /,
) -> int | None:
    """Prints rows as lines of CSV, and returns how many bytes they are.

    Args:
        columns: of each of 1 to 128 its kind, its values and its letters (or None): `d`, `l`, `i`
            and `t` as `read_rows` writes them; `D` int32 days since 1970; `u` int32 ends of strings
            in UTF-8, one more than there are rows, and their letters. No value is null.
        rows: how many.
        shift: what local time is ahead of UTC at every time, in milliseconds, whole minutes.
        out: begins with the lines then; it is made larger if it must be.

    Returns:
        None where a cell can't be printed plainly. What `out` holds is undefined then.

    Raises:
        ValueError: a column has too few values.
        BufferError: `out` must be made larger, and somebody has a view of it.
    """

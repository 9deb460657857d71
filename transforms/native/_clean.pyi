"""The types of _clean.c; see transforms.quality.clean for what it is for."""

from typing import Any

def look(
    rows: int,
    numbers: tuple[Any, ...],
    is_call: Any,
    instant: Any,
    underlying: Any,
    greeks: tuple[bytes, tuple[Any, ...]],
    days: tuple[int, int, int, float, Any],
    bounds: tuple[int, int, int, int, int, float, float, float],
    step: int,
    room: Any,
    /,
) -> tuple[tuple[int, int, int, int, int, int, int], tuple[int, float, float], int] | None:
    """Returns what rows tell, if none breaks a rule.

    That is how many have each of seven things worth knowing: implied volatility 0, no price
    (`iv_error` 100 and more), all Greeks 0, bid 0, bid and ask 0, bid and ask equal above 0, and an
    underlying's price that is stale. Then of those that have a price and a volatility how many they
    are, and the sum and the most of the absolute values of their `iv_error`. Then the number of
    runs: rows of one contract, one after the other, whose times are a step apart.

    Args:
        rows: how many; each column has as many items.
        numbers: float64 columns: strike, bid, ask, implied volatility, its error, the underlying's
            price, and the price of the option, None for the middle of the quote.
        is_call: one byte a row, 1 for a call and 0 for a put.
        instant: int64, milliseconds since 1970 in UTC.
        underlying: likewise, the time of the underlying's price; the least int64 if not known.
        greeks: a letter for each of at most 32 Greeks, `d` for delta, `p` for one that is never
            negative, else a space; and their float64 columns.
        days: the first date and the expiration in days since 1970, what New York's clocks show more
            than UTC's in milliseconds, the annual dividend in dollars, and int64 times of day at
            which trading ends on each date from the first on, in milliseconds.
        bounds: milliseconds: of the day when trading opens, when every option in the money has a
            quote, and after which there are no rows; after which an underlying's price is stale,
            and by how much it may be ahead. Then the most that a rate is, how near the money an
            option has a quote (a share of the underlying's price), and what the solver leaves open
            in dollars.
        step: between two times of a run in milliseconds, at most a day; 0 for no runs.
        room: int64, three for each row: of the runs, from item 0 on the contracts' numbers (see
            `block.code_of`), from item `rows` on the first times on New York's clocks, and from
            item `2 * rows` on how many rows they have. Looked at only if there is a step.

    Returns:
        None where a row breaks a rule, or comes near to it, or a number is none.

    Raises:
        ValueError: a column has more or fewer items, or there is too little room.
    """

"""Sizes, durations, times of day and counts as a person reads them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_URL = re.compile(r" to https?://\S+?(?=:? |$)")


def size_text(size: float) -> str:
    """Returns a number of bytes as a person reads it, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def time_text(seconds: float | None) -> str:
    """Returns a duration as `M:SS` or `H:MM:SS`, or `?` for None."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock_text(milliseconds: int) -> str:
    """Returns a time of the day, milliseconds since midnight, as `HH:MM`."""
    return "{:02d}:{:02d}".format(*divmod(milliseconds // 60_000, 60))


def count(number: int, noun: str) -> str:
    """Returns a number of things with the noun in its right form.

    >>> count(1, "expiration"), count(0, "trade date"), count(1234, "retry"), count(2, "address")
    ('1 expiration', '0 trade dates', '1,234 retries', '2 addresses')
    """
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def reason_of(error: OSError) -> str:
    """Returns why a file system refused, without the number of the error.

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "/x"))
    'No such file or directory: /x'
    """
    if not error.strerror:
        return str(error)
    return f"{error.strerror}: {error.filename}" if error.filename else error.strerror


def way_to_write(flag: str) -> str:
    """Returns what to do where a folder can't be written to, which a flag names."""
    return f"choose another --{flag}, or let yourself write there"


def meant(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Returns which of the known words may be meant, as the end of a sentence, or `otherwise`.

    >>> meant("formt", ["format", "output"])
    '; did you mean format?'
    """
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else otherwise


def without_urls(text: str) -> str:
    """Returns an error without the addresses that a request went to.

    >>> without_urls("the Terminal answered 400 to http://127.0.0.1/v3?a=b: no such day")
    'the Terminal answered 400: no such day'
    """
    return _URL.sub("", text)


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in set("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"

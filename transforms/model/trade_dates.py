"""Which trade dates have rows, as text: spans of the trade dates that were requested."""

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby


def spans(days: Collection[date], requested: Sequence[date]) -> str:
    """Returns which of the requested trade dates are among `days`: short, however many they are.

    A span is one date, or a first and a last one, as ISO 8601 writes an interval; no requested
    trade date between them is left out.

    >>> week = [date(2024, 3, day) for day in (11, 12, 13, 14, 15)]
    >>> spans({week[0], week[1], week[3]}, week)
    '2024-03-11/2024-03-12,2024-03-14'

    Args:
        days: in any order.
        requested: ascending, each once.
    """
    runs = [list(run) for there, run in groupby(requested, lambda day: day in days) if there]
    return ",".join("/".join(dict.fromkeys((str(run[0]), str(run[-1])))) for run in runs)


def within(text: str, requested: Sequence[date]) -> list[date]:
    """Returns the requested trade dates that `text` has, as `spans` wrote it.

    Raises:
        ValueError: the text is not of that form.
    """
    ends = [
        [date.fromisoformat(end) for end in span.split("/")] for span in text.split(",") if span
    ]
    if any(len(span) > 2 for span in ends):
        raise ValueError(f"{text!r} are not trade dates")
    return [day for day in requested if any(span[0] <= day <= span[-1] for span in ends)]


def missing(with_rows: str, requested: Sequence[date], *, provisional: bool) -> str:
    """Returns which requested trade dates should have rows and have none, as `spans`.

    Those before the first one with rows are not missing: the contracts were not listed yet.

    >>> week = [date(2024, 3, day) for day in (11, 12, 13, 14, 15)]
    >>> missing("2024-03-12,2024-03-14", week, provisional=False)
    '2024-03-13,2024-03-15'

    Args:
        with_rows: those that have rows, as `spans`; empty if that is not known.
        requested: those on which there can be rows, ascending.
        provisional: the last one's session had not ended: those after the last one with rows may
            still come, and are not missing either.

    Raises:
        ValueError: `with_rows` is not of the form of `spans`.
    """
    known = within(with_rows, requested)
    if not known:
        return ""
    last = known[-1] if provisional else requested[-1]
    lacking = {day for day in requested if known[0] < day <= last} - set(known)
    return spans(lacking, requested)


def readable(text: str) -> str:
    """Returns spans as a sentence has them.

    >>> readable("2024-03-11/2024-03-12,2024-03-14")
    '2024-03-11 to 2024-03-12, 2024-03-14'
    """
    return text.replace("/", " to ").replace(",", ", ")

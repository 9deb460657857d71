"""Values of settings, from text and as text."""

import argparse
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, get_args, get_origin

from pipeline.errors import ConfigError
from transforms.market import clock


def iso_date(text: str) -> date:
    """Returns a date of a flag; `today` and `yesterday` are New York's.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    days_ago = {"today": 0, "yesterday": 1}.get(text.strip().lower())
    if days_ago is not None:
        return clock.now().date() - timedelta(days=days_ago)
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 -- a date has no zone
        except ValueError:
            continue
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a date: YYYY-MM-DD or YYYYMMDD, today or yesterday (in New York)"
    )


def words(text: str) -> tuple[str, ...]:
    """Returns the words between commas, without empty ones."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def dates(text: str) -> tuple[date, ...]:
    """Returns the dates between commas, in their order, each once.

    Raises:
        argparse.ArgumentTypeError: one of them is none.
    """
    return tuple(sorted({iso_date(word) for word in words(text)}))


PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    str | None: str,
    int: int,
    float: float,
    date: iso_date,
    tuple[str, ...]: words,
    tuple[date, ...]: dates,
    # It has no text: its flags take no value.
    bool: bool,
}
"""What reads the values of each type from text."""


def typed(value: Any, kind: Any, name: str) -> Any:
    """Returns a value of a setting of a type, where it is one or can be taken for one.

    Args:
        value: given; a list will do for a tuple, a whole number for a float, a datetime for a date.
        kind: the type of the setting.
        name: of the setting, for the message.

    Raises:
        ConfigError: it is of another type.
    """
    (inner,) = {*get_args(kind)} - {..., type(None)} or {kind}
    if get_origin(kind) is tuple:
        if isinstance(value, list | tuple):
            parts = [typed(part, inner, name) for part in value]
            return tuple(sorted(set(parts)) if inner is date else parts)
    elif inner is date:
        if isinstance(value, date):
            return value.date() if isinstance(value, datetime) else value
    elif inner is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif type(value) is inner or (value is None and inner is not kind):
        return value
    raise ConfigError(f"{name} is {value!r:.80}, of the type {type(value).__name__}")


def text_of(value: Any) -> str:
    """Returns a value as it is typed."""
    if isinstance(value, tuple):
        return ",".join(map(text_of, value))
    if isinstance(value, date):
        return value.isoformat()
    # 300 and not 300.0, with all of its digits.
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)

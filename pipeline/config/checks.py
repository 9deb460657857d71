"""Checks of values that several settings share."""

import math
import re
from collections.abc import Callable
from typing import Any

from pipeline.config.setting import Check
from transforms.text.secrets import redacted


def between(low: int, high: int, unit: str = "", note: str = "") -> Check:
    """Returns the check that a number is in a closed interval.

    Args:
        low: the smallest good value.
        high: the largest.
        unit: of the number, in the plural.
        note: ends the sentence.
    """
    words = f" {unit}" if unit else ""

    def check(value: float, _config: Any) -> str:
        holds = low <= value <= high
        return "" if holds else f"is {value:g}, not {low:,} to {high:,}{words}{note}"

    return check


def above_zero(high: int, unit: str) -> Check:
    """Returns the check that a number is above 0 and at most `high`."""

    def check(value: float, _config: Any) -> str:
        holds = 0 < value <= high
        return "" if holds else f"is {value:g}, not above 0 and at most {high} {unit}"

    return check


def readable(parse: Callable[[str], object]) -> Check:
    """Returns the check that `parse` raises no ValueError."""

    def check(value: str, _config: Any) -> str:
        parse(value)
        return ""

    return check


def finite(text: str) -> None:
    """Checks that a text is a finite number.

    Raises:
        ValueError: it is not.
    """
    if not math.isfinite(float(text)):
        raise ValueError(f"{text!r} is not a finite number")


def positive_integer(text: str) -> None:
    """Checks that a text is an integer of 1 or more.

    Raises:
        ValueError: it is not.
    """
    if int(text) < 1:
        raise ValueError(f"{text!r} is not 1 or more")


def time_of_day(text: str) -> None:
    """Checks that a text is a time of day, as ThetaData writes it.

    Raises:
        ValueError: it is not.
    """
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?", text):
        raise ValueError(f"{text!r} is not a time of day: HH:MM:SS, in New York")


def folder_problem(folder: str, _config: Any = None) -> str:
    """Returns the problem of a folder's name, or an empty text."""
    name = folder.strip().rstrip("/").rpartition("/")[2]
    if folder.startswith(("s3://", "gs://")) and redacted(folder) != folder:
        return (
            f"is {redacted(folder)!r}: no store takes credentials in its address. Give them in the "
            "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a file of credentials"
        )
    if name in ("", ".", ".."):
        return f"is {folder!r}: it names no folder"
    if folder.startswith("~"):
        return f"is {folder!r}: only a shell replaces ~, so write the whole path"
    return ""

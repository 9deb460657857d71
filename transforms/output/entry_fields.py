"""What each field of an entry of the manifest may hold: an entry is a claim until it is checked."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from transforms.model import GreeksRequest
from transforms.output.layout import COMPRESSIONS

STATES = COMMITTING, COMMITTED, EMPTY = "committing", "committed", "empty"

_FORMAT = re.compile(r"\w{0,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_quality(value: Any) -> bool:
    if value is None:
        return True
    findings, counted = value["findings"], value.get("statistics", {})
    examples = [example for finding in findings for example in finding.get("examples", [])]
    return (
        isinstance(findings, list)
        and all(_is_text(each["rule"]) and _is_count(each["count"]) for each in findings)
        and all(_is_count(each["count"]) for each in counted.values())
        and all(isinstance(each["key"], dict) for each in examples)
        and all(isinstance(each["values"], dict) for each in examples)
    )


def _are_versions(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_text, value.values())))


FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "state": (STATES.__contains__, f"one of {', '.join(STATES)}"),
    "source": (_is_text, "a text"),
    "run_id": (_is_text, "a text"),
    "provisional": (lambda value: isinstance(value, bool), "true or false"),
    "dates_with_rows": (lambda value: isinstance(value, str), "spans of trade dates"),
    "missing_since": (lambda value: value == "" or _is_time(value), "a time with its zone"),
    "rows": (_is_count, "a number of rows"),
    "bytes": (_is_count, "a number of bytes"),
    "sha256": (lambda value: value == "" or _is_sha256(value), "a SHA-256 in hexadecimal"),
    "quality": (_is_quality, "the result of a check, or null"),
    # Also that of a sink that this project does not have.
    "format": (lambda value: _FORMAT.fullmatch(value) is not None, "the name of a format"),
    "compression": (lambda value: isinstance(value, str), "a text"),
    "schema_version": (_is_count, "a version's number"),
    "versions": (_are_versions, "texts by name, or null"),
    "time": (_is_time, "a time with its zone, ISO 8601"),
}
"""Each field but `request`: what it may hold, and how an error calls that."""


def check_fields(document: Any) -> None:
    """Checks that a document holds what an entry of the manifest holds.

    Raises:
        ValueError: it does not; the first field that does not, and its value.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 -- a document is data
    for name in ("state", "request", "source", "run_id"):
        if name not in document:
            raise ValueError(f"it has no {name}")
    for name, (is_good, what) in FIELDS.items():
        if name in document and not _holds(is_good, document[name]):
            raise ValueError(f"its {name} is {document[name]!r:.80}, not {what}")
    try:
        GreeksRequest.of(document["request"])
    except ValueError as error:
        raise ValueError(f"its request is none: {error}") from None
    if document["state"] == COMMITTED and not document.get("sha256"):
        raise ValueError("it has no sha256 of its file")
    if document["state"] == EMPTY and "time" not in document:
        raise ValueError("it has no time")
    file_format, compression = document.get("format", ""), document.get("compression", "")
    if compression not in ({"": ""} | COMPRESSIONS).get(file_format, [compression]):
        raise ValueError(f"its compression is {compression!r:.80}, which {file_format!r} has not")


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _holds(is_good: Callable[[Any], bool], value: Any) -> bool:
    try:
        return is_good(value)
    except (TypeError, KeyError, AttributeError):
        return False  # it is of another type, or something in it is

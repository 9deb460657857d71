"""JSON documents as text that a person can read and a diff can compare, made in little memory.

Python's own indented form is made by Python, a piece for each number: of thousands of expirations
that takes tens of megabytes, and ten times as long as a line that is made at once.
"""

import json
from collections.abc import Mapping
from typing import Any

_line = json.JSONEncoder(ensure_ascii=False).encode


def json_text(document: Mapping[str, Any]) -> str:
    """Returns a document as JSON: a member a line, and of a list of objects an element a line.

    Raises:
        TypeError: it holds what JSON does not have.
    """
    members = (f"  {_line(name)}: {_value(value)}" for name, value in document.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        return "[\n" + ",\n".join(f"    {_line(each)}" for each in value) + "\n  ]"
    return _line(value)

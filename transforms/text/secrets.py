"""Passwords and keys: how they are kept out of output, files and errors.

`redacted` takes them out of the value of a setting, by where they stand: in an address or behind a
name. `hide` takes them out of any text, also where a library repeats one in its own words: it knows
all that this process was given (`remember`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"

_NAME = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|signature|connection_string"
    r"|account_?key|api_?key|(?:access|private)_?key(?!_?id))[\w.-]*"
)
_IS_NAME = re.compile(_NAME, re.IGNORECASE)
# To the last @: a password may have a slash, a question mark, a number sign or an @ in it.
_ADDRESS = re.compile(r"(?<=://)([^:/?#@]*):(.*)@", re.DOTALL)
_ADDRESS_IN_TEXT = re.compile(r"(?<=://)([^\s:/?#@]*):(\S*)@")
_NAMED = re.compile(rf"\b({_NAME})(\s?=\s?)('[^']*'|\"[^\"]*\"|[^&\s;,'\"]+)", re.IGNORECASE)

_FEWEST, _FEWEST_DIGITS = 6, 9
"""Secrets of fewer characters are hidden only where they stand in an address or behind a name: in
other text they may be a word or a number that means something else."""

_WORD = 12

_known: set[str] = set()


def is_secret(name: str) -> bool:
    """Returns whether a setting or a variable of that name holds a secret."""
    return _IS_NAME.fullmatch(name) is not None


def redacted(address: str) -> str:
    """Returns an address, or any other value of a setting, without its secrets.

    >>> redacted("postgresql://me:a/b#c@db/greeks?sslpassword=d")
    'postgresql://me:***@db/greeks?sslpassword=***'
    """
    return _NAMED.sub(rf"\1\2{HIDDEN}", _ADDRESS.sub(rf"\1:{HIDDEN}@", address))


def remember(value: str, name: str = "") -> None:
    """Remembers the secrets of a value, which `hide` hides from then on.

    Args:
        value: a secret, or an address that may have some in it.
        name: of the setting or variable that has the value.
    """
    found = [match[2] for match in _ADDRESS.finditer(value)]
    found += [match[2] for match in _ADDRESS_IN_TEXT.finditer(value)]
    found += [match[3].strip("'\"") for match in _NAMED.finditer(value)]
    if is_secret(name):
        found.append(value)
    for secret in found:
        for raw in (secret, unquote(secret), unquote_plus(secret)):
            forms = {raw, quote(raw), quote(raw, safe=""), quote_plus(raw)}
            forms |= {repr(raw)[1:-1], json.dumps(raw)[1:-1]}
            forms |= {json.dumps(raw, ensure_ascii=False)[1:-1], raw.replace("'", "'\"'\"'")}
            _known.update(filter(_is_long, forms))


def remember_all(arguments: Iterable[str], environment: Mapping[str, str]) -> None:
    """Remembers the secrets of a command line and of the environment."""
    name = ""
    for argument in arguments:
        flag, _, value = argument.partition("=")
        if argument.startswith("--"):
            name = flag.removeprefix("--").replace("-", "_")
            remember(value, name)
        else:
            remember(argument, name)
            name = ""
    for name, value in environment.items():
        remember(value, name)


def hide(text: str) -> str:
    """Returns a text without the secrets that stand in it, whoever wrote it."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret not in text:
            continue
        # A short one may be part of a word.
        bound = r"\b" if secret.isalnum() and len(secret) < _WORD else ""
        text = re.sub(bound + re.escape(secret) + bound, HIDDEN, text)
    return _NAMED.sub(rf"\1\2{HIDDEN}", _ADDRESS_IN_TEXT.sub(rf"\1:{HIDDEN}@", text))


def _is_long(secret: str) -> bool:
    return len(secret) >= (_FEWEST_DIGITS if secret.isdecimal() else _FEWEST)

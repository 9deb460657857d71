"""The addresses of run histories, and the passwords in them that must never be printed."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SQL = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:", re.IGNORECASE)
_USER = re.compile(r"(?<=://)([^/?#@:]*):([^/?#]*)@")
_SECRETS = re.compile(r"(?i)\b((?:ssl)?password|passwd|secret|token)=([^&\s]*)")
HIDDEN = "***"


def is_sql(metrics: str) -> bool:
    """Returns whether an address names a database."""
    return bool(_SQL.match(metrics))


def is_missing_file(metrics: str) -> bool:
    """Returns whether an address names a file of SQLite's that is not there."""
    scheme, _, rest = metrics.partition(":///")
    path = rest.partition("?")[0]
    return scheme.lower().partition("+")[0] == "sqlite" and bool(path) and not Path(path).exists()


def redacted(url: str) -> str:
    """Returns an address without its passwords."""
    return _SECRETS.sub(rf"\1={HIDDEN}", _USER.sub(rf"\1:{HIDDEN}@", url))


def without_secrets(text: str, url: str) -> str:
    """Returns a message in which the passwords of an address do not occur."""
    clean = redacted(text.replace(url, redacted(url)))
    for secret in _secrets(url):
        clean = clean.replace(secret, HIDDEN)
    return clean


def _secrets(url: str) -> list[str]:
    found = [match[2] for match in (*_USER.finditer(url), *_SECRETS.finditer(url)) if match[2]]
    # In the words of a database they stand as they are, not as an address writes them.
    return sorted({*found, *map(unquote, found)}, key=len, reverse=True)


def is_address(url: str) -> bool:
    """Returns whether a database's address names one: a file, or a host and a name."""
    parts = urlsplit(url)
    if parts.scheme.lower().startswith("sqlite"):
        return url.partition(":")[2].startswith("///") and len(parts.path) > 1
    # Without a host, it is the one that the environment of PostgreSQL's own library names.
    return url.partition(":")[2].startswith("//") and len(parts.path) > 1

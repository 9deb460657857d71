"""The addresses of run histories."""

import re
from pathlib import Path

_SQL = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:", re.IGNORECASE)
# SQLAlchemy's own form: a password ends at the first @.
_PARTS = re.compile(r"\w+(?:\+\w+)?:(//(?:[^:/@]*(?::[^@]*)?@)?[^/?@]*)(/[^?]*)?(?:\?.*)?")


def is_sql(metrics: str) -> bool:
    """Returns whether an address names a database."""
    return bool(_SQL.match(metrics))


def is_missing_file(metrics: str) -> bool:
    """Returns whether an address names a file of SQLite's that is not there."""
    scheme, _, rest = metrics.partition(":///")
    path = rest.partition("?")[0]
    return scheme.lower().partition("+")[0] == "sqlite" and bool(path) and not Path(path).exists()


def is_address(url: str) -> bool:
    """Returns whether a database's address names one: a file, or a host and a name."""
    parts = _PARTS.fullmatch(url)
    if parts is None or len(parts[2] or "") <= 1:
        return False
    # Without a host, it is the one that the environment of PostgreSQL's own library names.
    return parts[1] == "//" if url.lower().startswith("sqlite") else True

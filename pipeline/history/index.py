"""A cache of the heads of JSON records, so that a list of runs need not read 100,000 files.

It lies in the user's cache folder, one SQLite file for each run history, and is only ever behind:
whoever lists runs reads the files that are not in it yet, and adds them. A record never changes
once it is kept, so its name is all there is to compare. Where there can be no file, it is held in
memory.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.history.model import Head, Query

_VERSION = 1
_TABLE = """
create table if not exists heads (
  run_id text primary key, status text not null, symbols text not null, head text not null
) without rowid
"""


def cache_folder() -> Path:
    """Returns the user's cache folder for this program."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "theta-greeks-pipeline"


class HeadIndex:
    """The heads of one run history's records.

    Args:
        history: its absolute path or URL.
    """

    def __init__(self, history: str) -> None:
        digest = hashlib.sha256(history.encode()).hexdigest()[:16]
        try:
            folder = cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            self._made = self._connect(str(folder / f"runs-{digest}.sqlite"))
        except (OSError, RuntimeError, sqlite3.Error):
            # No home, a full or a foreign disk: it is only a cache.
            self._made = self._connect(":memory:")

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        made = sqlite3.connect(path, timeout=5.0)
        try:
            if made.execute("pragma user_version").fetchone()[0] != _VERSION:
                made.execute("drop table if exists heads")
            made.execute(_TABLE)
            made.execute(f"pragma user_version = {_VERSION}")
            made.commit()
        except BaseException:
            made.close()
            raise
        return made

    def ids(self) -> set[str]:
        """Returns the ids of all runs in it."""
        return {run_id for (run_id,) in self._made.execute("select run_id from heads")}

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields the heads that a query asks for, newest first, whatever its limit."""
        sql, values = "select head from heads where true", []
        if query.status is not None:
            sql += " and status = ?"
            values.append(query.status)
        if query.symbol is not None:
            sql += " and instr(symbols, ?)"
            values.append(f",{query.symbol},")
        for (text,) in self._made.execute(f"{sql} order by run_id desc", values):
            head: Head = json.loads(text)
            if query.matches(head):
                yield head

    def add(self, heads: Iterable[Head]) -> None:
        """Adds heads; another process may have done so meanwhile."""
        rows = [
            (head["run_id"], head["status"], f",{','.join(head['symbols'])},", json.dumps(head))
            for head in heads
        ]
        try:
            with self._made:
                self._made.executemany("insert or ignore into heads values (?, ?, ?, ?)", rows)
        except sqlite3.Error:
            return  # a full disk, or somebody else holds it for long: the next list adds them

    def close(self) -> None:
        """Closes the file."""
        self._made.close()

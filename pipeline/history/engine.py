"""How a run history connects to SQLite or PostgreSQL."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipeline.history.model import StoreError
from transforms.text.extras import install

_CONNECT_SECONDS = 10


def engine_of(url: str) -> sa.Engine:
    """Returns an engine that keeps no connection open, with the folder of an SQLite file made.

    Args:
        url: `sqlite:///PATH` or `postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ValueError: the URL can't be used.
        OSError: the folder can't be made.
        StoreError: the extra of PostgreSQL's driver is not installed.
    """
    parsed = sa.make_url(url)
    # No pool: a run writes twice, hours apart.
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            parsed, poolclass=sa.NullPool, connect_args={"timeout": _CONNECT_SECONDS}
        )
        _begin_for_ourselves(engine)
        return engine
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    # Without the encoding, a server of no encoding would answer in bytes.
    usual = {"connect_timeout": str(_CONNECT_SECONDS), "client_encoding": "utf8"}
    parsed = parsed.update_query_dict(
        {name: value for name, value in usual.items() if name not in parsed.query}
    )
    try:
        return sa.create_engine(parsed, poolclass=sa.NullPool)
    except ModuleNotFoundError as error:
        raise StoreError(f"{error.name} is not installed: {install('sql')}") from error


def _begin_for_ourselves(engine: sa.Engine) -> None:
    """Makes transactions on SQLite begin, and take their lock, at our own BEGIN.

    Two migrations that only lock when they first write would cross. After SQLAlchemy's
    documentation of SQLite's transactions.
    """

    @sa.event.listens_for(engine, "connect")
    def _no_transaction_of_the_driver(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        lock = connection.get_execution_options().get("sqlite_begin", "deferred")
        connection.exec_driver_sql(f"begin {lock}")

"""The tables of a run history in a database, and how older ones are brought up to date."""

import sqlalchemy as sa

from pipeline.history.model import StoreError

_META = sa.MetaData()

VERSION = sa.Table(
    "greeks_schema",
    _META,
    sa.Column("version", sa.Integer, nullable=False),
)

RUNS = sa.Table(
    "greeks_runs",
    _META,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    # ISO 8601 in UTC: it sorts as text.
    sa.Column("start_time", sa.String(40), nullable=False),
    # What a list shows of it, and the whole record, as JSON.
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("greeks_runs_start", "start_time"),
    sa.Index("greeks_runs_status_start", "status", "start_time"),
)

SYMBOLS = sa.Table(
    "greeks_run_symbols",
    _META,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("symbol", sa.String(32), primary_key=True),
    sa.Index("greeks_run_symbols_symbol", "symbol", "run_id"),
)

SAMPLES = sa.Table(
    "greeks_samples",
    _META,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("in_flight", sa.Integer, nullable=False),
    sa.Column("memory", sa.Float, nullable=False),
)

RESULTS = sa.Table(
    "greeks_results",
    _META,
    sa.Column("run_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    # ISO 8601.
    sa.Column("expiration", sa.String(10), nullable=False),
    sa.Column("first_trade_date", sa.String(10), nullable=False),
    sa.Column("last_trade_date", sa.String(10), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    # All of it, as JSON.
    sa.Column("result", sa.Text, nullable=False),
)

RESULT_COLUMNS = tuple(
    column.name for column in RESULTS.columns if column.name not in ("run_id", "number", "result")
)

SAMPLE_COLUMNS = tuple(
    column.name for column in SAMPLES.columns if column.name not in ("run_id", "number")
)


_STEPS = (
    (VERSION, RUNS, SYMBOLS),
    # So that a run's samples can be plotted by SQL.
    (SAMPLES,),
    # Those of earlier runs stay in the record.
    (RESULTS,),
)
"""The tables that each version added to those before. Never change one that was released."""

NEWEST = len(_STEPS)


def is_newest(connection: sa.Connection) -> bool:
    """Returns whether there is nothing to migrate."""
    return _version(connection) == NEWEST


def migrate(connection: sa.Connection) -> None:
    """Brings the tables up to date, in the transaction of `connection`; rows stay.

    Two that come at once: the second one waits for the first, and finds nothing to do.

    Raises:
        StoreError: a later version of this program made them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("select pg_advisory_xact_lock(7164735)"))
    version = _version(connection)
    if version > NEWEST:
        raise StoreError(
            f"its tables are of version {version}, and this program knows {NEWEST}: update it"
        )
    for tables in _STEPS[version:]:
        _META.create_all(connection, tables)
    if version < NEWEST:
        connection.execute(VERSION.delete())
        connection.execute(VERSION.insert().values(version=NEWEST))


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(VERSION.name):
        return 0
    return int(connection.execute(sa.select(VERSION.c.version)).scalar_one_or_none() or 0)

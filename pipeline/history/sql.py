"""The run history in SQLite, or with the extra `sql` in PostgreSQL."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipeline.history.engine import engine_of
from pipeline.history.folders import results_in
from pipeline.history.model import (
    DIED,
    RUNNING,
    Head,
    NoSuchRun,
    Query,
    Record,
    RunStore,
    StoreError,
    begin,
    died,
    head_of,
    listed_results,
    new_id,
    to_bury,
)
from pipeline.history.schema import (
    RESULT_COLUMNS,
    RESULTS,
    RUNS,
    SAMPLE_COLUMNS,
    SAMPLES,
    SYMBOLS,
    is_newest,
    migrate,
)
from transforms.text.secrets import hide, redacted, remember

_AT_ONCE = 500


class SqlStore(RunStore):
    """Run records in a database's tables `greeks_…`, which are made or migrated when it is opened.

    Args:
        url: `sqlite:///PATH` or `postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE`.

    Attributes:
        name: the URL without its password.
        skipped: why each row that `heads` looked at is no run.

    Raises:
        StoreError: it can't be opened.
    """

    def __init__(self, url: str) -> None:
        self.name = redacted(url)
        remember(url)
        self.skipped: list[str] = []
        self._url = url
        with self._explained():
            self._engine = engine_of(url)
            with self._engine.begin() as connection:
                newest = is_newest(connection)
            if not newest:
                with self._engine.execution_options(sqlite_begin="immediate").begin() as connection:
                    migrate(connection)

    def start(self, record: Record) -> str:
        """Inserts the start record and returns the run's id."""
        while True:
            run_id, now = new_id()
            begin(record, run_id, now)
            try:
                with self._transaction() as connection:
                    self._insert(connection, record)
            except sa.exc.IntegrityError:
                continue  # another run started in this very microsecond
            return run_id

    def finish(self, record: Record) -> str:
        """Keeps the record of an ended run in place of its first one, and returns where it is."""
        run_id = record["run_id"]
        with self._transaction() as connection:
            live = (RUNS.c.run_id == run_id) & (RUNS.c.status == RUNNING)
            gone = connection.execute(RUNS.delete().where(live)).rowcount
            connection.execute(SYMBOLS.delete().where(SYMBOLS.c.run_id == run_id))
            if not gone:
                raise FileExistsError(f"{self.name}: the run {run_id} has ended before")
            self._insert_results(connection, record)
            self._insert(connection, record)
        return f"{self.name}, run {run_id}"

    def bury(self) -> Iterator[Record]:
        """Marks the runs of this machine that were killed as died, and yields their records."""
        query = sa.select(RUNS.c.run_id, RUNS.c.record).where(RUNS.c.status == RUNNING)
        with self._transaction() as connection:
            found = list(connection.execute(query.order_by(RUNS.c.run_id)))
        for run_id, text in found:
            record = json.loads(text)
            try:
                if not to_bury(record, run_id):
                    continue
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # it was written by another program, and is left as it is
            record["status"] = DIED
            try:
                self.finish(record)
            except FileExistsError:
                continue  # another run buried it
            yield record

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields the head of each run that a query matches, newest first."""
        sql = sa.select(RUNS.c.head, sa.case((RUNS.c.status == RUNNING, RUNS.c.record)))
        if query.status in (DIED, RUNNING):
            # One that was killed has the status `running` until it is buried.
            sql = sql.where(RUNS.c.status.in_((DIED, RUNNING)))
        elif query.status is not None:
            sql = sql.where(RUNS.c.status == query.status)
        if query.since is not None:
            sql = sql.where(RUNS.c.start_time >= query.since)
        if query.until is not None:
            sql = sql.where(RUNS.c.start_time < query.until)
        if query.symbol is not None:
            sql = sql.join(SYMBOLS, SYMBOLS.c.run_id == RUNS.c.run_id)
            sql = sql.where(SYMBOLS.c.symbol == query.symbol)
        sql = sql.order_by(RUNS.c.start_time.desc())
        yielded = 0
        with (
            self._transaction() as connection,
            connection.execution_options(yield_per=100).execute(sql) as found,
        ):
            for text, live in found:
                if yielded == query.limit:
                    return
                head: Head = json.loads(text)
                try:
                    if live is not None and died(json.loads(live)):
                        head["status"] = DIED
                    matches = query.matches(head)
                except (ValueError, KeyError, TypeError) as error:
                    self.skipped.append(f"{self.name} has a row that is no run: {error!r:.200}")
                    continue
                if matches:
                    yielded += 1
                    yield head

    def read(self, run_id: str) -> Record:
        """Returns the whole record of a run."""
        with self._transaction() as connection:
            text = connection.execute(
                sa.select(RUNS.c.record).where(RUNS.c.run_id == run_id)
            ).scalar_one_or_none()
            if text is None:
                raise NoSuchRun(f"{self.name} has no run {run_id!r}: see greeks runs list")
            record: Record = json.loads(text)
            columns = [SAMPLES.c[name] for name in SAMPLE_COLUMNS]
            of_it = sa.select(*columns).where(SAMPLES.c.run_id == run_id)
            rows = connection.execute(of_it.order_by(SAMPLES.c.number)).all()
        if rows:
            columns_of = zip(*rows, strict=True)
            record["samples"] = dict(zip(SAMPLE_COLUMNS, map(list, columns_of), strict=True))
        return record

    def results(self, record: Record) -> Iterator[Record]:
        """Yields every result of a run, read as they are taken."""
        of_it = sa.select(RESULTS.c.result).where(RESULTS.c.run_id == record["run_id"])
        none = True
        with (
            self._transaction() as connection,
            connection.execution_options(yield_per=100).execute(
                of_it.order_by(RESULTS.c.number)
            ) as found,
        ):
            for (text,) in found:
                none = False
                yield json.loads(text)
        if none:
            # An earlier version of this program kept it.
            yield from listed_results(record)

    def _insert_results(self, connection: sa.Connection, record: Record) -> None:
        """Inserts a run's results, and has the record name their table where it has not all."""
        paths = record.get("results_files")
        rows = (
            {
                "run_id": record["run_id"],
                "number": number,
                **{name: result[name] for name in RESULT_COLUMNS},
                "result": json.dumps(result),
            }
            for number, result in enumerate(
                _results_in(paths) if paths else record.get("expirations") or ()
            )
        )
        while some := list(islice(rows, _AT_ONCE)):
            connection.execute(RESULTS.insert(), some)
        if paths:
            record["results_files"] = [f"{self.name}, table {RESULTS.name}"]

    def _insert(self, connection: sa.Connection, record: Record) -> None:
        head = head_of(record)
        samples = record.get("samples") or {}
        kept = {name: value for name, value in record.items() if name != "samples"}
        values: dict[str, Any] = {name: head[name] for name in ("run_id", "status", "start_time")}
        values |= {"head": json.dumps(head), "record": json.dumps(kept)}
        connection.execute(RUNS.insert().values(values))
        symbols = [{"run_id": head["run_id"], "symbol": each} for each in head["symbols"]]
        if symbols:
            connection.execute(SYMBOLS.insert(), symbols)
        rows = zip(*(samples.get(name, ()) for name in SAMPLE_COLUMNS), strict=True)
        numbered = [
            {"run_id": head["run_id"], "number": n, **dict(zip(SAMPLE_COLUMNS, row, strict=True))}
            for n, row in enumerate(rows)
        ]
        if numbered:
            connection.execute(SAMPLES.insert(), numbered)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raises errors of the database in its own words, without a password."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except (sa.exc.SQLAlchemyError, StoreError, OSError, ValueError) as error:
            if isinstance(error, FileExistsError):
                raise
            words = str(getattr(error, "orig", None) or error).strip()
            why = hide(" ".join(words.split()).replace(self._url, self.name))
            raise StoreError.unusable(self.name, why) from None


def _results_in(paths: Iterable[str]) -> Iterator[Record]:
    for path in paths:
        with Path(path).open("rb") as file:
            yield from results_in(file)

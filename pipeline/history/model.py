"""The interface and the records of a run history, whatever it is stored in."""

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

from transforms.workers.process import ProcessId

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z(?:-[0-9a-f]+)?")
"""The form of every run's id; see `new_id`. What has another one is no run of this program."""

Record = dict[str, Any]
"""A whole run: its run summary."""

Head = dict[str, Any]
"""A run's fields in a list; see `head_of`."""

RUNNING, SUCCEEDED, FAILED, INTERRUPTED, DIED = (
    "running",
    "succeeded",
    "failed",
    "interrupted",
    "died",
)
STATUSES = (SUCCEEDED, FAILED, INTERRUPTED, DIED, RUNNING)


class StoreError(OSError):
    """A run history can't be used: what, why, and what next, without a password."""

    @classmethod
    def unusable(cls, name: str, why: str) -> "StoreError":
        """Returns the error of a history of a name, and why it can't be used."""
        return cls(f"the run history in {name} can't be used: {why}")


def listed_results(record: Record) -> Iterator[Record]:
    """Yields the results that a record itself lists, which are all of its run.

    Raises:
        StoreError: it lists a part of them, and names where all of them should be.
    """
    if where := record.get("results_files"):
        raise StoreError(
            f"the results of the run {record['run_id']} are not in {', '.join(map(str, where))} "
            "any more: put them back there, or name another run"
        )
    yield from record.get("expirations") or ()


class NoSuchRun(LookupError):
    """The history has no such run."""


@dataclass(frozen=True)
class Query:
    """Which runs to list, newest first.

    Attributes:
        symbol: only runs that requested it.
        since: only runs that started then or later; ISO 8601 in UTC, or the beginning of it.
        until: only runs that started before then.
        status: only runs that ended so.
        limit: at most so many; None for all.
    """

    symbol: str | None = None
    since: str | None = None
    until: str | None = None
    status: str | None = None
    limit: int | None = None

    def matches(self, head: Mapping[str, Any]) -> bool:
        """Returns whether a run matches, whatever the limit."""
        start = head["start_time"]
        return (
            (self.symbol is None or self.symbol in head["symbols"])
            and (self.status is None or self.status == head["status"])
            and (self.since is None or start >= self.since)
            and (self.until is None or start < self.until)
        )


class RunHistory(Protocol):
    """A run history to read.

    Attributes:
        name: where it is, without a password.
        skipped: why each thing in it that `heads` looked at is no run.

    Raises:
        StoreError: from every method: it can't be reached, read or written.
    """

    name: str
    skipped: list[str]

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields the head of each run that a query matches, newest first."""

    def read(self, run_id: str) -> Record:
        """Returns the whole record of a run.

        Raises:
            NoSuchRun: there is none of that id.
        """

    def results(self, record: Record) -> Iterator[Record]:
        """Yields every result of a run, also those that its record has no room for.

        Raises:
            StoreError: they can't be read, or are not where the record says.
        """
        yield from listed_results(record)


class RunStore(RunHistory, Protocol):
    """A run history to write, too.

    Raises:
        StoreError: from every method: it can't be reached, read or written.
    """

    def start(self, record: Record) -> str:
        """Keeps the record of a run that begins, and returns its id, which no other run has.

        `run_id`, `status`, `start_time` and `owner` are added to `record`.
        """

    def finish(self, record: Record) -> str:
        """Keeps the record of a run that ended, in place of its first one; returns where it is.

        So are the results in its `results_files`, which are files of this machine; then the record
        names where they are kept.

        Raises:
            FileExistsError: the run has ended before; that record stands.
        """

    def bury(self) -> Iterator[Record]:
        """Marks the runs of this machine that were killed as died, and yields their records."""

    def results_folder(self, run_id: str) -> str:
        """Returns a folder of this machine for the results of a run under way.

        Where the history is a folder of this machine it lies in that, so that what a killed run had
        is kept with its record; elsewhere it is a temporary one.
        """
        return f"{tempfile.gettempdir()}/greeks-{run_id}.results"

    def rest(self) -> None:
        """Frees its resources until the next call."""
        return

    def ready(self) -> None:
        """Prepares the next call, for a run that is to end in a moment.

        May be called from another thread. If the history can't be reached in that moment, every
        later call raises StoreError.
        """
        return


def head_of(record: Mapping[str, Any]) -> Head:
    """Returns a run's fields in a list.

    Raises:
        KeyError, TypeError, ValueError: it is no record of a run.
    """
    request = record.get("request") or {}
    start = record["start_time"]
    datetime.fromisoformat(start)
    status = record["status"]
    if status not in STATUSES:
        raise ValueError(f"{status!r} is no status of a run")
    return {
        "run_id": str(record["run_id"]),
        "status": status,
        "start_time": start,
        "seconds": record.get("total_duration"),
        "symbols": list(request.get("symbol") or ()),
        "start_date": request.get("start_date"),
        "end_date": request.get("end_date"),
        "interval": request.get("interval"),
        "greeks": request.get("greeks"),
        "format": request.get("format"),
        "data": (record.get("source") or {}).get("data"),
        "expirations": int(record.get("total_expirations") or 0),
        "files": int(record.get("successful_expirations") or 0),
        "failed": int(record.get("failed_expirations") or 0),
        "rows": int(record.get("total_records") or 0),
        "bytes": int(record.get("total_data_size") or 0),
        "rows_per_second": record.get("average_throughput"),
        "memory": record.get("peak_memory_usage"),
    }


def begin(record: Record, run_id: str, now: datetime) -> None:
    """Adds the fields of a start record; its owner is this process, unless it has one."""
    record.update(run_id=run_id, status=RUNNING, start_time=now.isoformat())
    record.setdefault("owner", owner(os.getpid()))


def new_id() -> tuple[str, datetime]:
    """Returns an id for a run that starts now, and now."""
    now = datetime.now(timezone.utc)
    return now.strftime("%Y%m%dT%H%M%S.%fZ"), now


def died(record: Mapping[str, Any]) -> bool:
    """Returns whether the run of a start record was killed, as far as this machine can know.

    Raises:
        KeyError, TypeError: it is no start record.
    """
    recorded = record["owner"]
    return bool(recorded["host"] == socket.gethostname() and owner(recorded["pid"]) != recorded)


def to_bury(record: Mapping[str, Any], run_id: str) -> bool:
    """Returns whether a record that is kept as the start record of a run is one, and died.

    A record may have been written by anybody, and its id becomes the name of a file to remove.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is no start record.
    """
    is_of_it = head_of(record)["run_id"] == run_id and RUN_ID.fullmatch(run_id)
    return bool(is_of_it) and died(record)


def owner(pid: int) -> Record | None:
    """Returns the `ProcessId` of a process as a document, or None if there is no such process."""
    found = ProcessId.of(pid)
    return None if found is None else asdict(found)


def recent(store: RunHistory, runs: int = 30) -> Iterator[Record]:
    """Yields the records of the newest runs, whatever they requested; none if they can't be read.

    One at a time: a record may list thousands of files. They only improve estimates.
    """
    with contextlib.suppress(StoreError):
        for head in store.heads(Query(limit=runs)):
            with contextlib.suppress(NoSuchRun):
                yield store.read(head["run_id"])


def find_run(store: RunHistory, name: str) -> Record:
    """Returns the record of a run by its id, or of the `last` or the `previous` one.

    Raises:
        NoSuchRun: there is none.
        StoreError: the history can't be read.
    """
    place = {"last": 0, "previous": 1}.get(name)
    if place is None:
        return store.read(name)
    heads = list(store.heads(Query(limit=place + 1)))
    if len(heads) <= place:
        raise NoSuchRun(f"{store.name} has no {name} run")
    return store.read(heads[place]["run_id"])

"""The run history as JSON files: one for each run, kept for ever."""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from shutil import rmtree

from pipeline.history.folders import files_of_results, open_folder, results_in
from pipeline.history.model import (
    DIED,
    RUN_ID,
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
from pipeline.text import reason_of
from transforms.storage.json_text import json_text
from transforms.text.secrets import redacted

_NAME = re.compile(rf"pipeline-run-({RUN_ID.pattern})\.json")


class JsonStore(RunStore):
    """Run records in a folder: `pipeline-run-<start, UTC>.json`, and `running/` for live ones.

    The results of a run that has more than its record lists are beside it, in
    `pipeline-run-<start, UTC>.results.jsonl`, a line for each.

    A run writes its record to `running/` when it starts and to the folder when it ends. One that
    was killed can't: the next run finds its start record, and marks it died.

    Args:
        folder: a path of this machine, or a URL of any of Beam's file systems.

    Attributes:
        name: the folder.
        skipped: why each file that was looked at is no record, filled by `heads`.
    """

    def __init__(self, folder: str) -> None:
        self.name = redacted(folder)
        self.skipped: list[str] = []
        self._folder = open_folder(folder)

    def start(self, record: Record) -> str:
        """Writes the start record and returns the run's id."""
        with self._explained():
            while True:
                run_id, now = new_id()
                if self._folder.shared:
                    # Two machines may start a run in the same microsecond.
                    run_id += f"-{uuid.uuid4().hex[:8]}"
                begin(record, run_id, now)
                try:
                    self._folder.keep(_running(run_id), json_text(record))
                except FileExistsError:
                    continue  # another run started in this very microsecond
                return run_id

    def finish(self, record: Record) -> str:
        """Keeps the record of an ended run, and returns its file."""
        name, results = _ended(record["run_id"]), _results(record["run_id"])
        paths = record.get("results_files")
        with self._explained():
            if paths:
                with suppress(FileExistsError):  # the record was not kept after that
                    self._folder.keep_lines(results, paths)
                record["results_files"] = [f"{self.name.rstrip('/')}/{results}"]
            self._folder.keep(name, json_text(record))
            self._folder.remove(_running(record["run_id"]))
        return f"{self.name.rstrip('/')}/{name}"

    def bury(self) -> Iterator[Record]:
        """Marks the runs of this machine that were killed as died, and yields their records."""
        for record in self._started():
            if not to_bury(record, record["run_id"]):
                continue
            folder = self.results_folder(record["run_id"])
            had = {"results_files": files_of_results(folder)}
            try:
                self.finish(record | {"status": DIED} | had)
            except FileExistsError:
                # It ended, or another run buried it, and was cut off before the last step.
                self._folder.remove(_running(record["run_id"]))
            else:
                yield record
            rmtree(folder, ignore_errors=True)

    def results(self, record: Record) -> Iterator[Record]:
        """Yields every result of a run, a line of its file at a time."""
        none = True
        with self._explained():
            for result in results_in(self._folder.lines(_results(record["run_id"]))):
                none = False
                yield result
        if none:
            yield from listed_results(record)

    def results_folder(self, run_id: str) -> str:
        """Returns a folder of this machine for the results of a run under way."""
        if self._folder.shared:
            return super().results_folder(run_id)
        return f"{self._folder.path}/running/{run_id}.results"

    def heads(self, query: Query) -> Iterator[Head]:
        """Yields the head of each run that a query matches, newest first.

        Files are read as the heads are taken, the newest first, so that a short list reads few.
        """
        with self._explained():
            yield from islice(self._matching(query), query.limit)

    def read(self, run_id: str) -> Record:
        """Returns the whole record of a run."""
        if RUN_ID.fullmatch(run_id):
            for name in (_ended(run_id), _running(run_id)):
                with self._explained():
                    try:
                        record = json.loads(self._folder.read(name))
                        head_of(record)
                    except FileNotFoundError:
                        continue
                    except (ValueError, KeyError, TypeError, AttributeError) as error:
                        raise NoSuchRun(f"{self.name}/{name} is no record: {error!r}") from None
                    found: Record = record
                    return found
        raise NoSuchRun(f"{self.name} has no run {run_id!r}: see greeks runs list")

    def _matching(self, query: Query) -> Iterator[Head]:
        """Yields the heads that match, newest first, of files and of live runs."""
        low, high = _compact(query.since or ""), _compact(query.until or "9")
        ended = self._ids()
        live = self._live(ended)
        # An id begins with the start of its run: of other times no file is read.
        ids = {run_id for run_id in ended | live.keys() if low <= run_id < high}
        for run_id in sorted(ids, reverse=True):
            head = live[run_id] if run_id in live else self._head(_ended(run_id))
            if head is not None and query.matches(head):
                yield head

    def _head(self, name: str) -> Head | None:
        try:
            head = head_of(json.loads(self._folder.read(name)))
            if _ended(head["run_id"]) != name:
                raise ValueError(f"it is of the run {head['run_id']}")  # noqa: TRY301 -- handled with what else can be wrong with a file
        except FileNotFoundError:
            return None  # removed meanwhile
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.skipped.append(f"{self.name}/{name} is no record of a run: {error!r:.200}")
            return None
        return head

    def _live(self, ended: set[str]) -> dict[str, Head]:
        """Returns the heads of the runs that have not ended, by id."""
        heads = {}
        for record in self._started():
            if record["run_id"] not in ended:
                status = DIED if died(record) else record["status"]
                heads[record["run_id"]] = head_of(record | {"status": status})
        return heads

    def _started(self) -> Iterator[Record]:
        """Yields the start records."""
        with self._explained():
            names = sorted(self._folder.names("running"))
        for name in names:
            if not name.endswith(".json"):
                continue
            try:
                record = json.loads(self._folder.read(f"running/{name}"))
                died(record)
                if _running(head_of(record)["run_id"]) != f"running/{name}":
                    continue
            except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError):
                continue  # not a start record, or its run has just ended
            yield record

    def _ids(self) -> set[str]:
        """Returns the ids of all runs that ended, and reports files of other names."""
        ids, foreign = set(), []
        for name in self._folder.names():
            match = _NAME.fullmatch(name)
            if match:
                ids.add(match[1])
            elif name.endswith(".json"):
                foreign.append(name)
        for name in sorted(foreign):
            self.skipped.append(f"{self.name}/{name} is not named as the record of a run")
        return ids

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raises errors of the file system with the name of the history."""
        try:
            yield
        except (FileExistsError, StoreError):
            raise
        except OSError as error:
            raise StoreError.unusable(self.name, reason_of(error)) from error


def _compact(moment: str) -> str:
    """Returns a time as ids begin with it."""
    return moment.partition("+")[0].replace("-", "").replace(":", "")


def _ended(run_id: str) -> str:
    return f"pipeline-run-{run_id}.json"


def _results(run_id: str) -> str:
    return f"pipeline-run-{run_id}.results.jsonl"


def _running(run_id: str) -> str:
    return f"running/{run_id}.json"

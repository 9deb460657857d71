"""What a report is about: a run's summary, and the files that hold its rows."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.history import (
    RUNNING,
    NoSuchRun,
    Query,
    Record,
    RunHistory,
    StoreError,
    find_run,
    open_to_read,
)
from pipeline.inspection.entries import known_entry
from pipeline.inspection.files import UnreadableFile, find_files, is_far
from pipeline.reports.rows import NoRows
from transforms.output.folder import OutputFolder

_FOLDER = "data/greeks"  # where `greeks download` writes by default
_NEWEST = 100


@dataclass(frozen=True)
class Source:
    """What a report is about.

    Attributes:
        run: the run's summary, or None.
        output: the folder of the files.
        files: the data files, none if the run wrote none.
        history: that has the run, or None if the run's summary lists all of its results.
    """

    run: Record | None
    output: str
    files: tuple[str, ...]
    history: RunHistory | None = None

    def results(self) -> Iterator[Record]:
        """Yields every result of the run, none if there is no run."""
        return _results(self.run, self.history)

    @property
    def meta(self) -> str:
        """The folder beside the output for all that is not data."""
        folder = OutputFolder(self.output)
        return OutputFolder(folder.whole).meta if folder.whole else folder.meta

    def parameter(self, name: str) -> str | None:
        """Returns a parameter of the API that the files were asked for with, if all had it."""
        entries = map(known_entry, self.files)
        found = {entry.request.get(name) if entry else None for entry in entries}
        return found.pop() if len(found) == 1 else None


def find_source(run: str, output: str, metrics: str) -> Source:
    """Returns what to report on.

    Args:
        run: a run's summary, its id, `last` or `previous`; empty for the newest of `metrics`, or
            of those that wrote to `output`.
        output: the folder of the data files; empty for the run's own files, or those in
            `data/greeks` if there is no run.
        metrics: the run history, as `--metrics` names it.

    Raises:
        NoRows: there is no such run, or nothing in the folder.
    """
    if output:
        try:
            files = tuple(find_files([output]))
        except UnreadableFile as error:
            raise NoRows(f"--output: {error}") from None
        found, history = _find(run, metrics) if run else _newest(metrics, output)
        return Source(found, output, files, history)
    found, history = _find(run, metrics) if run else _newest(metrics, None)
    if found is None and Path(_FOLDER).is_dir():
        return find_source("", _FOLDER, metrics)
    if found is None:
        raise NoRows(
            f"there is neither a run in {metrics} nor a folder {_FOLDER}: name a run's summary, or "
            "give the files' folder with --output"
        )
    folder = str(found.get("request", {}).get("output", ""))
    paths = [str(each["path"]) for each in _results(found, history) if each.get("path")]
    there = _there(paths, folder)
    if paths and not there:
        raise NoRows(
            f"none of the files of run {found['run_id']} is there, such as {paths[0]}: "
            "run this where the download ran, or give --output FOLDER"
        )
    return Source(found, folder, there, history)


def _there(paths: Sequence[str], folder: str) -> tuple[str, ...]:
    """Returns those of a run's files that are there; in a store, by one listing of its folder."""
    if not is_far(folder):
        return tuple(dict.fromkeys(path for path in paths if Path(path).is_file()))
    try:
        listed = set(find_files([folder])) if paths else set()
    except UnreadableFile as error:
        raise NoRows(str(error)) from None
    return tuple(dict.fromkeys(path for path in paths if path in listed))


def whole(path: str) -> str:
    """Returns a path as it is the same in whatever folder it is used."""
    return path if is_far(path) else str(Path(path).absolute())


def _results(run: Record | None, history: RunHistory | None) -> Iterator[Record]:
    if run is None:
        return iter(())
    return iter(run.get("expirations", ())) if history is None else history.results(run)


def _find(run: str, metrics: str) -> tuple[Record, RunHistory]:
    path = Path(run)
    if path.is_file():
        try:
            document = json.loads(path.read_text("utf-8"))
            datetime.fromisoformat(document["start_time"])
            str(document["run_id"])
        except (ValueError, KeyError, TypeError):
            raise NoRows(f"{path} is not a run's summary") from None
        return dict(document), open_to_read(str(path.parent))
    try:
        history = open_to_read(metrics)
        return find_run(history, run), history
    except (NoSuchRun, StoreError) as error:
        raise NoRows(f"there is no run {run}: {error.args[0]}") from None


def _newest(metrics: str, output: str | None) -> tuple[Record | None, RunHistory | None]:
    """Returns the newest run that has ended, or the newest of the last ones that wrote there."""
    try:
        store = open_to_read(metrics)
        for head in store.heads(Query(limit=_NEWEST)):
            if head["status"] == RUNNING:
                continue
            run = store.read(head["run_id"])
            wrote = str(run.get("request", {}).get("output", ""))
            if output is None or whole(wrote) == whole(output.rstrip("/")):
                return run, store
    except StoreError as error:
        raise NoRows(f"--metrics can't be read: {error.args[0]}") from None
    return None, None

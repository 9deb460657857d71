"""One run, from its start record to its end record: its state, its record and its stop signal."""

import shutil
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import replace

from pipeline import history
from pipeline.config import DownloadConfig
from pipeline.errors import Conflict
from pipeline.folder import print_catalog
from pipeline.history import Record
from pipeline.history.folders import files_of_results
from pipeline.history.sizes import Sizes
from pipeline.messages import PRINTED, Messages
from pipeline.planning.estimate import Estimate
from pipeline.planning.inventory import Inventory
from pipeline.planning.source import Source
from pipeline.process.memory import MemorySampler
from pipeline.process.signals import say_at_once
from pipeline.progress.display import Display
from pipeline.progress.events import Events
from pipeline.progress.listener import make_display
from pipeline.progress.measurement import NOTHING_MEASURED, Measured
from pipeline.progress.results import ResultTable
from pipeline.progress.tally import Tally
from pipeline.run.partial_results import results_so_far
from pipeline.run.record import completed
from pipeline.table import width_of
from pipeline.underlying.update import update_after_run
from transforms.metrics.results_file import gather
from transforms.metrics.summary import RunSummary
from transforms.model import Failure
from transforms.output.folder import OutputFolder
from transforms.output.layout import COMPRESSIONS, DAILY, Layout
from transforms.storage import documents, files
from transforms.workers.process import ProcessId
from transforms.workers.stop import StopSignal

_LOOKED_AT = 100  # names of files, for their usual length
_FEW = 1000  # files that may have changed; if there are more, listing all costs little beside them


class Session:
    """A run under way. Entered, it can be stopped; a process may have several.

    Args:
        config: what to download.
        runner: the name of Beam's runner.
        local: whether the workers run on this machine, started by this process.
        messages: where its messages go.
        display: where its progress is shown; None for what the configuration says.
        events: takes its events, for a program; None without one.

    Attributes:
        config: what to download, the output as the workers see it.
        messages: as given.
        store: the run history.
        record: of the run so far, for the history.
        layout: where its files go.
        stop: asks its workers to stop.
        results: a folder of this machine for the files of its results.
        inventory: of the requests to fetch and to skip, once it is known.
        measured: the memory and the progress of the graph, once that runs.
        unkept: whether the history could not take the end record.

    Raises:
        OSError: the run history can't be written.
    """

    def __init__(
        self,
        config: DownloadConfig,
        *,
        runner: str,
        local: bool,
        messages: Messages = PRINTED,
        display: Display | None = None,
        events: Events | None = None,
    ) -> None:
        folder = OutputFolder(config.output)
        if not local:
            # Workers may run in another folder, or on another machine that has the same files.
            folder = folder.absolute()
            config = replace(config, output=folder.path)
        self.config = config
        self.messages = messages
        self._display, self._events = display, events
        self.store = history.open_store(config.metrics, apart=True)
        for record in self.store.bury():
            messages.note(f"an earlier run was killed, and is now marked so: {record['run_id']}")
        self.record: Record = {"request": config.describe()}
        run_id = self.store.start(self.record)
        if events:
            events.started(self.record)
        self._started = time.monotonic()
        self._runner = runner
        suffix = COMPRESSIONS[config.format][config.compression]
        self.layout = Layout(config.output, suffix, run_id, config.pattern)
        # On this machine, wherever the files go; or where workers elsewhere see it, too.
        shared = not local and files.is_local(config.output)
        place = self.layout.temporary if shared else tempfile.gettempdir()
        self.stop = StopSignal(f"{place}/greeks-{uuid.uuid4().hex}.stop", ProcessId.current())
        self.results = self.store.results_folder(run_id)
        self.inventory = Inventory()
        self.measured: Measured | None = None
        self.unkept = False

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.clear()

    def ask_to_stop(self) -> None:
        """Asks the workers to stop. May be called from any thread, before the run begins, too."""
        self.stop.set()
        # The workers take a moment, and what keeps the record may take one, too.
        threading.Thread(target=self.store.ready, name="history", daemon=True).start()

    def say(self, text: str) -> None:
        """Shows a line at once, above the bar where there is one."""
        if not (self.measured and self.measured.progress.say(text)):
            say_at_once(text)

    def measure(self, source: Source, sizes: Sizes, expected: Estimate | None) -> Measured:
        """Returns what measures and shows the run while it is entered."""
        self.measured = Measured(
            MemorySampler([source.embedded.pid] if source.embedded else []),
            Tally(
                self.inventory.missing,
                sizes,
                began=self._started,
                seconds=expected.seconds if expected else None,
                keys=self.inventory.keys,
                thing=self.config.noun,
                timeout=self.config.timeout,
            ),
            self._display
            or make_display(
                self.config.progress,
                self.config.progress_seconds,
                self._events or self._table(),
            ),
            source.embedded.peak_memory if source.embedded else None,
        )
        return self.measured

    def _table(self) -> ResultTable:
        names = map(self.layout.name, self.inventory.missing[:_LOOKED_AT])
        return ResultTable(
            self.layout.output,
            by_day=self.config.layout == DAILY,
            room=max(map(len, names), default=0),
            width=width_of(sys.stdout),
        )

    def has_all_results(self) -> bool:
        """Returns whether each request to be fetched has its result, or may have it unheard.

        None is heard where the file system of temporary files takes no sockets.
        """
        if self.measured is None:
            return False
        progress = self.measured.progress
        return progress.address is None or progress.all_came()

    def results_so_far(self, error: BaseException | None) -> RunSummary:
        """Returns the summary of a run whose graph did not come to its end.

        Args:
            error: why, or None if it was interrupted.

        Raises:
            OSError: the manifest can't be read.
        """
        paths = files_of_results(self.results)
        summary = self.with_skipped(results_so_far(self.inventory.keys, paths, self.layout))
        if error is not None:
            summary = _with_failures(summary, Failure.of(error))
        return summary

    def with_skipped(self, summary: RunSummary) -> RunSummary:
        """Returns a summary completed with the skipped and the failed ones of the inventory."""
        there = self.inventory
        summary = summary.with_skipped(
            sum(there.skipped.values()), there.empty, there.incomplete, there.listed
        )
        return _with_failures(summary, *there.failures)

    def with_prices(self, summary: RunSummary) -> RunSummary:
        """Brings the underlying's prices up to date, if that is wanted and the run had begun.

        Returns:
            The summary, with a failure if some could not be.
        """
        if not self.config.underlying_prices or self.measured is None:
            return summary
        try:
            done = update_after_run(self.layout, self._changed(), self.messages)
        except (OSError, ValueError, Conflict) as error:
            problems = [f"underlying prices: {error}"]
        else:
            self.messages.note(str(done))
            problems = done.problems
        return _with_failures(summary, *(Failure("UnderlyingPrices", each) for each in problems))

    def finish(self, summary: RunSummary, status: str) -> str:
        """Completes the record with the launcher's figures, and keeps it.

        Returns:
            Where it is kept: in the history, or where that fails in the `.meta` of the output.
        """
        self.record |= self.measured.figures() if self.measured else NOTHING_MEASURED
        seconds = time.monotonic() - self._started
        self.record = completed(self.record, summary, self.config, status, seconds, self._runner)
        where = self._keep(summary)
        if self._events:
            self._events.summary(self.record, where)
        return where

    def finish_early(self, error: BaseException, status: str) -> str:
        """Does the same for a run whose graph did not come to its end.

        Raises:
            OSError: the manifest can't be read.
        """
        return self.finish(self.with_prices(self.results_so_far(error)), status)

    def print_catalog(self) -> None:
        """Writes the catalog of the output folder, and reports where it is; see there."""
        print_catalog(self.layout.output, self.messages, self._changed())

    def _changed(self) -> list[str] | None:
        """Returns the files that may have changed since the index was proven; None if all may."""
        sent = self.inventory.missing
        if self.inventory.broken == 0 and len(sent) <= _FEW:
            return list(map(self.layout.name, sent))
        return None

    def _keep(self, summary: RunSummary) -> str:
        """Keeps the record, and returns where."""
        try:
            return self.store.finish(self.record)
        except OSError as error:
            # It may be a database that was stopped meanwhile: the record of hours must not go.
            self.unkept = True
            records = f"{self.layout.folder.meta}/records"
            path = f"{records}/pipeline-run-{self.layout.run_id}.json"
            try:
                if paths := summary.results_files:
                    beside = f"{path.removesuffix('.json')}.results.jsonl"
                    gather(paths, beside)
                    self.record["results_files"] = [beside]
                documents.write_json(path, self.record, records)
            except OSError as other:
                self.messages.warn(
                    f"greeks download: the record could not be kept: {error}; nor in {path}: "
                    f"{other}"
                )
                return "(not kept)"
            self.messages.warn(f"greeks download: the record is kept in {path}: {error}")
            return path
        finally:
            shutil.rmtree(self.results, ignore_errors=True)


def _with_failures(summary: RunSummary, *failures: Failure) -> RunSummary:
    """Returns a summary with failures that are of no single expiration."""
    errors = (
        {"expiration": "", "error_type": each.error_type, "message": each.message}
        for each in failures
    )
    return replace(summary, errors=(*summary.errors, *errors))

"""One run, from its start record to its end record."""

import logging
import os
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from pipeline import history
from pipeline.config.download_config import DownloadConfig
from pipeline.download.accounting import check_accounts
from pipeline.download.messages import announce, conclude, tell_skipped
from pipeline.download.partial_results import results_so_far
from pipeline.download.record import completed
from pipeline.errors import Conflict
from pipeline.folder.lock import output_lock
from pipeline.folder.writers import sweep, sweep_dead
from pipeline.graph import build
from pipeline.history import Record, recent
from pipeline.history.sizes import Sizes
from pipeline.planning.disk import refuse_full_disk
from pipeline.planning.estimate import Estimate, from_lessons, learn
from pipeline.planning.inventory import Inventory, take_stock
from pipeline.planning.plan import make_plan
from pipeline.planning.terminals import found_terminals, one_source
from pipeline.process import watchdog
from pipeline.process.memory import MemorySampler
from pipeline.process.signals import Interruption
from pipeline.progress.listener import Progress, make_display
from pipeline.progress.measurement import NOTHING_MEASURED, Measured
from pipeline.progress.tally import Tally
from pipeline.runners import choose as runners
from pipeline.runners import flink_rest as flink
from pipeline.runners import remote
from pipeline.runners.job_servers import ended, lost_connections_told
from transforms.dispatch import Terminal, shared_queue
from transforms.fetch import FetchGreeks
from transforms.metrics.summary import RunSummary
from transforms.model import Failure, GreeksRequest
from transforms.output.folder import OutputFolder
from transforms.output.layout import COMPRESSIONS, Layout
from transforms.quality.check import Checking
from transforms.quality.limits import parse_limits
from transforms.schema import schema_of
from transforms.sinks.base import make_sink
from transforms.storage import files
from transforms.workers.process import Owner
from transforms.workers.stop import StopSignal
from transforms.write import WriteGreeks


class WorkerDied(RuntimeError):
    """A process of Beam's workers ended before its work did."""


class DryRun(Exception):
    """The job was translated and packed, and not submitted."""


class Run:
    """A download on its way.

    Args:
        config: what to download.
        options: Beam's.

    Attributes:
        record: what is known of it so far, for the run history.
        interruption: the signal that ended it, if one did.

    Raises:
        OSError: the run history can't be written.
    """

    def __init__(
        self, config: DownloadConfig, options: PipelineOptions, interruption: Interruption
    ) -> None:
        self.local = runners.is_local(options)
        # Workers may run in another folder, or on another machine that has the same files.
        self.config = config = config if self.local else _with_absolute_output(config)
        self.options = options
        self.runner = runners.name_of(options)
        self.interruption = interruption
        self.store = history.open_store(config.metrics, apart=True)
        for record in self.store.bury():
            print(f"an earlier run was killed, and is now marked so: {record['run_id']}")
            sweep(f"{record.get('meta', '')}/unfinished/{record['run_id']}")
        self.record: Record = {
            "request": config.describe(),
            "meta": OutputFolder(config.output).absolute().meta,
        }
        run_id = self.store.start(self.record)
        self.started = time.monotonic()
        self.layout = Layout(
            config.output,
            COMPRESSIONS[config.format][config.compression],
            run_id,
            config.pattern,
        )
        # On this machine, wherever the files go; or where workers elsewhere see it, too.
        shared = not self.local and files.is_local(config.output)
        folder = self.layout.folder.meta if shared else tempfile.gettempdir()
        self.stop = StopSignal(f"{folder}/greeks-{uuid.uuid4().hex}.stop", Owner.current())
        self._inventory = Inventory()
        self._measured: Measured | None = None
        self.unkept = False

    def execute(self) -> RunSummary:
        """Runs the download and returns its summary, in which every request has its result.

        Raises:
            ThetaError: no Terminal answers, or not as one.
            NothingMatched: there is nothing of what was asked for.
            DryRun: the runner took the job, which is all that was asked for.
            Conflict: something is in the way, and nothing was fetched.
            Exception: what the runner raises.
        """
        guard = watchdog.Watchdog(
            lambda: bool(self.interruption),
            self._give_up,
            seconds=watchdog.STOP_SECONDS if self.local else watchdog.CANCEL_SECONDS,
            processes=self.local and runners.has_processes(self.options),
            done=self._all_told,
        )
        with ExitStack() as stack:
            stack.callback(self.stop.clear)
            self.interruption.stop = self._stop
            if self.interruption:
                # It came before there was anything to stop.
                self.stop.set()
            stack.enter_context(guard)
            return self._download(stack)

    def _all_told(self) -> bool:
        told = self._measured.progress.told if self._measured else ()
        return len(told) >= len(self._inventory.missing)

    def _stop(self) -> None:
        self.stop.set()
        if self._measured:
            # The workers take a moment, and what keeps the record may take one, too.
            self.store.ready()

    def _download(self, stack: ExitStack) -> RunSummary:
        config = self.config
        terminals, embedded = stack.enter_context(found_terminals(config, self.stop))
        simulation, origin = one_source(terminals, config, self.stop)
        source = "simulated" if simulation else "live"
        self.record["source"] = {
            "terminal": ",".join(each.url for each in terminals),
            "api": ",".join(dict.fromkeys(each.api for each in terminals)),
            "data": source,
        }
        self.record["concurrency"] = sum(each.slots for each in terminals)
        with terminals[0].client(self.stop) as client:
            plan = make_plan(client, config)
            announce(plan, terminals, source, config)
            self._check_folders()
            stack.enter_context(output_lock(self.layout))
            sweep_dead(self.layout)
            self._inventory = take_stock(plan, self.layout, origin, config)
            tell_skipped(self._inventory.skipped)
            missing = self._inventory.missing
            expected, sizes = self._expect(missing, source)
            refuse_full_disk(client, missing, config, expected)
        self._measured = Measured(
            MemorySampler([embedded.pid] if embedded else []),
            Tally(missing, sizes),
            make_display(config.progress, config.progress_seconds),
            embedded,
        )
        with self._measured as measured:
            summary = self._run_graph(terminals, origin, measured.progress)
        return self._with_skipped(summary)

    def _expect(
        self, requests: Sequence[GreeksRequest], data: str
    ) -> tuple[Estimate | None, Sizes]:
        """Returns what earlier runs tell of a download and of its expirations."""
        lessons = learn(self.config, recent(self.store), data=data)
        self.store.rest()
        concurrency = self.record["concurrency"]
        return from_lessons(requests, self.config, lessons, concurrency), lessons.sizes

    def _run_graph(
        self, terminals: Sequence[Terminal], origin: str, progress: Progress
    ) -> RunSummary:
        config, requests = self.config, self._inventory.missing
        sink = make_sink(config.format, config.compression, schema_of(config.greeks), self.layout)
        # Elsewhere, and in other processes, requests are dealt beforehand.
        one_process = self.local and not runners.has_processes(self.options)
        flink.name_job(self.options, self.layout.run_id)
        runner = runners.prepare(self.options, self.record["concurrency"])
        pipeline = beam.Pipeline(runner=runner, options=self.options)
        checking = Checking(config.check, parse_limits(config.fail_on))
        with ExitStack() as stack:
            queue = None
            if one_process:
                queue = stack.enter_context(shared_queue(requests, terminals))
            fetch = FetchGreeks(
                config.batch_size,
                stop=self.stop,
                listener=progress.address,
                layout=self.layout,
                queue=queue,
            )
            write = WriteGreeks(sink, origin, progress.address, checking)
            build(pipeline, requests, terminals, fetch, write)
            stack.callback(flink.end_job, self.options)
            stack.enter_context(ended(runner))
            if not self.local:
                stack.enter_context(lost_connections_told())
            result = _run(pipeline)
            remote.watch(result, progress.remote, lambda: self.interruption)
            result.wait_until_finish()
        if runners.is_dry(self.options):
            raise DryRun
        document = files.read_json(self.layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {self.layout.summary}")
        summary = RunSummary(**document)
        progress.complete(summary.expirations)
        check_accounts(requests, summary, remote.counters(result) if self.local else None)
        return summary

    def _check_folders(self) -> None:
        """Returns if the output folder and its `.meta` can be written to."""
        try:
            files.make_folder(self.layout.output)
            probe = f"{self.layout.temporary}/probe.json"
            files.write_json(probe, {}, self.layout.temporary)
            files.remove(probe)
        except OSError as error:
            raise Conflict(
                f"--output {self.config.output} can't be written to: {error}"
                + (
                    "; there is a file in its place: choose another folder"
                    if isinstance(error, FileExistsError | NotADirectoryError)
                    else ""
                )
            ) from error

    def _give_up(self, reason: str | None) -> None:
        """Ends the process: from the watchdog's thread, while the main one can't go on."""
        # Beam's threads would tell that the workers died: they are about to be killed.
        threading.excepthook = _untold
        logging.disable()
        watchdog.kill(watchdog.worker_processes())
        flink.end_job(self.options)
        if self._measured:
            self._measured.close_display()
        status, code, error = history.INTERRUPTED, self.interruption.exit_code, None
        if reason is not None:
            print(f"greeks download: {reason}", file=sys.stderr)
            status, code, error = history.FAILED, 1, WorkerDied(reason)
        try:
            summary = self.so_far(error)
            path = self.finish(summary, status)
            conclude(summary, self.record, path, self.layout.output)
            self.stop.clear()
            sys.stdout.flush()
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 -- it is told; there is nobody to raise it to
            traceback.print_exc()
            code = code or 1
        finally:
            # Nobody else can end it.
            os._exit(code)

    def so_far(self, error: BaseException | None) -> RunSummary:
        """Returns the summary of a run whose graph did not come to its end.

        Args:
            error: why, or None if it was interrupted.
        """
        told = self._measured.progress.told if self._measured else ()
        results = results_so_far(self._inventory.missing, told, self.layout)
        summary = self._with_skipped(RunSummary.of(results))
        if error is None:
            return summary
        failure = Failure.of(error)
        of_run = {"expiration": "", "error_type": failure.error_type, "message": failure.message}
        return replace(summary, errors=(*summary.errors, of_run))

    def _with_skipped(self, summary: RunSummary) -> RunSummary:
        there = self._inventory
        return summary.with_skipped(sum(there.skipped.values()), there.empty, there.listed)

    def finish(self, summary: RunSummary, status: str) -> str:
        """Completes the record with what only the launcher knows, keeps it, returns its path."""
        self.record |= self._measured.figures() if self._measured else NOTHING_MEASURED
        seconds = time.monotonic() - self.started
        record = completed(self.record, summary, self.config, status, seconds)
        record["runner"] = self.runner
        self.record = record
        sweep(self.layout.temporary)
        try:
            return self.store.finish(record)
        except OSError as error:
            # It may be a database that was stopped meanwhile: the record of hours must not go.
            self.unkept = True
            path = f"{self.layout.folder.meta}/records/pipeline-run-{self.layout.run_id}.json"
            try:
                files.write_json(path, record, f"{self.layout.folder.meta}/records")
            except OSError as other:
                print(
                    f"greeks download: the record could not be kept: {error}; nor in {path}: "
                    f"{other}",
                    file=sys.stderr,
                )
                return "(not kept)"
            print(f"greeks download: the record is kept in {path}: {error}", file=sys.stderr)
            return path


def _run(pipeline: beam.Pipeline) -> PipelineResult:
    try:
        return pipeline.run()
    except RuntimeError as error:
        if watchdog.CHANNEL_CLOSED in str(error):
            raise WorkerDied(watchdog.DIED) from error
        raise


def _with_absolute_output(config: DownloadConfig) -> DownloadConfig:
    """Returns a download whose output is the same folder, whatever folder a worker runs in."""
    return replace(config, output=OutputFolder(config.output).absolute().path)


def _untold(_args: threading.ExceptHookArgs) -> None:
    pass

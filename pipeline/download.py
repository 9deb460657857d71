"""Runs one download: Terminal, plan, graph, interruption, and the record of it all."""

import os
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import history, remote, runners
from pipeline.config import DownloadConfig
from pipeline.conflicts import Conflict, refuse_conflicts
from pipeline.console import all_empty, announce, conclude
from pipeline.embedded import EmbeddedTerminal
from pipeline.estimate import learn
from pipeline.finding import found_terminal, origin_of
from pipeline.graph import build
from pipeline.history import Record, recent
from pipeline.lean import choose_pool
from pipeline.memory import MemorySampler
from pipeline.plan import NothingMatched, Plan, make_plan
from pipeline.progress import Progress, make_display
from pipeline.record import completed
from pipeline.tally import Tally
from transforms import files
from transforms.dealing import laid_out
from transforms.fetch import Terminal
from transforms.layout import Layout
from transforms.model import Failure, RunSummary
from transforms.schema import schema_of
from transforms.sinks import FORMATS, make_sink
from transforms.stopping import StopSignal
from transforms.thetadata import (
    NotServed,
    TerminalUnreachable,
    ThetaError,
)

OK, SOME_FAILED, USAGE, NO_TERMINAL = 0, 1, 2, 3


class _Run:
    """One run, from its start record to its end record."""

    def __init__(self, config: DownloadConfig, options: PipelineOptions) -> None:
        self.config = config
        self.options = options
        self.store = history.open_store(config.metrics, apart=True)
        for record in self.store.bury():
            print(f"an earlier run was killed, and is now marked so: {record['run_id']}")
            _sweep(record)
        self.record: Record = {
            "request": config.describe(),
            "meta": str(Path(f"{config.output.rstrip('/')}.meta").absolute()),
        }
        self.run_id = self.store.start(self.record)
        self.started = time.monotonic()
        self.layout = Layout(
            config.output,
            FORMATS[config.format].COMPRESSIONS[config.compression],
            self.run_id,
            config.file_name_pattern,
        )
        self.signal: int | None = None
        self.stop = StopSignal(
            os.path.join(tempfile.gettempdir(), f"greeks-{os.getpid()}-{self.run_id}.stop")  # noqa: PTH118 -- workers take it as text
        )
        self.unkept = False

    def execute(self) -> RunSummary:
        """Runs the download and returns the graph's summary."""
        with ExitStack() as stack:
            terminal, embedded = stack.enter_context(found_terminal(self.config))
            with terminal.client(self.stop.is_set) as client:
                simulation = client.simulation()
                source = "simulated" if simulation else "live"
                self.record["source"] = {
                    "terminal": terminal.url, "api": terminal.api, "data": source,
                }  # fmt: skip
                plan = make_plan(client, self.config)
            self.record["concurrency"] = self.config.outstanding(terminal.api)
            announce(plan, terminal, source, self.config)
            origin = origin_of(simulation, terminal.api, self.config)
            self._check_folders()
            refuse_conflicts(plan, self.layout, origin, self.config)
            sampler = MemorySampler([embedded.pid] if embedded else [])
            display = make_display(self.config.progress, self.config.progress_seconds)
            sizes, _ = learn(self.config, recent(self.store), data=source)
            self.store.rest()
            progress = Progress(display, Tally(plan.requests, sizes), sampler)
            try:
                with sampler, progress, self._signals():
                    return self._run_graph(plan, terminal, origin, progress)
            finally:
                self.record["samples"] = progress.samples.columns()
                self._note_memory(sampler, embedded)

    def _check_folders(self) -> None:
        """Returns if the output folder and its `.meta` can be written to."""
        try:
            files.make_folder(self.layout.output)
            files.write_json(f"{self.layout.temporary}/probe.json", {}, self.layout.temporary)
        except OSError as error:
            raise Conflict(f"--output {self.config.output} can't be written to: {error}") from error

    def _run_graph(
        self, plan: Plan, terminal: Terminal, origin: str, progress: Progress
    ) -> RunSummary:
        config = self.config
        sink = make_sink(config.format, config.compression, schema_of(config.greeks), self.layout)
        runner = runners.prepare(self.options, config.outstanding(terminal.api))
        pipeline = beam.Pipeline(runner=runner, options=self.options)
        build(
            pipeline,
            plan.requests,
            terminal,
            sink,
            source=origin,
            batch_size=config.batch_size,
            stop=self.stop,
            listener=progress.address,
        )
        with ExitStack() as stack:
            if runners.is_local(self.options):
                # Another runner may run a bundle again: there, each element is its own request.
                stack.enter_context(laid_out(self.stop.path, plan.requests))
            result = pipeline.run()
            remote.watch(result, progress.remote)
            result.wait_until_finish()
        document = files.read_json(self.layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {self.layout.summary}")
        summary = RunSummary(**document)
        if summary.total_expirations != len(plan.requests):
            raise RuntimeError(
                f"{len(plan.requests)} expirations were asked for, and {summary.total_expirations} "
                "have a result: what has none was lost"
            )
        progress.complete(summary.expirations)
        return summary

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turns SIGINT and SIGTERM into the stop signal; a second one ends at once."""

        def handle(number: int, _frame: types.FrameType | None) -> None:
            if self.signal is not None:
                # The next run marks this one died, and removes its unfinished files.
                os._exit(128 + number)
            self.signal = number
            self.stop.set()
            print("stopping; again to stop at once", file=sys.stderr)

        before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.stop.clear()

    def _note_memory(self, sampler: MemorySampler, embedded: EmbeddedTerminal | None) -> None:
        self.record["peak_memory_usage"] = sampler.peak
        self.record["average_memory_usage"] = sampler.average
        if embedded:
            self.record["embedded_terminal_peak_memory"] = embedded.peak_memory()

    def finish(self, summary: RunSummary, status: str) -> str:
        """Completes the record with what only the launcher knows, keeps it, returns its path."""
        record = completed(
            self.record, summary, self.config, status, time.monotonic() - self.started
        )
        record["runner"] = self.options.get_all_options()["runner"] or "DirectRunner"
        self.record = record
        _remove(self.layout.temporary)
        try:
            return self.store.finish(record)
        except OSError as error:
            # It may be a database that was stopped meanwhile: the record of hours must not go.
            self.unkept = True
            path = f"{self.layout.meta}/records/pipeline-run-{self.run_id}.json"
            print(f"greeks download: the record is kept in {path}: {error}", file=sys.stderr)
            files.write_json(path, record, f"{self.layout.meta}/records")
            return path


def download(config: DownloadConfig, options: PipelineOptions) -> int:
    """Runs a download, prints it, keeps its record, and returns the exit code.

    Returns:
        0 if every expiration was written or empty, or the market was closed; 1 if some failed,
        or nothing matched; 2 if files of other requests are in the way; 3 if no Terminal answers;
        128 and the signal's number if it was interrupted.
    """
    choose_pool(config.format)
    try:
        files.is_local(config.output)
        run = _Run(config, options)
    except (OSError, ValueError) as error:
        print(f"greeks download: --metrics or --output can't be used: {error}", file=sys.stderr)
        return USAGE
    try:
        summary = run.execute()
    except (ThetaError, NothingMatched, Conflict) as error:
        print(f"greeks download: {error}", file=sys.stderr)
        print(f"record: {run.finish(_failed(error), history.FAILED)}")
        return (
            NO_TERMINAL
            if isinstance(error, TerminalUnreachable)
            else USAGE
            if isinstance(error, Conflict | NotServed)
            else SOME_FAILED
        )
    except KeyboardInterrupt as error:
        run.finish(_failed(error), history.INTERRUPTED)
        return 128 + (run.signal or signal.SIGINT)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told, kept, and exit code 1
        # Beam wraps what a worker raises in a traceback of its own runner.
        run.record["traceback"] = traceback.format_exc()
        reason = "".join(traceback.format_exception_only(error)).strip()
        print(f"greeks download: the run failed: {reason}", file=sys.stderr)
        print(f"record, with the traceback: {run.finish(_failed(error), history.FAILED)}")
        return SOME_FAILED
    code = _exit_code(run, summary)
    status = history.SUCCEEDED if code == OK else history.FAILED
    path = run.finish(summary, history.INTERRUPTED if run.signal is not None else status)
    conclude(summary, run.record, path, run.layout.output)
    return _exit_code(run, summary)


def _exit_code(run: _Run, summary: RunSummary) -> int:
    if run.signal is not None:
        return 128 + run.signal
    if run.unkept:
        return SOME_FAILED
    if summary.failed_expirations:
        return SOME_FAILED
    return SOME_FAILED if all_empty(summary) else OK


def _failed(error: BaseException) -> RunSummary:
    failure = Failure.of(error)
    return RunSummary(
        errors=({"expiration": "", "error_type": failure.error_type, "message": failure.message},)
    )


def _sweep(record: Record) -> None:
    """Removes the unfinished files of a run that died, on this machine's file systems."""
    _remove(f"{record.get('meta', '')}/unfinished/{record['run_id']}")


def _remove(folder: str) -> None:
    """Removes a folder, or says why it can't: nothing depends on it any more."""
    try:
        files.remove(folder)
    except (OSError, ValueError) as error:
        print(f"{folder} could not be removed: {error}", file=sys.stderr)

"""Runs one download: Terminal, plan, graph, interruption, and the record of it all."""

import os
import platform
import signal
import sys
import time
import traceback
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import runners, stores
from pipeline.catalog import tell_catalog
from pipeline.config import EMBEDDED, LOCAL_URLS, DownloadConfig
from pipeline.conflicts import Conflict, refuse_conflicts
from pipeline.console import all_empty, announce, conclude
from pipeline.embedded import EmbeddedTerminal, embedded_terminal
from pipeline.graph import build
from pipeline.lean import choose_pool
from pipeline.memory import MemorySampler
from pipeline.plan import NothingMatched, Plan, make_plan
from pipeline.progress import ResultTable
from pipeline.stores import Record, RunStore
from transforms import files
from transforms.dealing import laid_out
from transforms.fetch import Terminal
from transforms.layout import Layout
from transforms.limits import parse_limits
from transforms.model import Failure, RunSummary
from transforms.quality import Checking
from transforms.schema import END_OF_DAY, schema_of
from transforms.sinks import FORMATS, make_sink
from transforms.stopping import StopSignal
from transforms.thetadata import (
    NotServed,
    RetryPolicy,
    TerminalUnreachable,
    ThetaError,
    find_terminal,
)
from transforms.version import __version__

OK, SOME_FAILED, USAGE, NO_TERMINAL = 0, 1, 2, 3


class _Run:
    """One run, from its start record to its end record."""

    def __init__(self, config: DownloadConfig, options: PipelineOptions) -> None:
        self.config = config
        self.options = options
        self.store = RunStore(config.metrics)
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
        self.stop = StopSignal(f"{config.metrics}/running/{self.run_id}.stop")

    def execute(self) -> RunSummary:
        """Runs the download and returns the graph's summary."""
        with ExitStack() as stack:
            embedded = None
            if self.config.terminal == EMBEDDED:
                embedded = stack.enter_context(
                    embedded_terminal(self.config.symbols, self.config.seed)
                )
            urls = [self.config.terminal] if self.config.terminal else list(LOCAL_URLS)
            api = self.config.api
            if embedded:
                urls, api = [embedded.url], "v3"
            terminal = self._terminal(*find_terminal(urls, api))
            with terminal.client(self.stop.is_set) as client:
                simulation = client.simulation()
                source = "simulated" if simulation else "live"
                self.record["source"] = {
                    "terminal": terminal.url, "api": terminal.api, "data": source,
                }  # fmt: skip
                plan = make_plan(client, self.config)
            self.record["concurrency"] = self.config.outstanding(terminal.api)
            announce(plan, terminal, source, self.config)
            # What tells two origins of a file apart: a market's seed, and for end of day, which the
            # generations compute differently, the generation.
            origin = f"simulated, {simulation}" if simulation else "live"
            if self.config.greeks == END_OF_DAY:
                origin += f", {terminal.api}"
            self._check_folders()
            refuse_conflicts(plan, self.layout, origin, self.config)
            sampler = MemorySampler([embedded.pid] if embedded else [])
            try:
                with sampler, ResultTable() as table, self._signals():
                    return self._run_graph(plan, terminal, origin, table)
            finally:
                self._note_memory(sampler, embedded)

    def _check_folders(self) -> None:
        """Returns if the output folder and its `.meta` can be written to."""
        try:
            files.make_folder(self.layout.output)
            files.write_json(f"{self.layout.temporary}/probe.json", {}, self.layout.temporary)
        except OSError as error:
            raise Conflict(f"--output {self.config.output} can't be written to: {error}") from error

    def _terminal(self, url: str, api: str) -> Terminal:
        config = self.config
        policy = RetryPolicy(config.attempts, config.retry_seconds)
        return Terminal(url, api, config.timeout, policy)

    def _run_graph(
        self, plan: Plan, terminal: Terminal, origin: str, table: ResultTable
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
            listener=table.address,
            checking=Checking(config.check, parse_limits(config.fail_on)),
        )
        with ExitStack() as stack:
            if runners.is_local(self.options):
                # Another runner may run a bundle again: there, each element is its own request.
                stack.enter_context(laid_out(self.stop.path, plan.requests))
            pipeline.run().wait_until_finish()
        document = files.read_json(self.layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {self.layout.summary}")
        summary = RunSummary(**document)
        if summary.total_expirations != len(plan.requests):
            raise RuntimeError(
                f"{len(plan.requests)} expirations were asked for, and {summary.total_expirations} "
                "have a result: what has none was lost"
            )
        for result in summary.expirations:
            table.show(result)
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
        seconds = time.monotonic() - self.started
        document = dict(vars(summary))
        expirations = document.pop("expirations")
        record = {
            **{name: self.record.pop(name) for name in ("run_id", "status", "start_time")},
            "status": status,
            "end_time": datetime.now(timezone.utc).isoformat(),
            "total_duration": round(seconds, 3),
            **document,
            "average_throughput": round(summary.total_records / seconds, 1),
            "output_format": self.config.format,
            "compression_used": self.config.compression,
            **self.record,
            "runner": self.options.get_all_options()["runner"] or "DirectRunner",
            "versions": _versions(),
            "expirations": expirations,
        }
        record.pop("owner")
        record.pop("meta")
        self.record = record
        _remove(self.layout.temporary)
        return str(self.store.finish(record))


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
        print(f"record: {run.finish(_failed(error), stores.FAILED)}")
        return (
            NO_TERMINAL
            if isinstance(error, TerminalUnreachable)
            else USAGE
            if isinstance(error, Conflict | NotServed)
            else SOME_FAILED
        )
    except KeyboardInterrupt as error:
        run.finish(_failed(error), stores.INTERRUPTED)
        return 128 + (run.signal or signal.SIGINT)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told, kept, and exit code 1
        # Beam wraps what a worker raises in a traceback of its own runner.
        run.record["traceback"] = traceback.format_exc()
        reason = "".join(traceback.format_exception_only(error)).strip()
        print(f"greeks download: the run failed: {reason}", file=sys.stderr)
        print(f"record, with the traceback: {run.finish(_failed(error), stores.FAILED)}")
        return SOME_FAILED
    code = _exit_code(run, summary)
    status = stores.SUCCEEDED if code == OK else stores.FAILED
    path = run.finish(summary, stores.INTERRUPTED if run.signal is not None else status)
    conclude(summary, run.record, path, run.layout.output)
    tell_catalog(run.layout.output)
    return code


def _exit_code(run: _Run, summary: RunSummary) -> int:
    if run.signal is not None:
        return 128 + run.signal
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


def _versions() -> dict[str, str]:
    return {
        "theta-greeks-pipeline": __version__,
        "apache-beam": version("apache-beam"),
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
    }

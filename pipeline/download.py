"""Runs one download: Terminal, plan, graph, interruption, and the record of it all."""

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
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import runners, stores
from pipeline.config import EMBEDDED, LOCAL_URLS, DownloadConfig
from pipeline.embedded import EmbeddedTerminal, embedded_terminal
from pipeline.graph import build
from pipeline.memory import MemorySampler
from pipeline.plan import NothingMatched, Plan, make_plan
from pipeline.progress import ResultTable, size_text
from pipeline.stores import Record, RunStore
from transforms import files
from transforms.dealing import laid_out
from transforms.fetch import Terminal
from transforms.layout import Layout
from transforms.manifest import Manifest
from transforms.model import Failure, RunSummary
from transforms.schema import schema_of
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


class Conflict(Exception):
    """Files of other requests are in the way."""


class _Run:
    """One run, from its start record to its end record."""

    def __init__(self, config: DownloadConfig, options: PipelineOptions) -> None:
        self.config = config
        self.options = options
        self.store = RunStore(config.metrics)
        for record in self.store.bury():
            print(f"an earlier run was killed, and is now marked so: {record['run_id']}")
            _sweep(record)
        self.record: Record = {"request": config.describe()}
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
                source = "simulated" if client.is_simulated() else "live"
                self.record["source"] = {
                    "terminal": terminal.url, "api": terminal.api, "data": source,
                }  # fmt: skip
                plan = make_plan(client, self.config)
            self.record["concurrency"] = self.config.outstanding(terminal.api)
            _announce(plan, terminal, source, self.config)
            self._refuse_conflicts(plan, source)
            sampler = MemorySampler([embedded.pid] if embedded else [])
            try:
                with sampler, ResultTable() as table, self._signals():
                    return self._run_graph(plan, terminal, source, table)
            finally:
                self._note_memory(sampler, embedded)

    def _terminal(self, url: str, api: str) -> Terminal:
        config = self.config
        policy = RetryPolicy(config.attempts, config.retry_seconds)
        return Terminal(url, api, config.timeout, policy)

    def _run_graph(
        self, plan: Plan, terminal: Terminal, source: str, table: ResultTable
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
            source=source,
            batch_size=config.batch_size,
            stop=self.stop,
            listener=table.address,
        )
        with laid_out(self.stop.path, plan.requests):
            pipeline.run().wait_until_finish()
        document = files.read_json(self.layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {self.layout.summary}")
        summary = RunSummary(**document)
        for result in summary.expirations:
            table.show(result)
        return summary

    def _refuse_conflicts(self, plan: Plan, source: str) -> None:
        manifest = Manifest(self.layout)
        paths: dict[str, str] = {}
        problems = []
        for request in plan.requests:
            path = self.layout.path(request)
            if path in paths:
                problems.append(f"{path} would be made by {paths[path]} and by {request}")
            paths[path] = str(request)
            problem = manifest.conflict(request, source)
            if problem:
                problems.append(problem)
        if problems:
            more = f"\n(and {len(problems) - 3} more)" if len(problems) > 3 else ""
            raise Conflict(
                "nothing was fetched, and every file is as it was:\n"
                + "\n".join(problems[:3])
                + more
                + f"\nTo keep both, write this one elsewhere, such as --output {self._elsewhere()}"
            )

    def _elsewhere(self) -> str:
        """A folder whose name says what makes this request another one."""
        config = self.config
        span = dict.fromkeys((f"{config.start_date:%Y%m%d}", f"{config.end_date:%Y%m%d}"))
        return "-".join([config.output.rstrip("/"), *span, config.interval])

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turns SIGINT and SIGTERM into the stop signal; a second one ends at once."""

        def handle(number: int, _frame: types.FrameType | None) -> None:
            if self.signal is not None:
                raise KeyboardInterrupt
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
        files.remove(self.layout.temporary)
        return str(self.store.finish(record))


def download(config: DownloadConfig, options: PipelineOptions) -> int:
    """Runs a download, prints it, keeps its record, and returns the exit code.

    Returns:
        0 if every expiration was written or empty, or the market was closed; 1 if some failed,
        or nothing matched; 2 if files of other requests are in the way; 3 if no Terminal answers;
        128 and the signal's number if it was interrupted.
    """
    run = _Run(config, options)
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
    _conclude(run, summary, path)
    return code


def _exit_code(run: _Run, summary: RunSummary) -> int:
    if run.signal is not None:
        return 128 + run.signal
    if summary.failed_expirations:
        return SOME_FAILED
    return SOME_FAILED if _all_empty(summary) else OK


def _all_empty(summary: RunSummary) -> bool:
    """Whether nothing came of all that was asked for; what is empty by rule was not asked for."""
    return 0 < summary.total_expirations == summary.empty_expirations and summary.total_requests > 0


def _failed(error: BaseException) -> RunSummary:
    failure = Failure.of(error)
    return RunSummary(
        errors=({"expiration": "", "error_type": failure.error_type, "message": failure.message},)
    )


def _announce(plan: Plan, terminal: Terminal, source: str, config: DownloadConfig) -> None:
    for note in plan.notes:
        print(f"note: {note}")
    if plan.closed:
        days = ", ".join(f"{day:%A} {day}" for day in plan.closed)
        print(f"the market was closed on {days}")
    if plan.requests:
        market = "a simulated market" if source == "simulated" else "ThetaData"
        print(
            f"{len(plan.requests)} expirations of {', '.join(config.symbols)}, "
            f"{len(plan.trading_days)} trade date(s) from {plan.trading_days[0]}, every "
            f"{config.interval}, from {market} at {terminal.url} ({terminal.api}), "
            f"{config.outstanding(terminal.api)} at a time\n"
        )


def _conclude(run: _Run, summary: RunSummary, path: str) -> None:
    record: dict[str, Any] = run.record
    seconds = time.monotonic() - run.started
    counts = [
        f"{count} {status}"
        for status, count in (
            ("written", summary.successful_expirations),
            ("empty", summary.empty_expirations),
            ("failed", summary.failed_expirations),
            ("interrupted", summary.interrupted_expirations),
        )
        if count or status == "written"
    ]
    print(
        f"\n{summary.total_expirations} expirations: {', '.join(counts)}; "
        f"{summary.total_records:,} rows, {size_text(summary.total_data_size)} in {seconds:.1f} s "
        f"({summary.total_records / seconds:,.0f} rows/s), "
        f"peak memory {record['peak_memory_usage']:.0f} MiB"
    )
    for error in summary.errors:
        print(f"failed: {error['expiration']}: {error['message']}", file=sys.stderr)
    if summary.provisional_expirations:
        print(
            f"{summary.provisional_expirations} are provisional: the session of their last trade "
            "date had not ended; run again later"
        )
    if _all_empty(summary):
        print(
            "every expiration was empty on a trading day: the Terminal has no Greeks for it "
            "(too early for the symbol, or not in the subscription)",
            file=sys.stderr,
        )
    print(f"files:   {run.layout.output}")
    print(f"summary: {path}")


def _sweep(record: Record) -> None:
    """Removes the unfinished files of a run that died."""
    layout = Layout(str(record["request"]["output"]), "", str(record["run_id"]))
    files.remove(layout.temporary)


def _versions() -> dict[str, str]:
    return {
        "theta-greeks-pipeline": __version__,
        "apache-beam": version("apache-beam"),
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
    }

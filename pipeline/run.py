"""One run, from its start record to its end record."""

import os
import platform
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import runners, stores, watchdog
from pipeline.accounts import check_accounts
from pipeline.config import EMBEDDED, LOCAL_URLS, DownloadConfig
from pipeline.console import announce, conclude, tell_skipped
from pipeline.disk import refuse_full_disk
from pipeline.embedded import EmbeddedTerminal, embedded_terminal
from pipeline.graph import build
from pipeline.interruption import Interruption
from pipeline.inventory import Conflict, Inventory, take_stock
from pipeline.lock import output_lock
from pipeline.memory import MemorySampler
from pipeline.plan import make_plan
from pipeline.progress import ResultTable
from pipeline.sofar import results_so_far
from pipeline.stores import Record, RunStore
from transforms import files
from transforms.dealing import laid_out
from transforms.fetch import Terminal
from transforms.layout import Layout
from transforms.limits import parse_limits
from transforms.metrics import NAMESPACE
from transforms.model import Failure, RunSummary
from transforms.owner import Owner
from transforms.quality import Checking
from transforms.schema import END_OF_DAY, schema_of
from transforms.sinks import FORMATS, make_sink
from transforms.stopping import StopSignal
from transforms.thetadata import RetryPolicy, find_terminal
from transforms.version import __version__


class WorkerDied(RuntimeError):
    """A process of Beam's workers ended before its work did."""


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

    def __init__(self, config: DownloadConfig, options: PipelineOptions) -> None:
        self.config = config
        self.options = options
        self.store = RunStore(config.metrics)
        for record in self.store.bury():
            print(f"an earlier run was killed, and is now marked so: {record['run_id']}")
            sweep(f"{record.get('meta', '')}/unfinished/{record['run_id']}")
        self.record: Record = {
            "request": config.describe(),
            "meta": str(Path(f"{config.output.rstrip('/')}.meta").absolute()),
        }
        run_id = self.store.start(self.record)
        self.started = time.monotonic()
        self.layout = Layout(
            config.output,
            FORMATS[config.format].COMPRESSIONS[config.compression],
            run_id,
            config.pattern,
        )
        # On this machine, wherever the files and the records go.
        path = f"{tempfile.gettempdir()}/greeks-{uuid.uuid4().hex}.stop"
        self.stop = StopSignal(path, Owner.current())
        self.interruption = Interruption(self.stop.set)
        self._inventory = Inventory((), ())
        self._table: ResultTable | None = None
        self._sampler: MemorySampler | None = None
        self._embedded: EmbeddedTerminal | None = None

    def execute(self) -> RunSummary:
        """Runs the download and returns its summary, in which every request has its result.

        Raises:
            ThetaError: no Terminal answers, or not as one.
            NothingMatched: there is nothing of what was asked for.
            Conflict: something is in the way, and nothing was fetched.
            Exception: what the runner raises.
        """
        local = runners.is_local(self.options)
        guard = watchdog.Watchdog(
            lambda: bool(self.interruption),
            self._give_up,
            processes=local and runners.has_processes(self.options),
        )
        with ExitStack() as stack:
            stack.callback(self.stop.clear)
            stack.enter_context(self.interruption.heeded())
            stack.enter_context(guard)
            return self._download(stack)

    def _download(self, stack: ExitStack) -> RunSummary:
        config = self.config
        urls, api = [config.terminal] if config.terminal else list(LOCAL_URLS), config.api
        if config.terminal == EMBEDDED:
            embedded = stack.enter_context(embedded_terminal(config.symbols, config.seed))
            self._embedded, urls, api = embedded, [embedded.url], "v3"
        terminal = self._terminal(*find_terminal(urls, api, stop=self.stop))
        with terminal.client(self.stop) as client:
            simulation = client.simulation()
            source = "simulated" if simulation else "live"
            self.record["source"] = {
                "terminal": terminal.url, "api": terminal.api, "data": source,
            }  # fmt: skip
            self.record["concurrency"] = config.outstanding(terminal.api)
            plan = make_plan(client, config)
            announce(plan, terminal, source, config)
            self._check_folders()
            stack.enter_context(output_lock(self.layout))
            sweep_dead(self.layout)
            # What tells two origins of a file apart: a market's seed, and for end of day, which the
            # generations compute differently, the generation.
            origin = f"simulated, {simulation}" if simulation else "live"
            if config.greeks == END_OF_DAY:
                origin += f", {terminal.api}"
            self._inventory = take_stock(plan, self.layout, origin, config)
            tell_skipped(self._inventory.skipped)
            refuse_full_disk(client, self._inventory.missing, config)
        self._sampler = MemorySampler([self._embedded.pid] if self._embedded else [])
        with self._sampler, ResultTable() as self._table:
            summary = self._run_graph(terminal, origin, self._table)
        return summary.with_skipped(self._inventory.skipped)

    def _run_graph(self, terminal: Terminal, origin: str, table: ResultTable) -> RunSummary:
        config, requests = self.config, self._inventory.missing
        sink = make_sink(config.format, config.compression, schema_of(config.greeks), self.layout)
        local = runners.is_local(self.options)
        runner = runners.prepare(self.options, config.outstanding(terminal.api))
        pipeline = beam.Pipeline(runner=runner, options=self.options)
        build(
            pipeline,
            requests,
            terminal,
            sink,
            source=origin,
            batch_size=config.batch_size,
            stop=self.stop,
            listener=table.address,
            checking=Checking(config.check, parse_limits(config.fail_on)),
        )
        with ExitStack() as stack:
            if local:
                # Another runner may run a bundle again: there, each element is its own request.
                stack.enter_context(laid_out(self.stop.path, requests))
            result = pipeline.run()
            result.wait_until_finish()
        document = files.read_json(self.layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {self.layout.summary}")
        summary = RunSummary(**document)
        for told in summary.expirations:
            table.show(told)
        check_accounts(requests, summary, _counters(result) if local else None)
        return summary

    def _terminal(self, url: str, api: str) -> Terminal:
        config = self.config
        policy = RetryPolicy(config.attempts, config.retry_seconds)
        return Terminal(url, api, config.timeout, policy)

    def _check_folders(self) -> None:
        """Returns if the output folder and its `.meta` can be written to."""
        try:
            files.make_folder(self.layout.output)
            probe = f"{self.layout.temporary}/probe.json"
            files.write_json(probe, {}, self.layout.temporary)
            files.remove(probe)
        except OSError as error:
            raise Conflict(f"--output {self.config.output} can't be written to: {error}") from error

    def _give_up(self, reason: str | None) -> None:
        """Ends the process: from the watchdog's thread, while the main one can't go on."""
        # Beam's threads would tell that the workers died: they are about to be killed.
        threading.excepthook = _untold
        watchdog.kill(watchdog.worker_processes())
        status, code, error = stores.INTERRUPTED, self.interruption.exit_code, None
        if reason is not None:
            print(f"greeks download: {reason}", file=sys.stderr)
            status, code, error = stores.FAILED, 1, WorkerDied(reason)
        summary = self.so_far(error)
        path = self.finish(summary, status)
        conclude(summary, self.record, path, self.layout.output)
        self.stop.clear()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def so_far(self, error: BaseException | None) -> RunSummary:
        """Returns the summary of a run whose graph did not come to its end.

        Args:
            error: why, or None if it was interrupted.
        """
        told = self._table.told if self._table else ()
        results = results_so_far(self._inventory.missing, told, self.layout)
        summary = RunSummary.of(results).with_skipped(self._inventory.skipped)
        if error is None:
            return summary
        failure = Failure.of(error)
        of_run = {"expiration": "", "error_type": failure.error_type, "message": failure.message}
        return replace(summary, errors=(*summary.errors, of_run))

    def finish(self, summary: RunSummary, status: str) -> str:
        """Completes the record with what only the launcher knows, keeps it, returns its path."""
        seconds = time.monotonic() - self.started
        self.record["peak_memory_usage"] = self._sampler.peak if self._sampler else 0.0
        self.record["average_memory_usage"] = self._sampler.average if self._sampler else 0.0
        if self._embedded:
            self.record["embedded_terminal_peak_memory"] = self._embedded.peak_memory()
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
        sweep(self.layout.temporary)
        return str(self.store.finish(record))


def _untold(_args: threading.ExceptHookArgs) -> None:
    pass


def sweep_dead(layout: Layout) -> None:
    """Removes the unfinished files of runs that died: who has the lock knows that none lives."""
    if files.is_local(layout.output):
        for folder in Path(layout.unfinished).iterdir():
            if folder.name != layout.run_id:
                sweep(str(folder))


def sweep(folder: str) -> None:
    """Removes a folder, or says why it can't: nothing depends on it any more."""
    try:
        files.remove(folder)
    except (OSError, ValueError) as error:
        print(f"{folder} could not be removed: {error}", file=sys.stderr)


def _counters(result: beam.runners.runner.PipelineResult) -> Mapping[str, int]:
    query = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))
    return {each.key.metric.name: each.result for each in query["counters"]}


def _versions() -> dict[str, str]:
    return {
        "theta-greeks-pipeline": __version__,
        "apache-beam": version("apache-beam"),
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
    }

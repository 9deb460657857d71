"""The Beam job of a run: from its requests to the summary that its graph leaves."""

import contextlib
import shutil
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from pipeline import runners
from pipeline.graph import build
from pipeline.planning.source import Source
from pipeline.process import watchdog
from pipeline.progress.listener import Progress
from pipeline.run.accounting import check_accounts
from pipeline.run.partial_results import with_interrupted
from pipeline.run.session import Session
from pipeline.runners import flink_rest, remote
from pipeline.runners.beam_patches import plain_labels
from pipeline.runners.job_servers import ended
from transforms.dispatch import shared_queue
from transforms.fetch import FetchGreeks
from transforms.metrics.results_file import gather, read_results
from transforms.metrics.summary import RunSummary
from transforms.quality.gate import QualityGate
from transforms.quality.limits import parse_limits
from transforms.sinks.formats import make_sink
from transforms.storage import documents, files
from transforms.write import WriteGreeks


class WorkerDied(RuntimeError):
    """A process of Beam's workers ended before its work did."""


class DryRun(Exception):
    """The job was translated and packed, and not submitted."""


class Job:
    """How a run's graph is run.

    Args:
        options: Beam's. They are completed with what the run needs.

    Attributes:
        runner: the runner's name.
        local: whether the workers are started by this process, on this machine.
        processes: whether they are processes of their own.
    """

    def __init__(self, options: PipelineOptions) -> None:
        self._options = options
        self.runner = runners.name_of(options)
        self.local = runners.is_local(options)
        self.processes = self.local and runners.has_processes(options)

    def run(self, session: Session, source: Source, progress: Progress) -> RunSummary:
        """Fetches what the session's inventory misses, and returns the summary of that.

        Raises:
            DryRun: the runner took the job of a dry run.
            WorkerDied: a worker's process ended.
            BooksDiffer: the summary does not agree with the requests.
            Exception: what the runner raises.
        """
        config, layout, requests = session.config, session.layout, session.inventory.missing
        flink_rest.name_job(self._options, layout.run_id)
        runner = runners.prepare(self._options, source.concurrency)
        pipeline = beam.Pipeline(runner=runner, options=self._options)
        sink = make_sink(config.format, config.compression, layout)
        gate = QualityGate(config.check, parse_limits(config.fail_on))
        with ExitStack() as stack:
            stack.callback(self.end)
            stack.enter_context(ended(runner))
            queue = None
            if self.local and not self.processes:
                shared_days = session.inventory.shared_days
                queue = stack.enter_context(shared_queue(requests, source.terminals, shared_days))
            fetch = FetchGreeks(
                config.batch_size,
                stop=session.stop,
                listener=progress.address,
                layout=layout,
                queue=queue,
            )
            write = WriteGreeks(sink, source.origin, progress.address, gate)
            results = session.results if self.local else _shared_results(session)
            with plain_labels():
                build(pipeline, requests, source.terminals, fetch, write, results)
            if place := getattr(pipeline, "local_tempdir", ""):
                # Beam leaves it to what it has for notebooks there.
                stack.callback(shutil.rmtree, place, ignore_errors=True)
            try:
                result = _run(pipeline)
                remote.watch(result, progress.remote, session.stop.is_set)
                result.wait_until_finish()
            except BaseException:
                self.save_results(session)
                raise
        if runners.is_dry(self._options):
            raise DryRun
        document = documents.read_json(layout.summary)
        if document is None:
            raise RuntimeError(f"the run left no summary at {layout.summary}")
        summary = RunSummary(**document)
        if summary.results_files and not self.local:
            here = f"{session.results}/all.jsonl"
            gather(summary.results_files, here)
            summary = replace(summary, results_files=(here,))
        progress.complete(chain(summary.expirations, read_results(summary.results_files)))
        counters = remote.counters(result) if self.local else None
        marks = check_accounts(
            session.inventory.keys, summary, counters, stopped=session.stop.is_set()
        )
        return with_interrupted(summary, marks)

    def save_results(self, session: Session) -> None:
        """Fetches what results there are of workers elsewhere, once they end without a summary."""
        if self.local:
            return
        with contextlib.suppress(OSError):  # there is a worse error to report
            paths = [*files.below(_shared_results(session))]
            gather(paths, f"{session.results}/some.jsonl")

    def end(self) -> None:
        """Ends the job where it runs on without this process: on a Flink cluster."""
        flink_rest.end_job(self._options)


def _shared_results(session: Session) -> str:
    return f"{session.layout.temporary}/results"


def _run(pipeline: beam.Pipeline) -> PipelineResult:
    try:
        return pipeline.run()
    except RuntimeError as error:
        if watchdog.CHANNEL_CLOSED in str(error):
            raise WorkerDied(watchdog.DIED) from error
        raise

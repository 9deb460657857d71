"""A run in a thread of its own, beside the program that takes its results."""

import threading
import traceback
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import history, runners
from pipeline.config import DownloadConfig
from pipeline.errors import ConfigError
from pipeline.messages import Logged
from pipeline.progress.display import Display
from pipeline.progress.listener import make_display
from pipeline.run.execute import execute
from pipeline.run.job import Job
from pipeline.run.messages import succeeded
from pipeline.run.partial_results import result_of_described
from pipeline.run.session import Session
from pipeline.run.waiting import Waiting
from pipeline.runners.job_servers import check_runner
from transforms.metrics.summary import RunSummary
from transforms.model import ExpirationResult, key_of
from transforms.storage import files

_LOOK_SECONDS = 0.25


class _Handing(Display):
    """Hands the results on, and has another display show all but these."""

    def __init__(self, shown: Display, waiting: Waiting) -> None:
        self.seconds = shown.seconds
        self._waiting = waiting
        # With its methods this one's own are those of the other.
        self.news, self.draw, self.close = shown.news, shown.draw, shown.close  # type: ignore[method-assign]
        self.draw_last = shown.draw_last  # type: ignore[method-assign]

    def result(self, result: Mapping[str, Any]) -> None:
        self._waiting.put(result)


class BackgroundRun:
    """A run in a thread, which changes nothing of the process.

    Args:
        config: what to download.
        progress: where it is shown how far it is, as `--progress`.
        waiting: takes the results, and that they end.
        options: Beam's.

    Attributes:
        session: of the run.

    Raises:
        ConfigError: an option, the output or the run history can't be used.
    """

    def __init__(
        self,
        config: DownloadConfig,
        progress: str,
        waiting: Waiting,
        options: PipelineOptions | None = None,
    ) -> None:
        # They are completed for the run, and the caller's are to stay as they are.
        options = PipelineOptions([]) if options is None else deepcopy(options)
        check_runner(runners.name_of(options), options)
        FileSystems.set_options(options)
        self._job = Job(options)
        self._waiting = waiting
        display = _Handing(make_display(progress, config.progress_seconds, shared=True), waiting)
        try:
            files.check_place(config.output)
            self.session = Session(
                config,
                runner=self._job.runner,
                local=self._job.local,
                messages=Logged(),
                display=display,
            )
        except (OSError, ValueError) as error:
            raise ConfigError(f"--metrics or --output can't be used: {error}") from error
        self._summary: RunSummary | None = None
        self._error: BaseException | None = None
        self._stopped = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="download")
        self._watch = threading.Thread(target=self._look, name="download watch", daemon=True)

    def start(self) -> None:
        """Starts it."""
        self._watch.start()
        self._thread.start()

    def result(self, described: Mapping[str, Any]) -> ExpirationResult:
        """Returns a result of the run that a document describes."""
        return result_of_described(
            self.session.inventory.keys.request(key_of(described)), described
        )

    def stop(self) -> None:
        """Ends it, if it has not ended, and waits for its end."""
        if self._thread.is_alive():
            self._ask_to_stop()
            self._thread.join()
            self.session.stop.clear()
        if self._watch.is_alive():
            self._watch.join()

    def summary(self) -> RunSummary:
        """Returns the summary of a run that ended, or raises what ended it."""
        if self._error is not None:
            raise self._error
        assert self._summary is not None  # noqa: S101 -- it is one or the other
        return self._summary

    def _look(self) -> None:
        # Python waits for the run when the program ends, whose last results nobody will take.
        while not self._ended.wait(_LOOK_SECONDS):
            if not threading.main_thread().is_alive():
                self._ask_to_stop()
                return

    def _ask_to_stop(self) -> None:
        # The session forgets it at its end.
        self._stopped = True
        self.session.ask_to_stop()

    def _run(self) -> None:
        try:
            self._summary = self._executed()
        except BaseException as error:  # noqa: BLE001 -- it is raised where the results are taken
            self._error = error
        finally:
            self._ended.set()
            self._waiting.end()

    def _executed(self) -> RunSummary:
        session = self.session
        try:
            summary = session.with_prices(execute(session, self._job))
        except BaseException as error:
            session.record["traceback"] = traceback.format_exc()
            status = history.INTERRUPTED if self._stopped else history.FAILED
            session.finish_early(error, status)
            raise
        status = history.SUCCEEDED if succeeded(summary) else history.FAILED
        path = session.finish(summary, history.INTERRUPTED if self._stopped else status)
        session.print_catalog()
        if session.unkept:
            raise OSError(f"the files are whole, but the record of the run is in {path} alone")
        return summary

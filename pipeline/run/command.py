"""Runs one download as a process's own: signals, exit code, and what it prints at its end.

What changes the whole process (its signals, allocator, Beam's inner functions, logging, its end by
force) is done here and nowhere below.
"""

import logging
import os
import sys
import threading
import traceback
from contextlib import ExitStack, nullcontext, redirect_stdout

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import history
from pipeline.config import DownloadConfig
from pipeline.errors import Conflict, NothingMatched
from pipeline.folder.writers import sweep
from pipeline.process import watchdog
from pipeline.process.footprint import choose_pool, give_back
from pipeline.process.signals import Interruption
from pipeline.process.standard_output import print_line
from pipeline.process.temporary import own_temporary_folder, remove_temporary_folder
from pipeline.progress.events import Events
from pipeline.run.execute import execute
from pipeline.run.job import DryRun, Job, WorkerDied
from pipeline.run.messages import conclude, succeeded
from pipeline.run.session import Session
from pipeline.runners.beam_patches import patch_beam
from pipeline.runners.job_servers import quiet_engines
from pipeline.text import count, way_to_write
from transforms.metrics.summary import RunSummary
from transforms.storage import files, stores
from transforms.thetadata import NotServed, TerminalUnreachable, ThetaError

OK, SOME_FAILED, USAGE, NO_TERMINAL = 0, 1, 2, 3


def download(config: DownloadConfig, options: PipelineOptions, as_json: bool = False) -> int:
    """Runs a download, prints it, keeps its record, and returns the exit code.

    Args:
        config: the download.
        options: Beam's.
        as_json: standard output has the run's events and nothing else, which goes to standard
            error.

    Returns:
        0 if every expiration was written, empty or skipped, or the market was closed; 1 if some
        failed, or a symbol's list of them, or nothing matched; 2 if files of other requests or
        another run are in the way; 3 if no Terminal answers; 128 and the signal's number if it was
        interrupted.
    """
    choose_pool()
    patch_beam()
    if stores.of(config.output) or stores.of(config.metrics):
        give_back()
    # Beam does so when it builds the graph; the run history and the manifest come before.
    FileSystems.set_options(options)
    interruption = Interruption()
    events = Events(sys.stdout) if as_json else None
    with (
        redirect_stdout(sys.stderr) if as_json else nullcontext(),
        own_temporary_folder(),
        interruption.heeded(),
    ):
        return _Command(config, options, interruption, events).run()


class _Command:
    """A run in the process of a command."""

    def __init__(
        self,
        config: DownloadConfig,
        options: PipelineOptions,
        interruption: Interruption,
        events: Events | None,
    ) -> None:
        self._events = events
        self._config = config
        self._job = Job(options)
        self._interruption = interruption

    def run(self) -> int:
        try:
            session = self._open_session()
        except history.StoreError as error:
            way_out = f"; {way_to_write('metrics')}" * isinstance(error.__cause__, OSError)
            print_line(f"greeks download: --metrics: {error}{way_out}", sys.stderr)
            return USAGE
        except (OSError, ValueError) as error:
            print_line(f"greeks download: --output: {error}", sys.stderr)
            return USAGE
        try:
            summary = session.with_prices(self._execute(session))
        except DryRun:
            number = count(len(session.inventory.missing), self._config.noun)
            print(
                f"dry run: {self._job.runner} took the job of {number}, and nothing was submitted"
            )
            session.record["dry_run"] = True
            nothing = session.with_skipped(RunSummary.of([]))
            print(f"record: {session.finish(nothing, history.SUCCEEDED)}")
            return OK
        except (ThetaError, NothingMatched, Conflict) as error:
            if self._interruption:
                return self._interrupted(session, error)
            # Nothing was fetched, and the folder may be another run's.
            print(f"greeks download: {error}", file=sys.stderr)
            print(f"record: {session.finish_early(error, history.FAILED)}")
            if isinstance(error, TerminalUnreachable):
                return NO_TERMINAL
            return USAGE if isinstance(error, Conflict | NotServed) else SOME_FAILED
        except Exception as error:  # noqa: BLE001 -- it is printed, kept, and exit code 1
            # Beam wraps what a worker raises in a traceback of its own runner.
            session.record["traceback"] = traceback.format_exc()
            if self._interruption:
                return self._interrupted(session, error)
            reason = "".join(traceback.format_exception_only(error)).strip()
            print(f"greeks download: the run failed: {reason}", file=sys.stderr)
            path = session.finish_early(error, history.FAILED)
            print(f"record, with the traceback: {path}")
            session.print_catalog()
            return SOME_FAILED
        status = history.FAILED if self._exit_code(session, summary) else history.SUCCEEDED
        self._conclude(session, summary, history.INTERRUPTED if self._interruption else status)
        return self._exit_code(session, summary)

    def _open_session(self) -> Session:
        """Begins the run, which a signal ends even where its history does not answer.

        Raises:
            OSError, ValueError: the output or the history can't be used.
        """
        with watchdog.Watchdog(
            lambda: bool(self._interruption), lambda _reason: self._leave(), processes=False
        ):
            files.check_place(self._config.output)
            return Session(
                self._config,
                runner=self._job.runner,
                local=self._job.local,
                events=self._events,
            )

    def _leave(self) -> None:
        """Ends the process before its run has begun."""
        print("interrupted before the run began; nothing was fetched", file=sys.stderr)
        sys.stderr.flush()
        os._exit(self._interruption.exit_code)

    def _conclude(self, session: Session, summary: RunSummary, status: str) -> None:
        path = session.finish(summary, status)
        conclude(summary, session.record, path, session.layout.output)
        session.print_catalog()

    def _execute(self, session: Session) -> RunSummary:
        """Runs the download, which a signal stops, and which is ended where it can't end itself."""
        self._interruption.stop, self._interruption.say = session.ask_to_stop, session.say
        if self._interruption:
            # It came before there was anything to stop.
            session.ask_to_stop()
        local = self._job.local
        with ExitStack() as stack:
            if not local:
                stack.enter_context(quiet_engines())
            stack.enter_context(
                watchdog.Watchdog(
                    lambda: bool(self._interruption),
                    lambda reason: self._end_process(session, reason),
                    seconds=watchdog.STOP_SECONDS if local else watchdog.CANCEL_SECONDS,
                    processes=self._job.processes,
                    done=session.has_all_results,
                )
            )
            return execute(session, self._job)

    def _interrupted(self, session: Session, error: Exception) -> int:
        """Ends a run that was asked to stop before it had anything to show for it."""
        path = session.finish_early(error, history.INTERRUPTED)
        print(f"interrupted; record: {path}")
        session.print_catalog()
        return self._interruption.exit_code

    def _exit_code(self, session: Session, summary: RunSummary) -> int:
        if self._interruption:
            return self._interruption.exit_code
        # Without a signal, nothing may have been interrupted.
        return OK if succeeded(summary) and not session.unkept else SOME_FAILED

    def _end_process(self, session: Session, reason: str | None) -> None:
        """Ends the process from the watchdog's thread, where the main one can't go on."""
        # Beam's threads would report that the workers died: they are about to be killed.
        threading.excepthook = lambda _args: None
        logging.disable()
        watchdog.kill(watchdog.worker_processes())
        self._job.end()
        self._job.save_results(session)
        sweep(session.layout.folder, session.layout.run_id)
        if session.measured:
            session.measured.close_display()
        status, code, error = history.INTERRUPTED, self._interruption.exit_code, None
        if reason is not None:
            print(f"greeks download: {reason}", file=sys.stderr)
            status, code, error = history.FAILED, SOME_FAILED, WorkerDied(reason)
        try:
            self._conclude(session, session.with_prices(session.results_so_far(error)), status)
            session.stop.clear()
            sys.stdout.flush()
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 -- it is printed; there is nobody to raise it to
            traceback.print_exc()
            code = code or SOME_FAILED
        finally:
            remove_temporary_folder()
            # Nobody else can end it.
            os._exit(code)

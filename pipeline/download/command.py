"""Runs one download and says how it ended: on the screen, in its record, by the exit code."""

import sys
import traceback

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import history
from pipeline.config.download_config import DownloadConfig
from pipeline.download.messages import all_empty, conclude
from pipeline.download.run import DryRun, Run
from pipeline.errors import Conflict, NothingMatched
from pipeline.folder.catalog import tell_catalog
from pipeline.process.footprint import choose_pool, give_back
from pipeline.process.signals import Interruption
from pipeline.runners.beam_patches import take_shortcuts
from transforms.metrics.summary import RunSummary
from transforms.storage import files, stores
from transforms.thetadata import NotServed, TerminalUnreachable, ThetaError

OK, SOME_FAILED, USAGE, NO_TERMINAL = 0, 1, 2, 3


def download(config: DownloadConfig, options: PipelineOptions) -> int:
    """Runs a download, prints it, keeps its record, and returns the exit code.

    Returns:
        0 if every expiration was written, empty or skipped, or the market was closed; 1 if some
        failed, or nothing matched; 2 if files of other requests or another run are in the way; 3
        if no Terminal answers; 128 and the signal's number if it was interrupted.
    """
    choose_pool()
    take_shortcuts()
    if stores.of(config.output) or stores.of(config.metrics):
        give_back()
    # Beam does so when it builds the graph; the run history and the manifest come before.
    FileSystems.set_options(options)
    interruption = Interruption()
    with interruption.heeded():
        return _download(config, options, interruption)


def _download(config: DownloadConfig, options: PipelineOptions, interruption: Interruption) -> int:
    try:
        files.check_place(config.output)
        run = Run(config, options, interruption)
    except (OSError, ValueError) as error:
        print(f"greeks download: --metrics or --output can't be used: {error}", file=sys.stderr)
        return USAGE
    try:
        summary = run.execute()
    except DryRun:
        print(
            f"dry run: {run.runner} took the job of {len(run.so_far(None).expirations)} "
            "expirations, and nothing was submitted"
        )
        print(f"record: {run.finish(run.so_far(None), history.INTERRUPTED)}")
        return OK
    except (ThetaError, NothingMatched, Conflict) as error:
        if run.interruption:
            return _interrupted(run, error)
        print(f"greeks download: {error}", file=sys.stderr)
        print(f"record: {run.finish(run.so_far(error), history.FAILED)}")
        return (
            NO_TERMINAL
            if isinstance(error, TerminalUnreachable)
            else USAGE
            if isinstance(error, Conflict | NotServed)
            else SOME_FAILED
        )
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told, kept, and exit code 1
        # Beam wraps what a worker raises in a traceback of its own runner.
        run.record["traceback"] = traceback.format_exc()
        if run.interruption:
            return _interrupted(run, error)
        reason = "".join(traceback.format_exception_only(error)).strip()
        print(f"greeks download: the run failed: {reason}", file=sys.stderr)
        print(f"record, with the traceback: {run.finish(run.so_far(error), history.FAILED)}")
        return SOME_FAILED
    code = _exit_code(run, summary)
    status = history.SUCCEEDED if code == OK else history.FAILED
    path = run.finish(summary, history.INTERRUPTED if run.interruption else status)
    conclude(summary, run.record, path, run.layout.output)
    tell_catalog(run.layout.output)
    return _exit_code(run, summary)


def _interrupted(run: Run, error: Exception) -> int:
    """Ends a run that was asked to stop before it had anything to show for it."""
    print(f"interrupted; record: {run.finish(run.so_far(error), history.INTERRUPTED)}")
    return run.interruption.exit_code


def _exit_code(run: Run, summary: RunSummary) -> int:
    if run.interruption:
        return run.interruption.exit_code
    # Without a signal, nothing may have been interrupted.
    if run.unkept or summary.failed_expirations or summary.interrupted_expirations:
        return SOME_FAILED
    return SOME_FAILED if all_empty(summary) else OK

"""Downloads from Python: the results one by one while a run goes on, or its summary at its end.

A run is in a thread of its own, so that a Ctrl-C or an exception of the caller's reaches the
caller, who then asks the run to stop. Nothing of the process is changed: `command` does that for a
process of its own.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from pipeline.config import DownloadConfig
from pipeline.process.log import kept_log
from pipeline.run.waiting import Waiting

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from transforms.metrics.summary import RunSummary
    from transforms.model import ExpirationResult


def stream(
    config: DownloadConfig | None = None,
    /,
    *,
    progress: str = "none",
    options: "PipelineOptions | None" = None,
    **settings: Any,
) -> "Generator[ExpirationResult, None, RunSummary]":
    """Downloads, and yields the result of each expiration as soon as its file is in place.

    The run begins with the first result that is asked for, and goes on by itself: a slow reader
    holds up no worker, since results wait for it in a temporary file, a kilobyte for each. When the
    generator is closed, by the end of a loop that is left early or by a Ctrl-C, the run is
    interrupted: its files are whole, its record is kept as `interrupted`, and the next run fetches
    the rest.

    What an earlier run has downloaded is skipped, and not yielded.

    Args:
        config: what to download.
        progress: where it is shown how far the run is, as `--progress`: `auto` is a bar, in a
            terminal and in a cell of Jupyter.
        options: Beam's, such as the runner or a store's address; they stay as they are. From
            another runner than the local one, results come as it hands them back: at the end.
        settings: in place of `config`, as `DownloadConfig.of` takes them.

    Returns:
        The summary of the run, as the value of the generator.

    Raises:
        ConfigError: a setting or an option can't be used.
        ThetaError: no Terminal answers, or not as one.
        NothingMatched: the Terminal lists nothing that was requested.
        Conflict: files of other requests, or another run, are in the way.
        OSError: the record of the run could not be kept where it should be.
        Exception: what ended the run otherwise. An expiration that fails ends no run: its result
            is `failed`.
    """
    if config is None:
        config = DownloadConfig.of(**settings)
    elif settings:
        raise TypeError(f"settings beside a configuration: {', '.join(settings)}")
    return _results(config, progress, options)


def download(
    config: DownloadConfig | None = None,
    /,
    *,
    progress: str = "none",
    options: "PipelineOptions | None" = None,
    **settings: Any,
) -> "RunSummary":
    """Downloads, and returns the summary of the run.

    Takes what `stream` takes, and raises what it raises. Expirations that failed are in the
    `errors` of the summary.
    """
    results = stream(config, progress=progress, options=options, **settings)
    while True:
        try:
            next(results)
        except StopIteration as end:
            summary: RunSummary = end.value
            return summary


def _results(
    config: DownloadConfig, progress: str, options: "PipelineOptions | None"
) -> "Generator[ExpirationResult, None, RunSummary]":
    with kept_log(), Waiting() as waiting:
        from pipeline.run.background import BackgroundRun

        run = BackgroundRun(config, progress, waiting, options)
        try:
            run.start()
            while (described := waiting.take()) is not None:
                yield run.result(described)
        finally:
            run.stop()
        return run.summary()

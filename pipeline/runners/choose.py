"""Which runner runs the graph, and with which options."""

import shlex
import sys

from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
    TestOptions,
    WorkerOptions,
)
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.transforms import environments

from pipeline.process.watchdog import WORKER
from pipeline.runners import job_servers as jobservers
from pipeline.runners.bound import bind

LOCAL = ("", "directrunner", "fnapirunner")


def is_local(options: PipelineOptions) -> bool:
    """Returns whether the graph runs on this machine, started by us."""
    return (options.view_as(StandardOptions).runner or "").lower() in LOCAL


def name_of(options: PipelineOptions) -> str:
    """Returns the runner's name, as the run's record keeps it."""
    return options.view_as(StandardOptions).runner or "DirectRunner"


def has_processes(options: PipelineOptions) -> bool:
    """Returns whether the local runner's workers are to be processes of their own."""
    return bool(options.view_as(DirectOptions).direct_running_mode == "multi_processing")


def is_dry(options: PipelineOptions) -> bool:
    """Returns whether the job is to be translated and not submitted: Beam's `--dry_run`."""
    dry = options.view_as(TestOptions).dry_run
    return bool(dry) and name_of(options).lower() == "dataflowrunner"


def prepare(options: PipelineOptions, concurrency: int) -> PipelineRunner:
    """Returns the runner that `options` name, and sets its workers.

    `DirectRunner` means Beam's FnApiRunner with `concurrency` workers in this process: Beam's own
    switch would first try to download a binary of Prism.
    """
    standard = options.view_as(StandardOptions)
    if not is_local(options):
        ours = jobservers.RUNNERS.get(standard.runner.lower())
        return ours() if ours else create_runner(standard.runner)
    standard.runner = "FnApiRunner"
    direct = options.view_as(DirectOptions)
    direct.direct_num_workers = concurrency
    environment = None
    if direct.direct_running_mode == "multi_processing":
        # In its own mode of that name the runner starts workers without our options, which die
        # of a Ctrl-C and leave it waiting for ever. These get the options and ignore the signal,
        # end with this process however that ends, and print no secret.
        direct.direct_running_mode = "in_memory"
        workers = options.view_as(WorkerOptions)
        workers.default_sdk_harness_log_level = workers.default_sdk_harness_log_level or "ERROR"
        environment = environments.SubprocessSDKEnvironment.from_command_string(
            f"trap '' INT TERM HUP; exec {shlex.join(bind([sys.executable, '-m', WORKER]))}"
        )
    elif direct.direct_running_mode == "in_memory":
        # The same by a name that it does not know: by its own it warns that threads share a GIL.
        direct.direct_running_mode = "in_memory_threads"
    provision = beam_provision_api_pb2.ProvisionInfo(
        pipeline_options=JobServiceHandle.encode_pipeline_options(
            options.get_all_options(drop_default=True)
        )
    )
    return fn_runner.FnApiRunner(
        default_environment=environment,
        provision_info=fn_runner.ExtendedProvisionInfo(provision),
    )

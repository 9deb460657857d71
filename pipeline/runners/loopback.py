"""Workers in the launcher (LOOPBACK), which end with the connection that they work for.

Beam ends such a worker by its name, too, and each TaskManager of a Flink cluster counts its names
from `1-1`. So the one that is done with a stage would end a worker of the other in the middle of
its bundle ("SDK harness closed connection", seen with 2.77), and the job with it.
"""

import copy
import functools
from collections.abc import Callable
from typing import Any

from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions, PortableOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, beam_runner_api_pb2
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.worker import sdk_worker_main
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.transforms.environments import ExternalEnvironment

from pipeline.runners.beam_patches import fits


class Pool(BeamFnExternalWorkerPoolServicer):
    """Beam's pool of workers, of which threads are not ended by name."""

    def StopWorker(  # noqa: N802 -- gRPC's name
        self, stop_worker_request: beam_fn_api_pb2.StopWorkerRequest, unused_context: Any
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Ends a worker that is a process; one that is a thread ends with its connection."""
        # Older releases leave the threads alone, and have no list of them.
        getattr(self, "_worker_threads", {}).pop(stop_worker_request.worker_id, None)
        return super().StopWorker(stop_worker_request, unused_context)


class LoopbackRunner(PortableRunner):
    """Beam's PortableRunner, whose LOOPBACK workers are a `Pool`'s."""

    @staticmethod
    def start_and_replace_loopback_environments(
        pipeline: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> list[Callable[[], object]]:
        """Starts a pool for each LOOPBACK environment; returns what ends them. Beam calls it."""
        if not _fits():
            ends: list[Callable[[], object]] = (
                PortableRunner.start_and_replace_loopback_environments(pipeline, options)
            )
            return ends
        debug = options.view_as(DebugOptions)
        portable = copy.deepcopy(options.view_as(PortableOptions))
        ends = []
        for environment in pipeline.components.environments.values():
            if environment.urn == python_urns.EMBEDDED_PYTHON_LOOPBACK:
                portable.environment_type = "EXTERNAL"
                portable.environment_config, server = Pool.start(
                    state_cache_size=sdk_worker_main._get_state_cache_size_bytes(options),
                    data_buffer_time_limit_ms=sdk_worker_main._get_data_buffer_time_limit_ms(
                        debug.experiments or []
                    ),
                    use_process=debug.lookup_experiment("use_loopback_process_worker", False),
                )
                external = ExternalEnvironment.from_options(portable).to_runner_api(None)
                environment.urn, environment.payload = external.urn, external.payload
                ends.append(functools.partial(server.stop, 1))
        return ends


def _fits() -> bool:
    start = "use_process", "port", "state_cache_size", "data_buffer_time_limit_ms"
    return (
        fits(PortableRunner, "start_and_replace_loopback_environments", "pipeline", "options")
        and fits(BeamFnExternalWorkerPoolServicer, "start", *start)
        and fits(sdk_worker_main, "_get_state_cache_size_bytes", "options")
        and fits(sdk_worker_main, "_get_data_buffer_time_limit_ms", "experiments")
    )

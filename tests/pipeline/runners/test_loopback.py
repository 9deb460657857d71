"""Two TaskManagers of a cluster, played by two servers of Beam's control protocol."""

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2

from pipeline.runners.loopback import Pool


class TaskManager(beam_fn_api_pb2_grpc.BeamFnControlServicer):
    """Asks its one worker for something, and ends the connection on None."""

    def __init__(self) -> None:
        self.asks: queue.Queue[str | None] = queue.Queue()
        self.answers: queue.Queue[str | None] = queue.Queue()

    def Control(
        self, request_iterator: Iterator[beam_fn_api_pb2.InstructionResponse], context: object
    ) -> Iterator[beam_fn_api_pb2.InstructionRequest]:
        """Sends the instructions, and keeps the ids of the answers; None is the worker's end."""
        for ask in iter(self.asks.get, None):
            yield beam_fn_api_pb2.InstructionRequest(
                instruction_id=ask,
                harness_monitoring_infos=beam_fn_api_pb2.HarnessMonitoringInfosRequest(),
            )
            answer = next(request_iterator, None)
            self.answers.put(answer and answer.instruction_id)

    def ask(self, instruction: str) -> str | None:
        """Returns the id of what the worker answers; None if it has ended."""
        self.asks.put(instruction)
        return self.answers.get(timeout=20)


@contextmanager
def served(manager: TaskManager) -> Iterator[endpoints_pb2.ApiServiceDescriptor]:
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(manager, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield endpoints_pb2.ApiServiceDescriptor(url=f"127.0.0.1:{port}")
    finally:
        manager.asks.put(None)
        server.stop(5).wait()


def test_a_task_manager_that_is_done_does_not_end_the_others_worker() -> None:
    first, second = TaskManager(), TaskManager()
    address, pool = Pool.start()
    with (
        served(first) as of_first,
        served(second) as of_second,
        grpc.insecure_channel(address) as channel,
    ):
        workers = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
        for endpoint in (of_first, of_second):
            started = workers.StartWorker(
                beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1", control_endpoint=endpoint)
            )
            assert not started.error
        assert first.ask("a") == "a"
        assert second.ask("b") == "b"
        first.asks.put(None)
        workers.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"))
        assert second.ask("c") == "c"
    pool.stop(0)

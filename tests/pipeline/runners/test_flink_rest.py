"""What a run asks of a Flink cluster at its end; a real one answers in tests/integration."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.runners import flink_rest as flink


@contextmanager
def rest(*jobs: tuple[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Gives the address of a cluster with jobs of a name and a state, and what it was asked."""
    asked: list[str] = []
    overview = [
        {"jid": f"id-{n}", "name": name, "state": state} for n, (name, state) in enumerate(jobs)
    ]

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            self._answer({"jobs": overview})

        def do_PATCH(self) -> None:
            asked.append(f"PATCH {self.path}")
            self._answer({})

        def _answer(self, document: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def options(*more: str) -> PipelineOptions:
    return PipelineOptions(["--runner", "FlinkRunner", *more])


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_only_the_runs_own_job_is_cancelled_and_only_if_it_runs(scheme: str) -> None:
    jobs = [("greeks-1", "FINISHED"), ("greeks-2", "RUNNING"), ("greeks-1", "RESTARTING")]
    with rest(*jobs) as (address, asked):
        of_run = options("--flink_master", scheme + address)
        flink.name_job(of_run, "1")
        flink.end_job(of_run)
    assert asked == ["GET /jobs/overview", "PATCH /jobs/id-2?mode=cancel"]


def test_a_job_name_that_is_given_stays_in_its_name() -> None:
    with rest(("night-1", "CREATED")) as (address, asked):
        of_run = options("--flink_master", address, "--job_name", "night")
        flink.name_job(of_run, "1")
        flink.end_job(of_run)
    assert asked[1:] == ["PATCH /jobs/id-0?mode=cancel"]


def test_a_cluster_that_does_not_answer_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with rest() as (address, _):
        pass
    of_run = options("--flink_master", address)
    flink.name_job(of_run, "1")
    flink.end_job(of_run)
    assert (
        f"look for the job greeks-1 at http://{address}, and cancel it" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "flags",
    [["--runner", "PrismRunner", "--flink_master", "nowhere:1"], ["--runner", "FlinkRunner"]],
)
def test_other_runners_and_an_embedded_flink_are_asked_nothing(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    flink.end_job(PipelineOptions(flags))
    assert capsys.readouterr().err == ""

"""The job that Dataflow would be given: translated and packed without a network, unsubmitted."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.runner import create_runner

from pipeline.cli.beam_flags import parse_beam_flags
from pipeline.graph import build
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks, summaries
from tests.support.data import request_for
from tests.support.google_store import BUCKET, google_store
from tests.support.translated import takers_of_batches
from transforms.dispatch import Terminal
from transforms.fetch import FetchGreeks
from transforms.output.layout import Layout
from transforms.sinks.csv import CsvSink
from transforms.write import WriteGreeks

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).parents[2]
FLAGS = [
    *("--runner", "DataflowRunner", "--dry_run", "true", "--no_auth"),
    *("--project", "project", "--region", "us-east4"),
    *("--temp_location", f"gs://{BUCKET}/tmp", "--staging_location", f"gs://{BUCKET}/staging"),
    *("--service_account_email", "greeks@project.iam.gserviceaccount.com"),
    *("--no_use_public_ips", "--subnetwork", "regions/us-east4/subnetworks/greeks"),
    *("--max_num_workers", "4"),
]
# In an interpreter that has what the package needs, and of this project only what was installed.
WORKER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from apache_beam.internal import pickler
import pipeline, transforms
assert pipeline.__path__[0].startswith(sys.argv[1]), pipeline.__path__
assert transforms.__path__[0].startswith(sys.argv[1]), transforms.__path__
for payload in json.load(sys.stdin):
    print(type(pickler.loads(payload.encode())[0]).__name__)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a checkout has, in which Beam may build."""
    folder = tmp_path_factory.mktemp("checkout") / "greeks"
    shutil.copytree(
        CHECKOUT,
        folder,
        ignore=shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "data", "build", "dist"),
    )
    return folder


@pytest.fixture(scope="module")
def job(checkout: Path) -> Any:
    """The job's pipeline, as Beam's runner translated it."""
    options = parse_beam_flags([*FLAGS, "--setup_file", str(checkout / "setup.py")], [])
    pipeline = beam.Pipeline(runner=create_runner("DataflowRunner"), options=options)
    sink = CsvSink(Layout(f"gs://{BUCKET}/out", ".csv", "run-1"), "none")
    build(
        pipeline,
        [request_for(day) for day in ("2024-03-14", "2024-03-15")],
        [Terminal("http://10.0.0.5:25503"), Terminal("http://10.0.0.6:25503")],
        FetchGreeks(layout=sink.layout),
        WriteGreeks(sink),
    )
    return pipeline.run().job.proto_pipeline


@pytest.fixture(scope="module")
def package(job: Any) -> Path:
    """The package of this project that the job carries."""
    artifacts = {}
    for environment in job.components.environments.values():
        for each in environment.dependencies:
            role = beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(each.role_payload)
            file = beam_runner_api_pb2.ArtifactFilePayload.FromString(each.type_payload)
            artifacts[role.staged_name] = Path(file.path)
    return artifacts["workflow.tar.gz"]


def test_no_shuffle_of_the_job_carries_batches(job: Any) -> None:
    takers = takers_of_batches(job.components)
    assert len(takers) == 2
    assert all("WriteFiles" in name for name in takers)


def test_workers_run_the_image_of_this_beam_and_python(job: Any) -> None:
    (environment,) = job.components.environments.values()
    image = beam_runner_api_pb2.DockerPayload.FromString(environment.payload).container_image
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert image.endswith(f"/beam_python{python}_sdk:{beam.__version__}")


def test_the_package_holds_the_project_and_nothing_else(package: Path, checkout: Path) -> None:
    with tarfile.open(package) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    ours = {
        str(path.relative_to(checkout))
        for top in ("pipeline", "transforms")
        for path in (checkout / top).rglob("*")
        if path.suffix in (".py", ".typed", ".html", ".c", ".pyi")
    }
    assert ours <= names
    assert not {name.split("/")[0] for name in names} & {"tests", "bench", "data"}


def test_a_worker_loads_every_step_from_what_is_installed_there(
    job: Any, package: Path, tmp_path: Path
) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--target",
            str(tmp_path / "site"),
            str(package),
        ],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    payloads = []
    for transform in job.components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            step = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
            if step.do_fn.urn == python_urns.PICKLED_DOFN_INFO:
                payloads.append(step.do_fn.payload.decode())
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path / "site")],
        input=json.dumps(payloads),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    assert {"_FetchFn", "_WriteFn", "_RecordFn", "_EmitFn"} <= set(done.stdout.split())


def test_a_dry_run_reports_a_good_job_and_fetches_nothing(
    terminal: TerminalServer, checkout: Path, tmp_path: Path
) -> None:
    with google_store() as store:
        printed = greeks(
            tmp_path,
            "download",
            "--symbol",
            "SPXW",
            "--start_date",
            "2024-03-14",
            "--terminal",
            terminal.url,
            "--output",
            f"gs://{BUCKET}/out",
            "--setup_file",
            str(checkout / "setup.py"),
            *FLAGS,
            code=0,
            **store.environment,
        )
        assert "dry run: DataflowRunner took the job of 21 expirations" in printed
        (summary,) = summaries(tmp_path)
        assert (summary["status"], summary["dry_run"]) == ("succeeded", True)
        assert (summary["total_expirations"], summary["interrupted_expirations"]) == (0, 0)
        assert store.objects("out/") == {}

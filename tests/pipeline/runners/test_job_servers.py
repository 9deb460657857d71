import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from pipeline.cli.beam_flags import parse_beam_flags
from pipeline.errors import ConfigError
from pipeline.runners import bound
from pipeline.runners.job_servers import jar_name
from tests.support.waiting import wait_for


@pytest.fixture(autouse=True)
def an_empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--runner", "FlinkRunner"], "run_local.sh flink"),
        (["--runner", "flinkrunner", "--flink_job_server_jar", "no.jar"], "no.jar is not there"),
        (["--runner", "PrismRunner"], "go install"),
        (
            ["--runner", "PrismRunner", "--prism_location", "nowhere"],
            "^--prism_location nowhere is not there",
        ),
        (["--runner", "SparkRunner"], "--spark_job_server_jar"),
        (["--runner", "DataflowRunner"], r"theta-greeks-pipeline\[gcp\]"),
    ],
)
def test_a_runner_that_lacks_what_it_needs_is_an_error_with_the_way_to_install_it(
    flags: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.dataflow", None)
    with pytest.raises(ConfigError, match=says):
        parse_beam_flags(flags, [])


def test_a_job_server_that_runs_needs_nothing_here() -> None:
    parse_beam_flags(["--runner", "FlinkRunner", "--job_endpoint", "localhost:8099"], [])


def test_the_jar_that_the_cache_has_is_used(tmp_path: Path) -> None:
    jar = tmp_path / ".apache_beam/cache/jars" / jar_name("1.20")
    assert version("apache-beam") in jar.name
    jar.parent.mkdir(parents=True)
    jar.touch()
    options = parse_beam_flags(["--runner", "FlinkRunner", "--flink_version", "1.20"], [])
    assert options.get_all_options()["flink_job_server_jar"] == str(jar)


def test_a_jar_of_another_beam_is_used_where_there_is_none_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / ".apache_beam/cache/jars"
    folder.mkdir(parents=True)
    flags = ["--runner", "FlinkRunner", "--flink_version", "1.19"]
    (folder / jar_name("1.20")).touch()
    with pytest.raises(ConfigError, match="there is no .*flink-1.19-job-server"):
        parse_beam_flags(flags, [])
    for jar in (jar_name("1.19", "2.62.0"), jar_name("1.19")):
        (folder / jar).touch()
        options = parse_beam_flags(flags, [])
        assert options.get_all_options()["flink_job_server_jar"] == str(folder / jar)


def test_a_bound_program_ends_with_the_process_that_started_it() -> None:
    start = (
        "import subprocess; from pipeline.runners.bound import bind; subprocess.Popen({}).wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", start.format("bind(['sleep', '600'])")])
    launcher = psutil.Process(parent.pid)
    wait_for("the program", lambda: [c.name() for c in launcher.children()] == ["sleep"])
    (child,) = launcher.children()
    parent.kill()
    parent.wait()
    wait_for("its end", lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_program_whose_starter_has_ended_meanwhile_does_not_begin(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    touch = ["touch", str(tmp_path / "begun")]
    done = subprocess.run([sys.executable, bound.__file__, str(ended.pid), *touch], check=False)
    assert done.returncode == 0
    assert not (tmp_path / "begun").exists()

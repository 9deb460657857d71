"""Downloads from Python: results one by one, the summary, errors, and nothing else changed."""

import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import DownloadConfig, download, history, stream
from pipeline.errors import ConfigError, Conflict, NothingMatched
from pipeline.folder.lock import holder
from pipeline.run.waiting import Waiting
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks, greeks_here, summaries
from tests.support.data import files_in
from tests.support.runners import prism
from tests.support.waiting import wait_for
from transforms.model import WRITTEN
from transforms.output.folder import OutputFolder
from transforms.thetadata import TerminalUnreachable

VOLATILE = ("started", "seconds", "path")


def settings(folder: Path, url: str, **more: Any) -> dict[str, Any]:
    return {
        "symbols": "SPXW",
        "start_date": "2024-03-14",
        "max_dte": 5,
        "interval": "1h",
        "terminal": url,
        "output": str(folder / "data" / "greeks"),
        "metrics": str(folder / "data" / "metrics"),
        **more,
    }


def steady(results: Any) -> list[dict[str, Any]]:
    """Returns described results in their order, without what differs from run to run."""
    kept = [{k: v for k, v in each.items() if k not in VOLATILE} for each in results]
    return sorted(kept, key=lambda each: str(each["expiration"]))


def test_stream_and_download_give_the_results_the_files_and_the_record_of_the_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = {name: tmp_path / name for name in ("stream", "download", "command")}
    with TerminalServer() as server:
        results = list(stream(**settings(made["stream"], server.url)))
        config = DownloadConfig.of(**settings(made["download"], server.url))
        summary = download(config)
        assert capfd.readouterr() == ("", "")
        made["command"].mkdir()
        flags = ["--start_date", "2024-03-14", "--max_dte", "5", "--interval", "1h"]
        greeks_here(
            made["command"], "download", "--symbol", "SPXW", *flags, "--terminal", server.url
        )
    assert [result.status for result in results] == [WRITTEN] * 4
    described = [result.describe() for result in results]
    files = {name: files_in(folder / "data" / "greeks") for name, folder in made.items()}
    assert files["stream"] == files["download"] == files["command"]
    records = {name: summaries(folder)[0] for name, folder in made.items()}
    kept = records["stream"]["expirations"]
    assert sorted(described, key=lambda each: str(each["path"])) == kept
    assert steady(described) == steady(summary.expirations)
    for name in ("download", "command"):
        assert steady(records[name]["expirations"]) == steady(described)
        assert set(records[name]) == set(records["stream"])
        assert records[name]["status"] == history.SUCCEEDED
    catalogs = [OutputFolder(str(made[name] / "data" / "greeks")).meta for name in made]
    assert all((Path(meta) / "catalog.sql").is_file() for meta in catalogs)


PRISM = """
import json, sys
from apache_beam.options.pipeline_options import PipelineOptions
from pipeline import stream
options = PipelineOptions(sys.argv[2:])
before = options.get_all_options()
print([each.status for each in stream(**json.loads(sys.argv[1]), options=options)])
assert options.get_all_options() == before
"""


@pytest.mark.slow
def test_beams_options_choose_the_runner_and_stay_as_they_are(tmp_path: Path) -> None:
    asked = json.dumps(settings(tmp_path, "embedded", max_dte=1))
    # In a process of its own: Beam leaves Prism's output open.
    command = [sys.executable, "-c", PRISM, asked, *prism()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout == "['written', 'written']\n", done.stderr
    assert summaries(tmp_path)[0]["runner"] == "PrismRunner"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"runner": "Nope"}, "--runner is 'Nope', not one of DirectRunner, "),
        ({"direct_num_workers": 4}, "--direct_num_workers would let more .*use --concurrency"),
        ({"direct_runner_bundle_repeat": 2}, "would fetch everything several times"),
    ],
)
def test_an_option_that_the_command_refuses_is_refused(
    tmp_path: Path, option: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        download(**settings(tmp_path, "embedded"), options=PipelineOptions(**option))
    assert not list(tmp_path.iterdir())


def test_a_result_comes_while_others_are_still_to_be_fetched(tmp_path: Path) -> None:
    with TerminalServer(latency=0.05) as server:
        results = stream(**settings(tmp_path, server.url, max_dte=30, concurrency=1))
        first = next(results)
        asked = server.stats()["history"]["requests"]
        assert Path(first.path or "").is_file()
        rest = list(results)
    assert asked < 1 + len(rest)
    assert len(rest) == 20


def test_a_loop_that_is_left_early_interrupts_the_run_and_the_next_one_fetches_the_rest(
    tmp_path: Path,
) -> None:
    with TerminalServer(latency=0.05) as server:
        asked = settings(tmp_path, server.url, max_dte=30, concurrency=1)
        for result in stream(**asked):
            first = result
            break
        (record,) = summaries(tmp_path)
        assert record["status"] == history.INTERRUPTED
        assert record["interrupted_expirations"] > 0
        assert holder(OutputFolder(asked["output"])) is None
        assert not list(Path(OutputFolder(asked["output"]).unfinished).iterdir())
        whole = sum(each["status"] == WRITTEN for each in record["expirations"])
        summary = download(**asked)
    assert summary.skipped_expirations == whole > 0
    assert summary.successful_expirations == 21 - whole
    assert first.path in {each["path"] for each in summary.expirations}
    assert greeks(tmp_path, "verify")


def test_a_reader_that_waits_holds_up_no_worker_and_gets_every_result(tmp_path: Path) -> None:
    with TerminalServer() as server:
        results = stream(**settings(tmp_path, server.url, max_dte=30))
        first = next(results)
        # The run ends, and has its record, while its results are left alone.
        wait_for(
            "the record", lambda: [r for r in summaries(tmp_path) if r["status"] == "succeeded"]
        )
        rest = list(results)
    assert len({result.request.expiration for result in (first, *rest)}) == 21


def test_results_that_wait_take_no_memory() -> None:
    result = {"symbol": "SPXW", "quality": {"rules": list(range(300))}}
    with Waiting() as waiting:
        waiting.put(result)
        waiting.take()
        tracemalloc.start()
        for _ in range(3_000):
            waiting.put(result)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1 << 18
        waiting.end()
        assert sum(1 for _ in iter(waiting.take, None)) == 3_000


def test_what_ends_a_run_is_raised_in_the_words_of_the_command_and_recorded(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="--symbol must be given"):
        stream(start_date="2024-03-14")
    with pytest.raises(ConfigError, match="--max_dte"):
        stream(**settings(tmp_path, "embedded", max_dte=-1))
    with pytest.raises(TypeError, match="did you mean start_date"):
        stream(symbols="SPXW", startdate="2024-03-14")
    with pytest.raises(TypeError, match="settings beside a configuration: output"):
        stream(DownloadConfig.of(**settings(tmp_path, "embedded")), output="elsewhere")
    assert not list(tmp_path.iterdir())

    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--metrics or --output can't be used"):
        download(**settings(tmp_path, "embedded", metrics=str(tmp_path / "file" / "runs")))
    with pytest.raises(TerminalUnreachable, match=r"127\.0\.0\.1:9"):
        download(**settings(tmp_path, "http://127.0.0.1:9", attempts=1))
    with TerminalServer() as server:
        with pytest.raises(NothingMatched, match="NOPE"):
            download(**settings(tmp_path, server.url, symbols="NOPE"))
        unlike = settings(tmp_path, server.url, max_dte=0, interval="30m")
        assert download(**unlike).successful_expirations == 1
        with pytest.raises(Conflict):
            download(**settings(tmp_path, server.url, max_dte=0))
    reasons = [each["errors"][0]["error_type"] for each in summaries(tmp_path) if each["errors"]]
    assert reasons == ["TerminalUnreachable", "NothingMatched", "Conflict"]


def test_an_expiration_that_fails_is_a_result_and_ends_no_run(tmp_path: Path) -> None:
    with TerminalServer(chaos="471!:1") as server:
        asked = settings(tmp_path, server.url, max_dte=1, attempts=1, retry_seconds=0.01)
        results = list(stream(**asked))
    assert sorted(result.status for result in results) == ["failed", WRITTEN]
    assert [result for result in results if result.failure and not result.path]
    assert summaries(tmp_path)[0]["status"] == history.FAILED


def test_messages_go_to_the_log_of_the_program(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pipeline")
    with TerminalServer() as server:
        asked = settings(
            tmp_path, server.url, max_dte=0, terminal=f"http://127.0.0.1:9,{server.url}"
        )
        download(**asked, attempts=1)
        download(**asked, attempts=1)
    said = [record.message for record in caplog.records if record.name == "pipeline"]
    assert [text for text in said if text.startswith("set aside: ")]
    assert "skipped: 1 already there (--overwrite downloads them again)" in said


UNCHANGED = """
import gc, json, logging, os, signal, sys, threading

def of_process():
    beam = {}
    if "apache_beam" in sys.modules:
        from apache_beam.internal import cloudpickle_pickler
        from apache_beam.runners.worker.statesampler import StateSampler
        from apache_beam.transforms import core
        beam = {
            "sampler": StateSampler.__init__.__defaults__,
            "bz2": cloudpickle_pickler.bz2,
            "defaults": core.get_function_args_defaults,
        }
    import pyarrow
    return beam, {
        "signals": [signal.getsignal(n) for n in signal.valid_signals()],
        "wakeup": signal.set_wakeup_fd(-1),
        "environment": dict(os.environ),
        "handlers": logging.getLogger().handlers[:],
        "levels": [logging.getLogger().level, logging.getLogger("apache_beam").level],
        "disabled": logging.root.manager.disable,
        "hooks": [sys.excepthook, threading.excepthook, sys.unraisablehook],
        # Modules that Beam imports add one for their own names.
        "importers": [each for each in sys.meta_path if "Six" not in type(each).__name__],
        "streams": [sys.stdout, sys.stderr, sys.stdin],
        "pool": pyarrow.default_memory_pool().backend_name,
        "collector": [gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()],
        "folder": os.getcwd(),
    }

_, before = of_process()
from pipeline import download, stream
import apache_beam
beam, _ = of_process()
asked = json.loads(sys.argv[1])
download(**asked)
for _ in stream(**(asked | {"max_dte": 5})):
    break
assert of_process() == (beam, before), (of_process(), before)
alive = [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
assert not alive, alive
logging.getLogger("mine").warning("a warning of the program's own")
"""


@pytest.mark.slow
def test_the_process_of_the_importer_is_as_before_and_nothing_is_printed_or_left(
    tmp_path: Path,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    asked = settings(tmp_path, "embedded", max_dte=1)
    # Beam, imported by the program itself, sets up the log: here the pipeline is to do it.
    script = UNCHANGED.replace("import apache_beam\n", "list(stream(**json.loads(sys.argv[1])))\n")
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(asked)],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == "a warning of the program's own\n"
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    "script",
    [
        "for result in stream(**asked): print(result.path, flush=True)",
        pytest.param(
            "for result in stream(**asked):\n  print(result.path, flush=True)\n  signal.pause()",
            marks=pytest.mark.slow,
        ),
        pytest.param("print(flush=True); download(**asked)", marks=pytest.mark.slow),
    ],
    ids=["waiting for a result", "in the loop", "download"],
)
def test_ctrl_c_ends_the_run_before_it_reaches_the_program(tmp_path: Path, script: str) -> None:
    with TerminalServer(latency=0.2) as server:
        asked = settings(tmp_path, server.url, max_dte=30, concurrency=1)
        head = f"import signal\nfrom pipeline import download, stream\nasked = {asked!r}\n"
        with subprocess.Popen(
            [sys.executable, "-c", head + script],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            wait_for("a request", lambda: server.stats()["history"]["requests"])
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
    assert error.rstrip().endswith("KeyboardInterrupt")
    (record,) = summaries(tmp_path)
    assert record["status"] == history.INTERRUPTED
    assert holder(OutputFolder(asked["output"])) is None
    assert not list(Path(OutputFolder(asked["output"]).unfinished).iterdir())


@pytest.mark.slow
def test_a_program_that_ends_with_results_left_ends_its_run(tmp_path: Path) -> None:
    with TerminalServer(latency=0.2) as server:
        asked = settings(tmp_path, server.url, max_dte=30, concurrency=1)
        script = f"from pipeline import stream\nresults = stream(**{asked!r})\nnext(results)\n"
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=60, check=True)
        assert server.stats()["history"]["requests"] < 21
    assert summaries(tmp_path)[0]["status"] == history.INTERRUPTED


@pytest.mark.slow
def test_several_runs_of_one_process_follow_each_other_and_go_side_by_side(tmp_path: Path) -> None:
    with TerminalServer() as server:
        for folder in (tmp_path / "first", tmp_path / "second"):
            assert len(list(stream(**settings(folder, server.url)))) == 4
        side = [stream(**settings(tmp_path / name, server.url)) for name in ("a", "b")]
        pairs = list(itertools.zip_longest(*side))
    assert len(pairs) == 4
    made = [files_in(tmp_path / name / "data" / "greeks") for name in ("first", "second", "a", "b")]
    assert all(each == made[0] for each in made)

import bz2
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.transforms import core, userstate
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from packaging.specifiers import SpecifierSet

from pipeline.runners import beam_patches
from pipeline.runners.beam_patches import by_function, fits, is_tested, remembered
from pipeline.simulator.server import TerminalServer
from tests.support.data import files_in
from transforms.fetch import _FetchFn
from transforms.metrics.record import _SummarizeFn
from transforms.output.layout import Layout
from transforms.quality.gate import QualityGate
from transforms.sinks.csv import CsvSink
from transforms.workers.stop import StopSignal
from transforms.write import _WriteFn

ROOT = Path(__file__).parents[3]
LAST = beam.DoFn.StateParam(ReadModifyWriteStateSpec("last", VarIntCoder()))


class Stateful(beam.DoFn):
    def process(self, element: Any, last: Any = LAST) -> Any:
        yield element, last


class WithWindow(beam.DoFn):
    def process(self, element: Any, more: int = 3, window: Any = beam.DoFn.WindowParam) -> Any:
        yield element, more, window


FUNCTIONS = [
    _FetchFn(1000, StopSignal("stop", None), None, None, None),
    _WriteFn(
        CsvSink(Layout("data", ".csv", "run"), "none"),
        "live",
        None,
        QualityGate(),
    ),
    _SummarizeFn(),
    Stateful(),
    WithWindow(),
    core.CallableWrapperDoFn(lambda element, more=1: [element, more]),
    core.CallableWrapperDoFn(lambda other: [other]),
]


@pytest.mark.parametrize("fn", FUNCTIONS, ids=lambda fn: type(fn).__name__)
def test_the_parameters_of_methods_are_those_that_beam_finds(
    monkeypatch: pytest.MonkeyPatch, fn: beam.DoFn
) -> None:
    methods = [name for name in dir(beam.DoFn) if callable(getattr(fn, name))]
    assert {"process", "setup", "finish_bundle"} <= {*methods}
    expected = [core.get_function_arguments(fn, name) for name in methods]
    stateful = userstate.is_stateful_dofn(fn)
    monkeypatch.setattr(
        core, "get_function_args_defaults", by_function(core.get_function_args_defaults)
    )
    for _ in range(2):
        assert [core.get_function_arguments(fn, name) for name in methods] == expected
        assert userstate.is_stateful_dofn(fn) is stateful is isinstance(fn, Stateful)


def test_each_function_is_looked_at_once_and_the_result_may_be_changed() -> None:
    asked: list[Any] = []

    def look(function: Any) -> tuple[list[str], list[Any]]:
        asked.append(function)
        return ["element"], [1]

    quick = by_function(look)
    names, defaults = quick(WithWindow().process)
    names.append("other")
    defaults.clear()
    assert quick(WithWindow().process) == (["element"], [1])
    assert len(asked) == 1
    # What is bound to nothing may be a closure, which differ though they are of one text.
    for _ in range(2):
        quick(WithWindow.process)
    assert len(asked) == 3


def test_texts_that_are_not_large_are_worked_on_once_and_come_out_as_ever() -> None:
    worked: list[int] = []

    def compress(text: bytes, compresslevel: int = 9) -> bytes:
        worked.append(len(text))
        return bz2.compress(text, compresslevel)

    quick = remembered(compress)
    for text in (b"a" * 1000, b"b" * 1000, b"c" * 100_000):
        for _ in range(3):
            assert bz2.decompress(quick(text, compresslevel=9)) == text
    # A download of a hundred thousand requests has one text of many megabytes: it must not stay.
    assert worked == [1000, 1000, *[100_000] * 3]


def test_with_all_of_them_taken_a_graph_gives_what_it_gave() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import bz2\n"
            "calls = []\n"
            "unpack = bz2.decompress\n"
            "bz2.decompress = lambda text: calls.append(bytes(text)) or unpack(text)\n"
            "from apache_beam.runners.worker import statesampler\n"
            "from apache_beam.utils.counters import CounterFactory\n"
            "from pipeline.runners.beam_patches import SAMPLING_MS, patch_beam\n"
            "patch_beam()\n"
            "patch_beam()\n"
            "made = statesampler.StateSampler('step', CounterFactory())\n"
            "assert made.sampling_period_ms == SAMPLING_MS\n"
            "import apache_beam as beam\n"
            "from apache_beam.options.pipeline_options import PipelineOptions\n"
            "from apache_beam.runners.portability.fn_api_runner import FnApiRunner\n"
            "from apache_beam.testing.util import assert_that, equal_to\n"
            "options = PipelineOptions(direct_num_workers=4)\n"
            "with beam.Pipeline(runner=FnApiRunner(), options=options) as root:\n"
            "    pairs = root | beam.Create([(n % 3, n) for n in range(30)])\n"
            "    sums = pairs | beam.CombinePerKey(sum) | beam.Map(lambda pair: pair[1] + 1)\n"
            "    assert_that(sums, equal_to([136, 146, 156]))\n"
            "assert calls\n"
            # Two workers may come to the same text at the same time.
            "print(max(map(calls.count, calls)) <= 4)\n",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr[-2000:]


PATCHED = """
import sys
from pipeline.runners.beam_patches import UNUSED
from pipeline.__main__ import run
code = run()
for name in ("httplib2.auth", "regex._main", *UNUSED):
    assert name not in sys.modules, name
sys.exit(code)
"""

UNPATCHED = """
import sys
from pipeline.runners import beam_patches
beam_patches.TESTED = (1, 0), (1, 1)
from pipeline.__main__ import run
code = run()
from apache_beam.internal import cloudpickle_pickler
import bz2
assert cloudpickle_pickler.bz2 is bz2
sys.exit(code)
"""


def test_a_run_on_a_release_that_is_not_tested_is_not_patched_and_makes_the_same_files(
    tmp_path: Path,
) -> None:
    flags = ["--symbol", "SPXW", "--start_date", "2024-03-14", "--max_dte", "1"]
    made = {}
    with TerminalServer() as server:
        for name, start in (("patched", PATCHED), ("not", UNPATCHED)):
            folder = tmp_path / name
            folder.mkdir()
            ended = subprocess.run(
                [sys.executable, "-c", start, "download", *flags, "--terminal", server.url],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stderr
            made[name] = files_in(folder / "data" / "greeks")
    assert len(made["patched"]) == 2
    assert made["patched"] == made["not"]


def test_a_function_of_another_shape_and_a_release_that_is_not_tested_are_left_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, beam_patches.__name__)
    # Not one of Beam's: a run in this process may have patched that.
    owner = SimpleNamespace(look=lambda f: f)
    assert fits(owner, "look", "f")
    assert not caplog.records
    assert not fits(owner, "look", "function")
    assert not fits(owner, "no_such_function")
    monkeypatch.setattr(beam_patches, "is_tested", lambda: False)
    assert not fits(owner, "look", "f")
    assert [each.levelname for each in caplog.records] == ["DEBUG"] * 3


def test_the_releases_that_setup_takes_are_those_that_are_patched() -> None:
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    for found in (pins := re.findall(r'"apache-beam(?:\[gcp\])?(>=[^"]+)"', text)):
        releases = [f"2.{minor}.0" for minor in range(60, 90)]
        taken = [each for each in releases if each in SpecifierSet(found)]
        assert taken == [each for each in releases if is_tested(each)]
    assert len(pins) == 2

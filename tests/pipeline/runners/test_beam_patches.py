import bz2
import subprocess
import sys
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.transforms import core, userstate
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from pipeline.runners.beam_patches import by_function, remembered
from transforms.fetch import _FetchFn
from transforms.metrics.record import _SummarizeFn
from transforms.output.layout import Layout
from transforms.quality.check import Checking
from transforms.schema import schema_of
from transforms.sinks.csv import CsvSink
from transforms.workers.stop import StopSignal
from transforms.write import _WriteFn

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
        CsvSink(Layout("data", ".csv", "run"), schema_of("first_order"), "none"),
        "live",
        None,
        Checking(),
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


def test_each_function_is_looked_at_once_and_what_is_told_may_be_changed() -> None:
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
    told = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import bz2\n"
            "calls = []\n"
            "unpack = bz2.decompress\n"
            "bz2.decompress = lambda text: calls.append(bytes(text)) or unpack(text)\n"
            "from apache_beam.runners.worker import statesampler\n"
            "from apache_beam.utils.counters import CounterFactory\n"
            "from pipeline.runners.beam_patches import SAMPLING_MS, take_shortcuts\n"
            "take_shortcuts()\n"
            "take_shortcuts()\n"
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
    assert told.stdout == "True\n", told.stderr[-2000:]

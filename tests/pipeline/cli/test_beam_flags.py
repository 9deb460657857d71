import copy
import pickle
import subprocess
import sys

import pytest
from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions, StandardOptions

from pipeline.cli.beam_flags import parse_beam_flags


def the_same(options: PipelineOptions) -> PipelineOptions:
    return options


def pickled(options: PipelineOptions) -> PipelineOptions:
    made = pickle.loads(pickle.dumps(options))  # noqa: S301 -- our own
    assert isinstance(made, PipelineOptions)
    return made


@pytest.mark.parametrize("through", [the_same, copy.deepcopy, pickled])
def test_what_is_set_in_one_view_of_beams_options_is_seen_in_all(through) -> None:  # type: ignore[no-untyped-def]
    options = parse_beam_flags(["--experiments", "a"], [])
    options.view_as(StandardOptions).runner = "FnApiRunner"
    options.view_as(DebugOptions).add_experiment("b")
    options = through(options)
    options.view_as(DebugOptions).add_experiment("c")
    assert options.view_as(StandardOptions).runner == "FnApiRunner"
    assert options.view_as(DebugOptions).experiments == ["a", "b", "c"]
    printed = options.view_as(StandardOptions).get_all_options()
    assert (printed["runner"], printed["experiments"]) == ("FnApiRunner", ["a", "b", "c"])


def test_a_command_does_without_what_beam_imports_for_nothing_and_finds_it_where_it_is_used() -> (
    None
):
    printed = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys\n"
            "from pipeline.runners.beam_patches import UNUSED, keep_unused_out\n"
            "keep_unused_out()\n"
            "import pipeline.run.command\n"
            "late = 'httplib2.auth', 'regex._main'\n"
            "print([name for name in (*late, *UNUSED) if name in sys.modules])\n"
            "from apache_beam.internal.http_client import get_new_http\n"
            "import regex\n"
            "print(type(get_new_http()).__module__, regex.fullmatch('a+', 'aa')[0])\n"
            "print([name for name in late if name not in sys.modules])\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == ["[]", "httplib2 aa", "[]"]

"""The job that a portable runner gets: its fused steps, its shuffles, its coders."""

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import translations

from pipeline.graph import build
from tests.support.data import layout_in, request_for
from tests.support.translated import takers_of_batches
from transforms.dispatch import Terminal
from transforms.fetch import FetchGreeks
from transforms.sinks.csv import CsvSink
from transforms.write import WriteGreeks

REQUESTS = [request_for(day) for day in ("2024-03-14", "2024-03-15", "2024-03-18")]


TYPED = "Create", "FetchGreeks", "WriteGreeks", "DealAgain", "RecordResults"


def made(folder: Path, terminals: int) -> beam.Pipeline:
    """Returns the pipeline of a download from so many Terminals."""
    pipeline = beam.Pipeline()
    places = [Terminal(f"http://127.0.0.1:{n}") for n in range(1, terminals + 1)]
    write = WriteGreeks(CsvSink(layout_in(folder), "none"))
    build(pipeline, REQUESTS, places, FetchGreeks(), write)
    return pipeline


def names_in(stage: Any) -> list[str]:
    return [transform.unique_name for transform in stage.transforms]


@pytest.mark.parametrize("terminals", [1, 3])
def test_fetch_write_and_record_are_one_stage_for_each_turn(tmp_path: Path, terminals: int) -> None:
    _, stages = translations.create_and_optimize_stages(
        made(tmp_path, terminals).to_runner_api(),
        phases=translations.standard_optimize_phases(),
        known_runner_urns=frozenset(),
    )
    fetching = [
        names_in(stage)
        for stage in stages
        if any("FetchBatches" in name for name in names_in(stage))
    ]
    assert len(fetching) == terminals
    for names in fetching:
        assert any("WriteFiles" in name for name in names), names
    if terminals == 1:
        assert any("CountResults" in name for name in fetching[0])


@pytest.mark.parametrize("terminals", [1, 3])
def test_no_shuffle_carries_batches(tmp_path: Path, terminals: int) -> None:
    takers = takers_of_batches(made(tmp_path, terminals).to_runner_api().components)
    # Fetched rows go to the writer, and nowhere else.
    assert len(takers) == terminals
    assert all("WriteFiles" in name for name in takers)


def test_type_hints_say_what_passes_and_keys_of_shuffles_are_coded_deterministically(
    tmp_path: Path,
) -> None:
    grouped: list[Any] = []
    untyped: list[str] = []

    class Look(beam.pipeline.PipelineVisitor):
        def visit_transform(self, node: Any) -> None:
            if isinstance(node.transform, beam.GroupByKey):
                grouped.append(node)
            if node.full_label.split("/")[0] in TYPED:
                untyped.extend(
                    node.full_label
                    for output in node.outputs.values()
                    if output.element_type == beam.typehints.Any
                )

    made(tmp_path, 3).visit(Look())
    assert untyped == []
    assert grouped
    for node in grouped:
        hint = node.inputs[0].element_type
        if repr(hint.tuple_types[0]) in ("None", "<class 'NoneType'>"):
            continue  # the one key of a global combination
        key = beam.coders.registry.get_coder(hint).key_coder()
        assert key.is_deterministic(), (hint, key)

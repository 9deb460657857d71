"""`greeks doctor`: problems of a download, and their remedies."""

import json
import sys
from collections.abc import Iterator, Sequence

from pipeline.doctor.diagnosis import FAIL, Diagnosis
from pipeline.doctor.flink import flink
from pipeline.doctor.folders import history, output
from pipeline.doctor.machine import machine
from pipeline.doctor.terminals import terminals
from pipeline.process.colour import print_coloured


def examine(
    choices: Sequence[Sequence[str]],
    api: str,
    symbol: str,
    folder: str,
    metrics: str,
    job_server: str | None,
) -> Iterator[Diagnosis]:
    """Yields each diagnosis as soon as it is known.

    Args:
        choices: the addresses of each Terminal: it may answer at any of them.
        api: `v3`, `v2`, or `auto` for both.
        symbol: an option root to request.
        folder: where the files of a download go.
        metrics: where its run history is.
        job_server: of Flink: the path of its jar, empty for the one that Beam would use, or None
            without Flink.
    """
    yield from machine()
    yield from terminals(choices, api, symbol)
    yield from output(folder)
    yield from history(metrics)
    if job_server is not None:
        yield from flink(job_server)


def report(diagnoses: Iterator[Diagnosis], as_json: bool) -> int:
    """Prints diagnoses, and returns 1 if one of them is a failure, else 0."""
    made = []
    for diagnosis in diagnoses:
        made.append(diagnosis)
        if not as_json:
            print_coloured(diagnosis.line(), diagnosis.level, sys.stdout)
    if as_json:
        print(json.dumps([vars(diagnosis) for diagnosis in made], indent=2))
    return int(any(diagnosis.level == FAIL for diagnosis in made))

"""The documentation's pipelines of one's own, on Beam's runners."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here
from tests.support.data import files_in
from tests.support.documents import Block, blocks
from tests.support.runners import prism

LOCAL = 'PipelineOptions(runner="FnApiRunner")'
OWN = [block for block in blocks("python") if LOCAL in block.text]


def run(block: Block, folder: Path, flags: list[str]) -> str:
    """Runs a block against a Terminal of its own; returns what it printed and logged."""
    folder.mkdir()
    with TerminalServer() as server:
        code = block.text.replace("http://127.0.0.1:25503", server.url)
        done = subprocess.run(
            [sys.executable, "-c", code.replace(LOCAL, f"PipelineOptions({flags})")],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert server.stats()["history"]["most_in_flight"] == 1
    return done.stdout


def test_requests_of_another_pcollection_become_files_and_the_results_branch(
    tmp_path: Path,
) -> None:
    printed = run(OWN[0], tmp_path / "local", ["--runner", "FnApiRunner"])
    assert "data/own/2024-03-15/SPXW_20240315.csv 35392" in printed
    assert "105860 rows" in printed
    for word in ("type hint", "typehint", "transforms.", "coder"):
        assert word not in printed
    assert "3 files, 105,860 rows" in greeks_here(
        tmp_path / "local", "verify", "--output", "data/own"
    )


@pytest.mark.slow
@pytest.mark.parametrize("block", OWN, ids=str)
def test_prism_makes_the_files_of_the_local_runner(tmp_path: Path, block: Block) -> None:
    flags = prism()
    run(block, tmp_path / "local", ["--runner", "FnApiRunner"])
    printed = run(block, tmp_path / "prism", flags)
    for word in ("type hint", "typehint", "transforms.", "coder"):
        assert word not in printed
    made = [
        {
            name: content
            for name, content in files_in(tmp_path / runner / "data").items()
            if ".meta/" not in name
        }
        for runner in ("local", "prism")
    ]
    assert made[0] == made[1]
    assert made[0]


def test_a_pipeline_without_a_terminal_is_refused_where_it_is_built() -> None:
    from transforms import DealRequests

    with pytest.raises(ValueError, match="there is no Terminal to deal requests to"):
        DealRequests([])

"""How a file's Greeks were computed, by its manifest."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.inspection.assumptions import assumptions_of
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.data import data_files
from tests.support.folder import fill
from transforms.audit.assumptions import Assumptions


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(Market()) as server:
        yield server


@pytest.mark.parametrize(
    ("source", "request_", "version", "priced_by"),
    [
        ("live, v3", {}, "latest", "midpoint"),
        ("live, v3", {"version": "1"}, "1", "midpoint"),
        ("live, v3", {"option_use_nbbo": "false"}, "latest", ""),
        ("live, v2", {}, "1", "close"),
        ("simulated, seed 0", {}, "latest", ""),
    ],
    ids=["v3", "version 1", "from the close, if it is heeded", "v2", "of no generation"],
)
def test_the_count_of_time_and_the_price_are_those_of_the_generation_and_the_request(
    terminal: TerminalServer,
    tmp_path: Path,
    source: str,
    request_: dict[str, str],
    version: str,
    priced_by: str,
) -> None:
    fill(tmp_path / "greeks", terminal, greeks="eod")
    (entry,) = (tmp_path / "greeks.meta" / "files").rglob("*.json")
    document = json.loads(entry.read_text())
    document["source"] = source
    document["request"] |= request_
    entry.write_text(json.dumps(document))
    (path,) = data_files(tmp_path / "greeks")
    found = assumptions_of(path, Assumptions(version="latest"))
    assert (found.version, found.priced_by) == (version, priced_by)
    assert found.trade_dates == (date(2024, 3, 14),)
    moved = tmp_path / "elsewhere.parquet"
    Path(path).rename(moved)
    assert assumptions_of(str(moved), Assumptions(version="1")) == Assumptions(version="1")

"""The benchmark against peers runs, and each of them fetches all rows."""

import sys
from pathlib import Path

import pytest

from bench.peers.__main__ import run
from bench.peers.canned import Template, can, serve
from bench.peers.report import Case, table
from bench.peers.work import make_work

NAMES = ("ours-csv", "ours-parquet", "pool-csv", "pool-parquet")


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_everybody_who_is_compared_fetches_every_row(tmp_path: Path, api: str) -> None:
    work = make_work("0.6", skewed=False, expirations=10, api=api)
    greeks = str(Path(sys.executable).with_name("greeks"))
    served = can(Template([greeks], api), work, tmp_path / "answers")
    # 160 contracts of an expiration are 62,560 rows: seven pages of v2.
    assert len([*(tmp_path / "answers").iterdir()]) == 10 * (1 if api == "v3" else 7)
    with serve(tmp_path / "answers", 0.0) as url:
        runs = {name: [run(name, work, url, 4, tmp_path, greeks)] for name in NAMES}
    assert {name: one.rows for name, (one,) in runs.items()} == dict.fromkeys(NAMES, work.rows)
    case = Case("0.6", work.rows, served, 10, False, 0.0, 4, runs, api)
    assert "thread pool + pyarrow, Parquet" in table([case])

"""The README's Python and SQL are run, as they stand, after the README's download."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks

README = Path(__file__).parents[2] / "README.md"
SQL = re.findall(r"```sql\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("readme")
    flags = ["--symbol", "SPXW", "--start_date", "2024-03-14", "--terminal", "embedded"]
    greeks(made, "download", *flags)
    greeks(made, "download", *flags, "--format", "parquet", "--output", "data/spxw")
    return made


@pytest.mark.parametrize("block", BLOCKS, ids=[block.split()[1] for block in BLOCKS])
def test_the_readmes_python_runs_and_prints_rows(
    block: str, folder: Path, terminal: TerminalServer
) -> None:
    code = block.replace("http://127.0.0.1:25503", terminal.url)
    assert "print(" in code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3
    assert re.search(r"\d", done.stdout)


@pytest.mark.parametrize("query", SQL, ids=["smile", "straddles", "term_structure"])
@pytest.mark.parametrize("output", ["greeks", "spxw"])
def test_the_readmes_queries_run_on_the_catalog_and_give_rows(
    query: str, output: str, folder: Path
) -> None:
    connection = duckdb.connect()
    catalog = folder / "data" / f"{output}.meta" / "catalog.sql"
    connection.execute(catalog.read_text("utf-8"))
    rows = connection.sql(query).fetchall()
    assert len(rows) >= 20
    assert all(None not in row for row in rows)


def test_the_readme_has_its_examples() -> None:
    assert len(BLOCKS) >= 4


@pytest.mark.parametrize("reader", ["pandas", "polars", "duckdb", "pyarrow"])
def test_parquet_is_read_as_the_readme_says(reader: str, folder: Path) -> None:
    code = {
        "pandas": 'import pandas as pd; t = pd.read_parquet("data/spxw"); '
        'print(len(t), t["timestamp"].dt.tz)',
        "polars": 'import polars as pl; t = pl.scan_parquet("data/spxw/").collect(); '
        'print(len(t), t["timestamp"].dtype.time_zone)',
        "duckdb": 'import duckdb; print(*duckdb.sql("select count(*), '
        "any_value(typeof(timestamp)) from 'data/spxw/**/*.parquet'\").fetchall()[0])",
        "pyarrow": 'import pyarrow.dataset as ds; t = ds.dataset("data/spxw"); '
        'print(t.count_rows(), t.schema.field("timestamp").type.tz)',
    }[reader]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    rows, zone = done.stdout.split(maxsplit=1)
    assert int(rows) > 400_000
    assert zone.strip() in ("America/New_York", "TIMESTAMP WITH TIME ZONE")

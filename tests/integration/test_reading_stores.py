"""The commands that read files read them in a bucket, too, and no more of them than they need."""

import io
import json
import re
import shlex
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from apache_beam.io.filesystems import FileSystems

from pipeline.inspection.files import columns_of, find_files
from pipeline.inspection.reader import read_batches
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here
from tests.support.data import batches_on, request_for
from tests.support.google_store import GoogleStore, google_store
from tests.support.object_store import BUCKET, ObjectStore, object_store
from transforms.metrics import summary
from transforms.storage.s3 import access as s3

DAYS = [date(2024, 3, day) for day in (13, 14, 15)]
FORMS = {
    "csv": ["--format", "csv", "--compression", "gzip"],
    "parquet": ["--format", "parquet", "--layout", "daily"],
}
Store = ObjectStore | GoogleStore
REQUEST = request_for("2024-03-15")


@pytest.fixture(scope="module", params=["moto", pytest.param("gcs", marks=pytest.mark.slow)])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    if request.param == "gcs":
        with google_store() as google:
            yield google
    else:
        with object_store("moto", tmp_path_factory.mktemp("store")) as running:
            yield running


@pytest.fixture(scope="module")
def local(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `csv` and `parquet`, each a download of two trade dates."""
    made = tmp_path_factory.mktemp("local")
    command = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--max_dte", "1"]
    command += ["--end_date", "2024-03-15", "--interval", "30m", "--progress", "none"]
    with TerminalServer(market) as terminal:
        for name, form in FORMS.items():
            greeks_here(made, *command, "--terminal", terminal.url, *form, "--output", name)
    return made


@pytest.fixture(scope="module")
def filled(store: Store, local: Path) -> Store:
    """The store with the same folders."""
    for path in sorted(local.rglob("*")):
        if path.is_file():
            store.put(path.relative_to(local).as_posix(), path.read_bytes())
    return store


def at(store: Store, folder: Path, *arguments: str, code: int = 0) -> str:
    return greeks_here(folder, *arguments, *store.flags, code=code, **store.environment)


def place(store: Store, name: str) -> str:
    return f"{store.scheme}://{BUCKET}/{name}"


def figures(page: str) -> list[str]:
    """Returns the headings and captions of a report."""
    return re.findall(r"<h[1-4][^>]*>.*?</h[1-4]>|<figcaption>.*?</figcaption>", page, re.DOTALL)


@pytest.mark.parametrize("form", FORMS)
def test_a_check_finds_in_a_bucket_what_it_finds_here(
    filled: Store, local: Path, form: str
) -> None:
    here = greeks_here(local, "check", form, "--progress", "none")
    there = at(filled, local, "check", place(filled, form), "--progress", "none")
    assert there == here
    assert "no finding in " in there


def test_a_bucket_is_compared_with_a_folder_and_with_itself(filled: Store, local: Path) -> None:
    assert "the same" in at(filled, local, "diff", "csv", place(filled, "csv"))
    # Other formats and layouts pair by the names of the files.
    assert "the same" in at(filled, local, "diff", place(filled, "csv"), place(filled, "parquet"))


def test_a_report_of_a_bucket_is_put_beside_its_data(filled: Store, local: Path) -> None:
    pytest.importorskip("altair")
    flags = ["--output", place(filled, "parquet"), "--metrics", "none", "--time", "10:00"]
    shown = at(filled, local, "report", *flags)
    target = place(filled, "parquet.meta/report.html")
    assert f"report: {target}" in shown
    page = filled.objects("parquet.meta/")["report.html"]
    assert b"SPXW option Greeks, Friday 15 March 2024" in page
    greeks_here(local, "report", "--output", "parquet", *flags[2:], "--to", "here.html")
    assert figures(page.decode()) == figures((local / "here.html").read_text())


QUERIES = {
    "rows": "SELECT expiration, count(*), sum(strike), max(timestamp) FROM greeks GROUP BY ALL",
    "files": "SELECT expiration, rows, bytes, sha256 FROM files",
    "term structure": "SELECT * FROM term_structure",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_query_of_a_bucket_has_the_answer_that_it_has_here(
    filled: Store, local: Path, form: str
) -> None:
    pytest.importorskip("fsspec")
    for name, sql in QUERIES.items():
        words = ["query", f"{sql} ORDER BY ALL", "--csv", "--output"]
        here = greeks_here(local, *words, form)
        assert at(filled, local, *words, place(filled, form)) == here, name
        assert here.count("\n") > 2


def test_a_download_into_a_bucket_leaves_a_catalog_and_the_query_to_try(
    store: Store, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    # Restored afterwards: the address that a flag gives stays in this process.
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)
    output = place(store, "it's [here], 50 %")
    command = ["--symbol", "SPXW", "--start_date", "2024-03-14", "--expirations", "2024-03-15"]
    command += ["--interval", "1h", "--progress", "none", "--output", output]
    if address := store.environment.get("AWS_ENDPOINT_URL"):
        command += ["--s3_endpoint_url", address]
    with TerminalServer(market) as terminal:
        shown = at(store, tmp_path, "download", *command, "--terminal", terminal.url)
    (line,) = (line for line in shown.splitlines() if line.startswith("queries: "))
    words = shlex.split(line)
    assert "catalog.sql" in store.objects("it's [here], 50 %.meta/")
    # They name the store's address, where a flag did.
    words = [*words[words.index("query") :], "--csv", *store.flags]
    environment = store.environment | {"AWS_ENDPOINT_URL": ""}
    answer = greeks_here(tmp_path, *words, code=0, **environment)
    assert answer.splitlines()[1].startswith("SPXW,2024-03-15,2024-03-14,")
    sql = "SELECT count(*) FROM greeks"
    rows = at(store, tmp_path, "query", sql, "--csv", "--output", output).split()[1]
    assert int(rows) > 1000


@pytest.mark.parametrize("command", ["check", "diff x", "report --metrics none --output"])
def test_a_bucket_without_files_is_named(filled: Store, local: Path, command: str) -> None:
    (local / "x").mkdir(exist_ok=True)
    (local / "x" / "rows.csv").touch()
    words = command.split()
    shown = at(filled, local, *words, place(filled, "nothing"), code=1 if "report" in words else 2)
    assert f"{place(filled, 'nothing')} has no file that ends in .csv" in shown
    assert "copy" not in shown


def test_a_history_in_a_store_has_the_results_that_a_summary_does_not_list(
    store: Store, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "LISTED", 1)
    command = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--interval", "1h"]
    command += ["--max_dte", "1", "--progress", "none", "--metrics", place(store, "many")]
    with TerminalServer(market) as terminal:
        at(store, tmp_path, *command, "--terminal", terminal.url)
    (lines,) = (body for name, body in store.objects("many/").items() if name.endswith(".jsonl"))
    results = [json.loads(line) for line in lines.splitlines()]
    assert [each["status"] for each in results] == ["written"] * 2


@pytest.fixture
def large(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path, list[int]]]:
    """A Parquet file in a bucket, the same here, and a list of how many bytes are fetched."""
    parts = [pa.Table.from_batches(batches_on(REQUEST, day, 40_000)) for day in DAYS]
    table = pa.concat_tables(parts)
    path = tmp_path / "rows.parquet"
    parquet.write_table(table, path, row_group_size=table.num_rows // 3, compression="none")
    with object_store("moto", tmp_path_factory.mktemp("store")) as moto:
        moto.put("few/rows.parquet", path.read_bytes())
        for name, value in moto.environment.items():
            monkeypatch.setenv(name, value)
        s3._client.cache_clear()
        fetched: list[int] = []
        s3.client().meta.events.register(
            "after-call.s3.GetObject", lambda parsed, **_: fetched.append(parsed["ContentLength"])
        )
        yield f"s3://{BUCKET}/few", path, fetched
        s3._client.cache_clear()


def test_of_parquet_in_a_bucket_only_the_pieces_that_matter_are_fetched(
    large: tuple[str, Path, list[int]],
) -> None:
    folder, path, fetched = large
    (found,) = find_files([folder])
    assert "timestamp" in columns_of(found)
    # 13 and 14 March are two days of UTC that touch the 14th.
    last = DAYS[-1]
    rows = sum(part.num_rows for part in read_batches(found, ["delta"], (last, last)))
    assert rows == parquet.read_metadata(path).num_rows // 3
    assert sum(fetched) < path.stat().st_size / 2


def test_a_query_fetches_the_columns_and_row_groups_that_it_needs_on_several_threads(
    large: tuple[str, Path, list[int]],
) -> None:
    pytest.importorskip("fsspec")
    folder, path, fetched = large
    from pipeline.folder.store_files import StoreFiles

    connection = duckdb.connect(config={"threads": 4})
    connection.register_filesystem(StoreFiles())
    sql = "SELECT count(*), sum(delta) FROM '{}' WHERE timestamp >= '2024-03-15 00:00-04:00'"
    (there,) = connection.sql(sql.format(f"{folder}/**/*.parquet")).fetchall()
    assert 0 < sum(fetched) < path.stat().st_size / 4
    (here,) = connection.sql(sql.format(path)).fetchall()
    assert there == (here[0], pytest.approx(here[1]))
    # Every byte, by threads that read between each other.
    sql = "SELECT md5(string_agg(t::VARCHAR, '' ORDER BY timestamp, strike, \"right\")) FROM '{}' t"
    assert connection.sql(sql.format(f"{folder}/*.parquet")).fetchall() == (
        connection.sql(sql.format(path)).fetchall()
    )


def test_threads_that_share_a_file_read_each_at_its_own_place() -> None:
    pytest.importorskip("fsspec")
    from pipeline.folder.store_files import SharedFile

    file = SharedFile(io.BytesIO(b"0123456789"))
    file.seek(2)
    other = threading.Thread(target=file.seek, args=[7])
    other.start()
    other.join()
    assert (file.read(3), file.tell(), file.read(99), file.read(1)) == (b"234", 5, b"56789", b"")

"""The contract of a format. A new one in FORMATS is tested by all of this."""

import gzip
import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from tests.support.data import DAY, SCHEMA, batches_of, files_in, layout_in, request_for
from transforms.model import GreeksRequest
from transforms.model.row_groups import RowGroups
from transforms.output.layout import COMPRESSIONS
from transforms.sinks.base import ExpirationSink, Written
from transforms.sinks.formats import FORMATS, make_sink
from transforms.sinks.hashing_file import HashingFile
from transforms.sinks.parquet import ParquetSink

REQUEST = request_for("2024-03-15")
EVERY = [(name, compression) for name, known in COMPRESSIONS.items() for compression in known]


def sink_of(folder: Path, name: str, compression: str) -> ExpirationSink:
    suffix = COMPRESSIONS[name][compression]
    return make_sink(name, compression, layout_in(folder, suffix))


@pytest.fixture(params=EVERY, ids=["-".join(each) for each in EVERY])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> ExpirationSink:
    return sink_of(tmp_path, *request.param)


def write(
    sink: ExpirationSink, batches: list[pa.RecordBatch], name: str = "a"
) -> tuple[Path, Written]:
    path = Path(sink.layout.output).parent / name
    handle = sink.create(str(path), SCHEMA)
    for group in RowGroups.of(batches):
        sink.write_record(handle, group)
    written = sink.close(handle)
    sink.commit(handle)
    return path, written


def read_back(sink: ExpirationSink, path: Path) -> pa.Table:
    if isinstance(sink, ParquetSink):
        return pq.read_table(path)
    with pa.input_stream(path, None if sink.compression == "none" else sink.compression) as file:
        text = file.read()
    assert text.startswith(b"symbol,expiration,strike,right,timestamp,bid,ask,delta,")
    types = {f.name: f.type for f in SCHEMA}
    options = pacsv.ConvertOptions(column_types=types)
    # CSV does not say that a column has no nulls.
    return pacsv.read_csv(pa.BufferReader(text), convert_options=options).cast(SCHEMA)


@pytest.mark.parametrize("rows", [0, 1, 40_000])
def test_every_row_is_read_back_as_it_was(sink: ExpirationSink, rows: int) -> None:
    batches = batches_of(REQUEST, rows)
    path, written = write(sink, batches)
    assert read_back(sink, path).equals(pa.Table.from_batches(batches, SCHEMA))
    assert written.rows == rows


def test_bytes_and_hash_are_those_on_the_disk(sink: ExpirationSink) -> None:
    path, written = write(sink, batches_of(REQUEST, 5000))
    content = path.read_bytes()
    assert written.bytes == len(content)
    assert written.sha256 == hashlib.sha256(content).hexdigest()


def test_the_bytes_depend_on_the_rows_and_not_on_how_they_were_cut(sink: ExpirationSink) -> None:
    whole = pa.Table.from_batches(batches_of(REQUEST, 40_000)).combine_chunks()
    cuts = [whole.to_batches(size) for size in (997, 1000, 16_384, 40_000)]
    made = {write(sink, batches, str(n))[0].read_bytes() for n, batches in enumerate(cuts)}
    assert len(made) == 1


def test_a_commit_replaces_a_file_of_equal_size(sink: ExpirationSink) -> None:
    path, old = write(sink, batches_of(REQUEST, 10))
    path.write_bytes(bytes(old.bytes))
    _, new = write(sink, batches_of(REQUEST, 10))
    assert new == old
    assert hashlib.sha256(path.read_bytes()).hexdigest() == new.sha256


def test_nothing_is_seen_before_the_commit(sink: ExpirationSink) -> None:
    path = Path(sink.layout.path(REQUEST))
    handle = sink.create(str(path), SCHEMA)
    for group in RowGroups.of(batches_of(REQUEST, 20_000)):
        sink.write_record(handle, group)
        assert not path.exists()
    written = sink.close(handle)
    assert not path.exists()
    assert written.stored == written.bytes > 0
    sink.commit(handle)
    assert path.stat().st_size == written.bytes


def test_a_commit_that_fails_leaves_the_old_file(sink: ExpirationSink) -> None:
    path, _ = write(sink, batches_of(REQUEST, 10))
    handle = sink.create(str(path), SCHEMA)
    sink.close(handle)
    sink.discard(handle)
    old = path.read_bytes()
    with pytest.raises(OSError, match="No such file"):
        sink.commit(handle)
    assert path.read_bytes() == old


@pytest.mark.parametrize("rows", [0, 100, 40_000])
def test_a_discarded_file_is_gone(sink: ExpirationSink, rows: int, tmp_path: Path) -> None:
    handle = sink.create(str(tmp_path / "unfinished"), SCHEMA)
    for group in RowGroups.of(batches_of(REQUEST, rows)):
        sink.write_record(handle, group)
    sink.discard(handle)
    del handle
    assert files_in(tmp_path) == {}


def test_a_sink_can_be_used_again_after_a_file(sink: ExpirationSink) -> None:
    first, second = (write(sink, batches_of(REQUEST, 2000), name)[0] for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_every_format_has_its_compressions() -> None:
    assert FORMATS.keys() == COMPRESSIONS.keys()


def test_the_csv_text_is_exactly_this(tmp_path: Path) -> None:
    path, _ = write(sink_of(tmp_path, "csv", "none"), batches_of(REQUEST, 2))
    assert path.read_text() == (
        "symbol,expiration,strike,right,timestamp,bid,ask,delta,theta,vega,rho,epsilon,lambda,"
        "implied_vol,iv_error,underlying_timestamp,underlying_price\n"
        "SPXW,2024-03-15,5000,C,2024-03-14T09:30:00.000-04:00,0.1,0.3,0,0,1,0,0,12.3456,"
        "0.25,0.001,2024-03-14T09:30:00.500-04:00,5123.45\n"
        "SPXW,2024-03-15,5000,P,2024-03-14T09:31:00.000-04:00,1.1,1.3,0.0001,-0.0001,1,0,0,12.3456,"
        "0.25,0.001,2024-03-14T09:31:00.500-04:00,5123.45\n"
    )


def test_gzip_says_nothing_of_the_time_of_day(tmp_path: Path) -> None:
    path, _ = write(sink_of(tmp_path, "csv", "gzip"), batches_of(REQUEST, 2))
    content = path.read_bytes()
    assert content[4:8] == bytes(4)  # MTIME, RFC 1952 section 2.3
    assert gzip.decompress(content).count(b"\n") == 3


def test_parquet_has_large_row_groups_and_keeps_the_units(tmp_path: Path) -> None:
    path, _ = write(sink_of(tmp_path, "parquet", "zstd"), batches_of(REQUEST, 40_000))
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [24_576, 15_424]
    assert metadata.row_group(0).column(7).compression == "ZSTD"
    schema = pq.read_schema(path)
    assert schema.field("theta").metadata == {b"unit": b"USD per calendar day"}
    assert schema.field("symbol").type == pa.string()


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_files_are_written_in_large_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Each piece takes the interpreter's lock, for which other workers wait.
    sizes: list[int] = []
    write_on = HashingFile.write

    def counted(file: HashingFile, data: bytes | memoryview | pa.Buffer) -> int:
        sizes.append(memoryview(data).nbytes)
        return write_on(file, data)

    monkeypatch.setattr(HashingFile, "write", counted)
    compression = "none" if name == "csv" else "zstd"
    _, written = write(sink_of(tmp_path, name, compression), batches_of(REQUEST, 60_000))
    assert sum(sizes) == written.bytes > 200_000
    assert len(sizes) <= 5 + written.bytes // 200_000


def test_a_request_of_several_dates_is_one_file() -> None:
    days = (DAY.replace(day=13), DAY)
    request = GreeksRequest("SPXW", REQUEST.expiration, days)
    assert layout_in(Path("x")).path(request) == layout_in(Path("x")).path(REQUEST)

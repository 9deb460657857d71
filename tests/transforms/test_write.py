import errno
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.data import SCHEMA, batches_of, batches_on, files_in, layout_in, request_for
from tests.support.oracle import Market
from tests.support.plant import plant, without
from transforms.commit.expiration_writer import ExpirationWriter, StreamError
from transforms.model import (
    EMPTY,
    FAILED,
    INTERRUPTED,
    WRITTEN,
    ExpirationResult,
    Failure,
    GreeksRequest,
    Item,
    Restart,
    Trailer,
    row_groups,
)
from transforms.model.trade_dates import within
from transforms.output import entry as entry_states
from transforms.output.entry import COMMITTED, COMMITTING, Entry
from transforms.output.index import entries
from transforms.output.manifest import Manifest, result_of
from transforms.output.resume import Resume, reason_to_skip
from transforms.quality.gate import QualityGate
from transforms.quality.limits import parse_limits
from transforms.sinks.base import ExpirationSink, OpenFile
from transforms.sinks.csv import CsvSink
from transforms.sinks.parquet import ParquetSink
from transforms.write import WriteGreeks

MARKET = Market()
REQUEST = request_for("2024-03-15")
OTHER = request_for("2024-03-18")
BROKEN = Failure("BrokenResponse", "the answer broke off")


def csv_sink(folder: Path) -> ExpirationSink:
    return CsvSink(layout_in(folder), "none")


def send(
    writer: ExpirationWriter, request: GreeksRequest, items: Sequence[Item]
) -> ExpirationResult | None:
    result = None
    for item in items:
        assert result is None
        result = writer.write(request, item)
    return result


def data_files(folder: Path) -> list[str]:
    return list(files_in(folder / "greeks"))


def unfinished(folder: Path) -> list[str]:
    return list(files_in(folder / "greeks.meta" / "unfinished"))


def test_the_file_appears_with_the_trailer_and_not_before(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    batches = batches_of(REQUEST, 2500)
    assert send(writer, REQUEST, batches) is None
    assert data_files(tmp_path) == []
    result = writer.write(REQUEST, Trailer(3, 2500, requests=1, seconds=7))
    assert result is not None
    assert 7 < result.seconds < 60
    assert (result.status, result.rows, result.requests) == (WRITTEN, 2500, 1)
    assert data_files(tmp_path) == ["2024-03-15/SPXW_20240315.csv"]
    assert result.path is not None
    content = Path(result.path).read_bytes()
    assert result.bytes == len(content)
    assert content.count(b"\n") == 2501
    assert sum(rows for _, rows in result.rows_by_second) == 2500
    assert unfinished(tmp_path) == []


def entry_in(folder: Path, request: GreeksRequest) -> Entry | None:
    layout = layout_in(folder)
    return Manifest(layout.folder).entry_of(layout.path(request))


def test_the_manifest_says_who_made_the_file_and_what_is_in_it(tmp_path: Path) -> None:
    import hashlib

    sink = csv_sink(tmp_path)
    result = send(
        ExpirationWriter(sink, "simulated"), REQUEST, [*batches_of(REQUEST, 10), Trailer(1, 10)]
    )
    assert result is not None
    assert result.path is not None
    entry = Manifest(sink.layout.folder).entry_of(sink.layout.path(REQUEST))
    assert entry is not None
    assert (entry.state, entry.source, entry.run_id) == (COMMITTED, "simulated", "run-1")
    assert entry.request == REQUEST.describe()
    assert entry.rows == 10
    assert entry.sha256 == hashlib.sha256(Path(result.path).read_bytes()).hexdigest()


def test_what_may_still_change_is_marked_provisional(tmp_path: Path) -> None:
    sink = csv_sink(tmp_path)
    items = [*batches_of(REQUEST, 10), Trailer(1, 10, provisional=True)]
    result = send(ExpirationWriter(sink, "live"), REQUEST, items)
    entry = Manifest(sink.layout.folder).entry_of(sink.layout.path(REQUEST))
    assert result is not None
    assert entry is not None
    assert result.provisional
    assert entry.provisional
    # The next run fetches it again, and once the session has ended it is not provisional any more.
    send(ExpirationWriter(sink, "live"), REQUEST, [*batches_of(REQUEST, 20), Trailer(1, 20)])
    entry = Manifest(sink.layout.folder).entry_of(sink.layout.path(REQUEST))
    assert entry is not None
    assert (entry.provisional, entry.rows) == (False, 20)


def test_a_restart_takes_back_what_came_before(tmp_path: Path) -> None:
    items = [*batches_of(REQUEST, 3000), Restart(), *batches_of(REQUEST, 10), Trailer(1, 10)]
    result = send(ExpirationWriter(csv_sink(tmp_path), "live"), REQUEST, items)
    assert result is not None
    assert (result.status, result.rows) == (WRITTEN, 10)
    assert unfinished(tmp_path) == []


def test_no_batch_and_a_trailer_is_an_empty_expiration_without_a_file(tmp_path: Path) -> None:
    result = ExpirationWriter(csv_sink(tmp_path), "live").write(REQUEST, Trailer(0, 0, 1))
    assert result is not None
    assert (result.status, result.path) == (EMPTY, None)
    assert list(files_in(tmp_path)) == ["greeks.meta/files/2024-03-15/SPXW_20240315.csv.json"]
    entry = entry_in(tmp_path, REQUEST)
    assert entry is not None
    assert (entry.state, entry.request) == (entry_states.EMPTY, REQUEST.describe())


def test_what_is_empty_by_rule_was_not_asked_for_and_leaves_no_trace(tmp_path: Path) -> None:
    settled_before = replace(REQUEST, symbol="SPX", trade_dates=(REQUEST.expiration,))
    result = ExpirationWriter(csv_sink(tmp_path), "live").write(settled_before, Trailer(0, 0, 0))
    assert result is not None
    assert result.status == EMPTY
    assert files_in(tmp_path) == {}


def test_a_file_stays_when_the_terminal_has_no_data_any_more(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    send(writer, REQUEST, [*batches_of(REQUEST, 10), Trailer(1, 10, 1)])
    before = files_in(tmp_path)
    result = writer.write(REQUEST, Trailer(0, 0, 1))
    assert result is not None
    assert result.status == FAILED
    assert result.failure is not None
    assert "has no data for SPXW expiring 2024-03-15 on 2024-03-14 now" in result.failure.message
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    ("trailer", "status"),
    [
        (Trailer(2, 2000, 1, failure=BROKEN), FAILED),
        (Trailer(2, 2000, 1, interrupted=True), INTERRUPTED),
        (Trailer(3, 2000, 1), FAILED),
        (Trailer(2, 2001, 1), FAILED),
    ],
)
def test_a_stream_that_is_not_whole_leaves_nothing_and_the_next_one_goes_on(
    trailer: Trailer, status: str, tmp_path: Path
) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    result = send(writer, REQUEST, [*batches_of(REQUEST, 2000), trailer])
    assert result is not None
    assert (result.status, result.rows, result.path) == (status, 0, None)
    assert files_in(tmp_path) == {}
    after = send(writer, OTHER, [*batches_of(OTHER, 2000), Trailer(2, 2000)])
    assert after is not None
    assert after.status == WRITTEN
    writer.end()


def test_a_failed_rewrite_leaves_the_old_file(tmp_path: Path) -> None:
    sink = csv_sink(tmp_path)
    send(ExpirationWriter(sink, "live"), REQUEST, [*batches_of(REQUEST, 10), Trailer(1, 10)])
    before = files_in(tmp_path)
    again = ExpirationWriter(sink, "live")
    send(again, REQUEST, [*batches_of(REQUEST, 20), Trailer(1, 20, failure=BROKEN)])
    assert files_in(tmp_path) == before


def test_a_batch_of_another_request_fails_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    send(writer, REQUEST, batches_of(REQUEST, 2000))
    with pytest.raises(StreamError, match="No file was written short"):
        writer.write(OTHER, batches_of(OTHER, 10)[0])
    assert files_in(tmp_path) == {}


def test_a_bundle_without_trailer_fails_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    send(writer, REQUEST, batches_of(REQUEST, 2000))
    with pytest.raises(StreamError, match="without its trailer"):
        writer.end()
    assert files_in(tmp_path) == {}


class FullDisk(ParquetSink):
    """A disk that is full after some rows: the error that the kernel would give."""

    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        super().write_rows(handle, rows)
        raise OSError(errno.ENOSPC, "No space left on device")


class ShortFile(CsvSink):
    """A format that loses a row."""

    def rows_written(self, handle: OpenFile) -> int:
        return super().rows_written(handle) - 1


@pytest.mark.parametrize(
    ("kind", "reason"), [(FullDisk, "No space left on device"), (ShortFile, "the rows differ")]
)
@pytest.mark.parametrize("rows", [1000, 40_000])
def test_a_file_that_can_not_be_written_fails_its_expiration_alone(
    kind: type[ExpirationSink], reason: str, rows: int, tmp_path: Path
) -> None:
    writer = ExpirationWriter(kind(layout_in(tmp_path), "none"), "live")
    batches = batches_of(REQUEST, rows)
    result = send(writer, REQUEST, [*batches, Trailer(len(batches), rows)])
    assert result is not None
    assert result.status == FAILED
    assert result.failure is not None
    assert reason in result.failure.message
    assert files_in(tmp_path) == {}
    writer.end()


class DiskOnDemand(CsvSink):
    """A disk that is full while `full` is set: the error that the kernel would give."""

    full = False

    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write_rows(handle, rows)


ITEMS = st.one_of(
    st.tuples(st.just("batch"), st.integers(1, 3)),
    st.tuples(st.just("trailer"), st.sampled_from(["right", "wrong", "failed", "interrupted"])),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("disk"), st.booleans()),
    st.tuples(st.just("end"), st.none()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=st.lists(st.tuples(st.sampled_from([REQUEST, OTHER]), ITEMS), max_size=30))
def test_any_stream_in_any_order_leaves_only_whole_files(
    stream: list[tuple[GreeksRequest, tuple[str, object]]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_groups, "GROUP_ROWS", 2)
    folder = tmp_path_factory.mktemp("any")
    layout = layout_in(folder)
    sink = DiskOnDemand(layout, "none")
    writer = ExpirationWriter(sink, "live")
    reason: dict[GreeksRequest, int] = {}
    sent = batches = 0
    for request, (kind, value) in stream:
        try:
            if kind == "end":
                writer.end()
            elif kind == "disk":
                sink.full = bool(value)
            elif kind == "restart":
                writer.write(request, Restart())
                sent = batches = 0
            elif kind == "batch":
                assert isinstance(value, int)
                writer.write(request, batches_of(request, value)[0])
                sent, batches = sent + value, batches + 1
            else:
                trailer = Trailer(
                    batches,
                    sent + (value == "wrong"),
                    1,
                    failure=BROKEN if value == "failed" else None,
                    interrupted=value == "interrupted",
                )
                sent = batches = 0
                result = writer.write(request, trailer)
                assert result is not None
                if result.status == WRITTEN:
                    assert value == "right"
                    reason[request] = result.rows
                    assert result.rows == trailer.rows
                elif result.status == EMPTY:
                    assert request not in reason
        except StreamError:
            # The bundle failed. The runner begins it again, with a new writer.
            writer = ExpirationWriter(sink, "live")
            sent = batches = 0
    writer.discard()
    on_disk = {
        name: content.count(b"\n") - 1 for name, content in files_in(folder / "greeks").items()
    }
    assert on_disk == {layout.name(request): rows for request, rows in reason.items()}
    assert unfinished(folder) == []
    rows_in = {
        name: entry.rows
        for name, entry in entries(layout.folder)
        if isinstance(entry, Entry) and entry.state == COMMITTED
    }
    assert rows_in == on_disk


def test_a_bundle_that_runs_again_gives_the_same_files(tmp_path: Path) -> None:
    sink = csv_sink(tmp_path)
    first = [*batches_of(REQUEST, 2500), Trailer(3, 2500, 1)]
    second = [*batches_of(OTHER, 1500), Trailer(2, 1500, 1)]
    calm = ExpirationWriter(csv_sink(tmp_path / "calm"), "live")
    send(calm, REQUEST, first)
    send(calm, OTHER, second)

    failing = ExpirationWriter(sink, "live")
    assert send(failing, REQUEST, first) is not None
    send(failing, OTHER, second[:1])
    failing.discard()  # as a DoFn's teardown does
    assert data_files(tmp_path) == ["2024-03-15/SPXW_20240315.csv"]
    again = ExpirationWriter(sink, "live")
    results = [send(again, REQUEST, first), send(again, OTHER, second)]
    assert [result.rows for result in results if result is not None] == [2500, 1500]
    assert files_in(tmp_path / "greeks") == files_in(tmp_path / "calm" / "greeks")
    assert unfinished(tmp_path) == []


class FailsOnce(beam.DoFn):
    """Fails the bundle at the second result, the first time that it runs."""

    def __init__(self, mark: str) -> None:
        self._mark = Path(mark)
        self._seen = 0

    def process(self, result: ExpirationResult) -> Iterator[ExpirationResult]:
        self._seen += 1
        if self._seen == 2 and not self._mark.exists():
            self._mark.touch()
            raise RuntimeError("the worker is lost")
        yield result


def test_a_graph_that_fails_after_some_commits_and_runs_again_gives_the_same_files(
    tmp_path: Path,
) -> None:
    items = [
        *((REQUEST, item) for item in [*batches_of(REQUEST, 1500), Trailer(2, 1500, 1)]),
        *((OTHER, item) for item in [*batches_of(OTHER, 500), Trailer(1, 500, 1)]),
    ]

    def run(folder: Path) -> None:
        with beam.Pipeline(runner=FnApiRunner()) as root:
            results = (
                root
                | beam.Create([items])
                | beam.FlatMap(lambda each: each).with_output_types(
                    tuple[GreeksRequest, pa.RecordBatch | Trailer]
                )
                | WriteGreeks(csv_sink(folder), "live")
                | beam.ParDo(FailsOnce(str(tmp_path / "mark")))
                | beam.Map(lambda result: result.rows)
            )
            assert_that(results, equal_to([1500, 500]))

    with pytest.raises(Exception, match="the worker is lost"):
        run(tmp_path)
    assert len(data_files(tmp_path)) > 0
    run(tmp_path)
    run(tmp_path / "calm")
    assert files_in(tmp_path / "greeks") == files_in(tmp_path / "calm" / "greeks")
    assert unfinished(tmp_path) == []


def test_the_transform_emits_one_result_for_each_request(tmp_path: Path) -> None:
    items = [
        *((REQUEST, item) for item in [*batches_of(REQUEST, 1500), Trailer(2, 1500)]),
        *((OTHER, item) for item in [Trailer(0, 0)]),
    ]
    with beam.Pipeline(runner=FnApiRunner()) as root:
        results = (
            root
            | beam.Create([items])
            | beam.FlatMap(lambda each: each).with_output_types(
                tuple[GreeksRequest, pa.RecordBatch | Trailer]
            )
            | WriteGreeks(csv_sink(tmp_path), "live")
        )
        assert results.element_type is ExpirationResult
        seen = results | beam.Map(lambda result: (result.status, result.rows))
        assert_that(seen, equal_to([(WRITTEN, 1500), (EMPTY, 0)]))


def test_a_shuffle_between_fetch_and_write_is_found_out(tmp_path: Path) -> None:
    items = [
        *((REQUEST, item) for item in [*batches_of(REQUEST, 90, 10), Trailer(9, 90)]),
        *((OTHER, item) for item in [*batches_of(OTHER, 90, 10), Trailer(9, 90)]),
    ]

    def run() -> None:
        with beam.Pipeline(runner=FnApiRunner()) as root:
            _ = (
                root
                | beam.Create([items])
                | beam.FlatMap(lambda each: each)
                | beam.Map(lambda item: (zlib.crc32(str(item[1]).encode()) % 97, item))
                | beam.GroupByKey()
                | beam.FlatMap(lambda group: group[1]).with_output_types(
                    tuple[GreeksRequest, pa.RecordBatch | Trailer]
                )
                | WriteGreeks(csv_sink(tmp_path), "live")
            )

    with pytest.raises(Exception, match="keep fetch and write together|without its trailer"):
        run()
    assert unfinished(tmp_path) == []


CHECKED = MARKET.rows("SPXW", date(2024, 3, 15), date(2024, 3, 14), "30m")
CHECKED_REQUEST = GreeksRequest("SPXW", date(2024, 3, 15), (date(2024, 3, 14),), "30m")


def stream_of(table: pa.Table) -> list[Item]:
    batches = table.cast(SCHEMA).to_batches(max_chunksize=1000)
    return [*batches, Trailer(len(batches), table.num_rows)]


def test_what_the_check_finds_is_in_the_result_and_the_manifest(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    result = send(writer, CHECKED_REQUEST, stream_of(without(CHECKED, 100)))
    assert result is not None
    assert result.status == WRITTEN
    assert result.quality is not None
    assert [(f["rule"], f["count"]) for f in result.quality["findings"]] == [("holes", 1)]
    entry = entry_in(tmp_path, CHECKED_REQUEST)
    assert entry is not None
    assert entry.quality == result.quality == result.describe()["quality"]


def test_a_finding_above_its_limit_keeps_the_file_back(tmp_path: Path) -> None:
    gate = QualityGate(limits=parse_limits("holes>0.01%,zero_greeks>5%"))
    writer = ExpirationWriter(csv_sink(tmp_path), "live", gate=gate)
    result = send(writer, CHECKED_REQUEST, stream_of(without(CHECKED, 100)))
    assert result is not None
    assert (result.status, result.path) == (FAILED, None)
    assert result.failure is not None
    assert result.failure.error_type == "QualityTooLow"
    assert "holes>0.01% is exceeded: 1 " in result.failure.message
    assert result.quality is not None
    assert data_files(tmp_path) == unfinished(tmp_path) == []
    assert send(writer, CHECKED_REQUEST, stream_of(CHECKED)).status == WRITTEN  # type: ignore[union-attr]


def test_a_stream_that_starts_over_is_judged_by_its_second_rows(tmp_path: Path) -> None:
    writer = ExpirationWriter(
        csv_sink(tmp_path), "live", gate=QualityGate(limits=parse_limits("any"))
    )
    *batches, _ = stream_of(plant(CHECKED, 100, delta=7.0))
    result = send(writer, CHECKED_REQUEST, [*batches, Restart(), *stream_of(CHECKED)])
    assert result is not None
    assert result.status == WRITTEN
    assert result.quality is not None
    assert result.quality["findings"] == []
    assert result.quality["rows"] == CHECKED.num_rows


def test_without_the_check_there_is_no_quality(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live", gate=QualityGate(on=False))
    result = send(writer, CHECKED_REQUEST, stream_of(CHECKED))
    assert result is not None
    assert (result.status, result.quality) == (WRITTEN, None)


WEEK = tuple(date(2024, 3, day) for day in (11, 12, 13, 14, 15))
WHOLE_WEEK = GreeksRequest("SPXW", date(2024, 3, 15), WEEK)


def rows_on(days: Sequence[int], step: float = 0.0001) -> list[Item]:
    """Returns the stream of a week of which these days of March have 10 rows each."""
    batches = [
        batch
        for day in WEEK
        if day.day in days
        for batch in batches_on(WHOLE_WEEK, day, 10, step=step)
    ]
    return [*batches, Trailer(len(batches), 10 * len(batches), len(WEEK))]


def written_week(folder: Path, items: Sequence[Item]) -> tuple[ExpirationResult, Entry]:
    result = send(ExpirationWriter(csv_sink(folder), "live"), WHOLE_WEEK, items)
    entry = entry_in(folder, WHOLE_WEEK)
    assert result is not None
    assert entry is not None
    return result, entry


@pytest.mark.parametrize(
    ("days", "with_rows", "lacking"),
    [
        ((11, 12, 13, 14, 15), "2024-03-11/2024-03-15", ""),
        ((13, 14, 15), "2024-03-13/2024-03-15", ""),
        ((11, 12, 14, 15), "2024-03-11/2024-03-12,2024-03-14/2024-03-15", "2024-03-13"),
        ((12, 14), "2024-03-12,2024-03-14", "2024-03-13,2024-03-15"),
        ((11,), "2024-03-11", "2024-03-12/2024-03-15"),
    ],
)
def test_the_manifest_and_the_result_have_the_trade_dates_with_rows_and_those_that_are_missing(
    days: tuple[int, ...], with_rows: str, lacking: str, tmp_path: Path
) -> None:
    result, entry = written_week(tmp_path, rows_on(days))
    assert (result.status, result.rows) == (WRITTEN, 10 * len(days))
    assert (result.dates_with_rows, result.missing_dates) == (with_rows, lacking)
    assert (entry.dates_with_rows, entry.missing_dates) == (with_rows, lacking)
    assert bool(entry.missing_since) == bool(lacking)
    assert result.quality is not None
    count = sum(finding["count"] for finding in result.quality["findings"] if dated(finding))
    assert count == len(within(lacking, WEEK))


def dated(finding: dict[str, object]) -> bool:
    return finding["rule"] == "missing_dates"


def test_a_trade_date_may_still_come_while_its_session_has_not_ended(tmp_path: Path) -> None:
    *batches, trailer = rows_on((11, 12, 14))
    assert isinstance(trailer, Trailer)
    result, entry = written_week(tmp_path, [*batches, replace(trailer, provisional=True)])
    assert result.missing_dates == entry.missing_dates == "2024-03-13"


def test_what_is_settled_in_the_morning_has_no_rows_on_its_last_day(tmp_path: Path) -> None:
    request = replace(WHOLE_WEEK, symbol="SPX")
    batches = [batch for day in WEEK[:-1] for batch in batches_on(request, day, 10)]
    writer = ExpirationWriter(csv_sink(tmp_path), "live")
    result = send(writer, request, [*batches, Trailer(4, 40, 4)])
    assert result is not None
    assert (result.dates_with_rows, result.missing_dates) == ("2024-03-11/2024-03-14", "")


def test_a_file_that_gains_a_trade_date_is_replaced_whole(tmp_path: Path) -> None:
    written_week(tmp_path, rows_on((11, 12, 14, 15)))
    _, entry = written_week(tmp_path, rows_on((11, 12, 13, 14, 15)))
    assert (entry.rows, entry.missing_dates, entry.missing_since) == (50, "", "")
    written_week(tmp_path / "calm", rows_on((11, 12, 13, 14, 15)))
    assert files_in(tmp_path / "greeks") == files_in(tmp_path / "calm" / "greeks")
    assert unfinished(tmp_path) == []


def test_a_file_that_gains_nothing_stays_and_the_time_of_its_entry_is_renewed(
    tmp_path: Path,
) -> None:
    first, before = written_week(tmp_path, rows_on((11, 12, 14, 15)))
    assert first.path is not None
    inode = Path(first.path).stat().st_ino
    again, after = written_week(tmp_path, rows_on((11, 12, 14, 15)))
    assert again.status == WRITTEN
    assert Path(first.path).stat().st_ino == inode
    assert after.time > before.time
    assert replace(after, time=before.time) == before
    assert unfinished(tmp_path) == []


def test_a_damaged_file_of_the_right_size_is_replaced_by_the_same_rows(tmp_path: Path) -> None:
    first, _ = written_week(tmp_path, rows_on((11, 12)))
    assert first.path is not None
    content = Path(first.path).read_bytes()
    Path(first.path).write_bytes(content[:-2] + b"9\n")
    written_week(tmp_path, rows_on((11, 12)))
    assert Path(first.path).read_bytes() == content


def test_a_file_stays_when_the_terminal_has_lost_a_trade_date_of_it(tmp_path: Path) -> None:
    written_week(tmp_path, rows_on((11, 12, 14, 15)))
    before = files_in(tmp_path)
    result, _ = written_week(tmp_path, rows_on((11, 13, 14, 15)))
    assert result.status == FAILED
    assert result.failure is not None
    assert result.failure.error_type == "NothingNow"
    assert "has no data of SPXW expiring 2024-03-15" in result.failure.message
    assert "for 2024-03-12 now" in result.failure.message
    assert files_in(tmp_path) == before


def test_a_limit_on_missing_dates_keeps_the_file_back(tmp_path: Path) -> None:
    gate = QualityGate(limits=parse_limits("missing_dates"))
    writer = ExpirationWriter(csv_sink(tmp_path), "live", gate=gate)
    result = send(writer, WHOLE_WEEK, rows_on((11, 13, 14)))
    assert result is not None
    assert result.failure is not None
    assert "missing_dates>0 is exceeded: 2 with a requested trade date" in result.failure.message
    assert files_in(tmp_path) == {}
    early = send(writer, WHOLE_WEEK, rows_on((13, 14, 15)))
    assert early is not None
    assert early.status == WRITTEN


def test_without_the_check_missing_trade_dates_are_noted_too(tmp_path: Path) -> None:
    writer = ExpirationWriter(csv_sink(tmp_path), "live", gate=QualityGate(on=False))
    result = send(writer, WHOLE_WEEK, rows_on((11, 13)))
    assert result is not None
    assert (result.quality, result.missing_dates) == (None, "2024-03-12,2024-03-14/2024-03-15")


class Killed(BaseException):
    """Ends a run in the middle of a commit."""


SKIPPED_BY = ("csv", "none"), Resume(), datetime.now(timezone.utc)


class KilledSink(CsvSink):
    def commit(self, file_handle: OpenFile, over: str | None = None) -> None:
        raise Killed


def test_a_run_that_ends_between_an_entry_and_its_file_has_written_nothing(tmp_path: Path) -> None:
    layout = csv_sink(tmp_path).layout
    killed = ExpirationWriter(KilledSink(layout, "none"), "live")
    stream = [*batches_of(REQUEST, 2500), Trailer(3, 2500, 1)]
    with pytest.raises(Killed):
        send(killed, REQUEST, stream)
    entry = Manifest(layout.folder).entry_of(layout.path(REQUEST))
    assert entry is not None
    assert entry.state == COMMITTED
    assert data_files(tmp_path) == []
    assert result_of(REQUEST, layout) is None
    assert reason_to_skip(entry, layout.path(REQUEST), *SKIPPED_BY) is None
    assert send(ExpirationWriter(csv_sink(tmp_path), "live"), REQUEST, stream) is not None
    assert result_of(REQUEST, layout) is not None


def test_a_run_that_ends_while_it_replaces_a_file_leaves_it_unproven(tmp_path: Path) -> None:
    layout = csv_sink(tmp_path).layout
    calm = ExpirationWriter(csv_sink(tmp_path), "live")
    send(calm, REQUEST, [*batches_of(REQUEST, 50), Trailer(1, 50, 1)])
    before = files_in(tmp_path / "greeks")
    killed = ExpirationWriter(KilledSink(layout, "none"), "live")
    with pytest.raises(Killed):
        send(killed, REQUEST, [*batches_of(REQUEST, 50, step=0.0002), Trailer(1, 50, 1)])
    assert files_in(tmp_path / "greeks") == before
    entry = Manifest(layout.folder).entry_of(layout.path(REQUEST))
    assert entry is not None
    assert entry.state == COMMITTING
    assert reason_to_skip(entry, layout.path(REQUEST), *SKIPPED_BY) is None

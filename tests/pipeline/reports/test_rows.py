import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest

from pipeline.inspection.files import UnreadableFile, columns_of
from pipeline.reports.rows import BASE, NoRows, dates_and_symbols, pieces
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.data import data_files
from tests.support.folder import DAY, NEXT_DAY, fill
from transforms.orders import schema_of

FRIDAY = date(2024, 3, 15)


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(Market()) as server:
        yield server


@pytest.fixture(scope="module")
def table(terminal: TerminalServer, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Two trade dates of one expiration."""
    folder = tmp_path_factory.mktemp("rows")
    fill(folder / "greeks", terminal, last=FRIDAY)
    (path,) = data_files(folder / "greeks")
    return parquet.ParquetFile(path).read()


def read(path: Path | str, first: date = DAY, last: date = FRIDAY) -> list[tuple[object, ...]]:
    """Every row, as the figures see it."""
    return [
        (piece.expiration, piece.trade_date, *row)
        for piece in pieces(str(path), "SPXW", first, last, BASE)
        for row in zip(
            piece.time.tolist(),
            piece.strike.tolist(),
            piece.is_call.tolist(),
            *(piece.values[name].tolist() for name in BASE),
            strict=True,
        )
    ]


def test_a_row_is_the_same_from_either_format(terminal: TerminalServer, tmp_path: Path) -> None:
    fill(tmp_path / "parquet", terminal)
    for compression in ("none", "gzip", "zstd"):
        fill(tmp_path / compression, terminal, file_format="csv", compression=compression)
    (reference,) = data_files(tmp_path / "parquet")
    rows = read(reference)
    assert len(rows) == parquet.read_metadata(reference).num_rows
    for compression in ("none", "gzip", "zstd"):
        (path,) = data_files(tmp_path / compression)
        assert read(path) == rows


def test_times_are_new_yorks_with_any_zone_or_none(table: pa.Table, tmp_path: Path) -> None:
    parquet.write_table(table, ours := tmp_path / "ours.parquet")
    rows = read(ours)
    assert {row[2] for row in rows} == set(range(34_200_000, 57_600_001, 1_800_000))
    place = table.schema.get_field_index("timestamp")
    stamps = table["timestamp"]
    others = {
        "utc": stamps.cast(pa.timestamp("us", tz="UTC")),
        "none": pa.compute.local_timestamp(stamps).cast(pa.timestamp("ns")),
    }
    for name, column in others.items():
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(table.set_column(place, "timestamp", column), path)
        assert read(path) == rows
        assert dates_and_symbols(str(path)) == (frozenset({"SPXW"}), DAY, FRIDAY)


def test_what_other_tools_write_is_read(table: pa.Table, tmp_path: Path) -> None:
    parquet.write_table(table, ours := tmp_path / "ours.parquet")
    rows = read(ours)
    frame = table.to_pandas()
    stamps = frame["timestamp"].dt.tz_localize(None)
    words = frame["right"].map({"C": "CALL", "P": "PUT"})
    frame.assign(timestamp=stamps, right=words).to_csv(tmp_path / "naive.csv", index=False)
    digits = frame["expiration"].map(lambda day: int(f"{day:%Y%m%d}"))
    frame.assign(expiration=digits).to_csv(tmp_path / "integer.csv", index=False)
    text = stamps.map(lambda stamp: stamp.isoformat(timespec="milliseconds"))
    frame.assign(timestamp=text).to_parquet(tmp_path / "text.parquet")
    midnight = frame["expiration"].astype("datetime64[ns]")
    frame.assign(expiration=midnight).to_parquet(tmp_path / "midnight.parquet")
    for name in ("naive.csv", "integer.csv", "text.parquet", "midnight.parquet"):
        assert read(tmp_path / name) == rows, name
        assert dates_and_symbols(str(tmp_path / name))[1:] == (DAY, FRIDAY)
    frame.drop(columns="symbol").to_parquet(tmp_path / "nameless.parquet")
    assert dates_and_symbols(str(tmp_path / "nameless.parquet"))[0] == {""}


def test_other_dates_and_other_symbols_are_left_out(table: pa.Table, tmp_path: Path) -> None:
    other = table.set_column(0, table.field("symbol"), pa.array(["SPX"] * len(table)))
    parquet.write_table(pa.concat_tables([other, table]), path := tmp_path / "both.parquet")
    assert len(read(path)) == len(table)
    assert {row[1] for row in read(path, FRIDAY, FRIDAY)} == {FRIDAY}
    assert dates_and_symbols(str(path))[0] == {"SPX", "SPXW"}


def test_a_file_may_hold_several_expirations(table: pa.Table, tmp_path: Path) -> None:
    later = pa.array([date(2024, 3, 22)] * len(table))
    mixed = pa.concat_tables([table.set_column(1, table.field("expiration"), later), table])
    csv.write_csv(mixed.take(pa.array(range(0, len(mixed), 7))), path := tmp_path / "mixed.csv")
    counts = {
        day: sum(row[0] == day for row in read(path)) for day in (NEXT_DAY, date(2024, 3, 22))
    }
    assert all(counts.values())
    assert sum(counts.values()) == -(-len(mixed) // 7)


def test_what_is_not_option_greeks_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("symbol,price\nSPX,1\n")
    with pytest.raises(UnreadableFile, match="has no column expiration, strike, right, timestamp"):
        read(tmp_path / "prices.csv")
    (tmp_path / "empty.csv").write_text("symbol,expiration,strike,right,timestamp\n")
    with pytest.raises(NoRows, match="has no row"):
        dates_and_symbols(str(tmp_path / "empty.csv"))


@pytest.mark.slow
def test_the_columns_are_known_without_reading_on(terminal: TerminalServer, tmp_path: Path) -> None:
    # What read on in a thread took bytes from the file that was opened next.
    fill(tmp_path / "greeks", terminal, file_format="csv", compression="gzip", interval="1m")
    (path,) = data_files(tmp_path / "greeks")
    names = columns_of(str(path))
    assert names == list(schema_of("first_order").names)
    os.truncate(path, os.path.getsize(path) // 2)  # noqa: PTH202 -- a text
    assert columns_of(str(path)) == names
    with pytest.raises(UnreadableFile):
        read(path)

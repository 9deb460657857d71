import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.folder import print_catalog, write_catalog
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here
from tests.support.exposure import exposure_of, pain_of
from tests.support.folder import DAY, NEXT_DAY, fill
from tests.support.oracle import Market
from transforms.output.layout import COMPRESSIONS

TEN = "ny_time = '2024-03-14 10:00'"


@pytest.fixture(scope="module")
def terminal() -> Iterator[TerminalServer]:
    with TerminalServer(Market()) as server:
        yield server


def connect(catalog: str | None) -> duckdb.DuckDBPyConnection:
    assert catalog is not None
    connection = duckdb.connect()
    connection.execute(Path(catalog).read_text("utf-8"))
    return connection


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return connection.sql(query).fetchall()


@pytest.mark.parametrize(
    ("file_format", "compression"),
    [(name, compression) for name, known in COMPRESSIONS.items() for compression in known],
)
def test_every_format_gives_the_same_rows(
    tmp_path: Path, terminal: TerminalServer, file_format: str, compression: str
) -> None:
    output = tmp_path / "greeks"
    rows = fill(output, terminal, file_format=file_format, compression=compression)
    connection = connect(write_catalog(str(output)))
    assert ask(connection, "select count(*) from greeks") == [(rows,)]
    assert ask(connection, f"select distinct trade_date, dte from greeks where {TEN}") == [(DAY, 1)]
    assert ask(connection, "select typeof(strike), typeof(timestamp) from greeks limit 1") == [
        ("DOUBLE", "TIMESTAMP WITH TIME ZONE")
    ]


ASK = """
import duckdb, pathlib, sys
connection = duckdb.connect()
connection.execute(pathlib.Path(sys.argv[1]).read_text())
print(connection.sql(
    "select min(ny_time)::text, max(ny_time)::text, any_value(trade_date)::text, "
    "count(distinct ny_time), epoch(min(timestamp)) from greeks").fetchall())
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_new_york_is_the_same_under_every_time_zone_of_the_machine(
    tmp_path: Path, terminal: TerminalServer, file_format: str, zone: str
) -> None:
    # 2024-03-11 is the first Monday of daylight saving: 09:30 is 13:30 UTC, and was 14:30 before.
    for day, opened in ((date(2024, 3, 8), "14:30"), (date(2024, 3, 11), "13:30")):
        output = tmp_path / str(day)
        fill(
            output,
            terminal,
            first=day,
            last=day,
            file_format=file_format,
            compression=next(iter(COMPRESSIONS[file_format])),
        )
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(write_catalog(str(output)))],
            env=os.environ | {"TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        instant = datetime.fromisoformat(f"{day}T{opened}:00+00:00").timestamp()
        first, last = f"{day} 09:30:00", f"{day} 16:00:00"
        assert done.stdout.strip() == str([(first, last, str(day), 14, instant)])


@pytest.mark.parametrize("name", ["greeks", "it's [here], 50 %?"])
def test_a_folder_of_any_name_can_be_queried_and_moved(
    tmp_path: Path, terminal: TerminalServer, name: str
) -> None:
    output = tmp_path / name
    rows = fill(output, terminal)
    catalog = write_catalog(str(output))
    assert catalog is not None
    assert ask(connect(catalog), "select count(*) from greeks") == [(rows,)]

    moved = tmp_path / "elsewhere"
    moved.mkdir()
    output.rename(moved / "data")
    Path(catalog).parent.rename(moved / "data.meta")
    connection = duckdb.connect()
    connection.execute(f"set variable greeks_folder = '{moved}/data'")
    connection.execute((moved / "data.meta" / "catalog.sql").read_text("utf-8"))
    assert ask(connection, "select count(*) from greeks") == [(rows,)]
    assert ask(connection, "select sum(rows) from files") == [(rows,)]


def test_formats_and_orders_side_by_side_are_one_view(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    output, pattern = tmp_path / "greeks", "{greeks}/{symbol}_{expiration:%Y%m%d}"
    kinds = [
        ("csv", "none", "first_order"),
        ("csv", "gzip", "second_order"),
        ("csv", "zstd", "second_order"),
        ("parquet", "zstd", "third_order"),
    ]
    rows = {}
    for file_format, compression, order in kinds:
        rows[file_format, compression] = fill(
            output,
            terminal,
            file_format=file_format,
            compression=compression,
            greeks=order,
            pattern=pattern,
        )
    connection = connect(write_catalog(str(output)))
    counts = "count(*), count(delta), count(gamma), count(speed)"
    assert ask(connection, f"select {counts} from greeks") == [
        (
            sum(rows.values()),
            rows["csv", "none"],
            rows["csv", "gzip"] + rows["csv", "zstd"],
            rows["parquet", "zstd"],
        )
    ]


def test_smiles_are_solved_and_out_of_the_money(tmp_path: Path, terminal: TerminalServer) -> None:
    output = tmp_path / "greeks"
    fill(output, terminal)
    connection = connect(write_catalog(str(output)))
    rows = ask(
        connection,
        'select strike, "right", implied_vol, log_moneyness, underlying_price, '
        f"bid from smiles where {TEN}",
    )
    assert len(rows) > 20
    for strike, right, volatility, moneyness, spot, bid in rows:
        assert (right == "C") == (strike >= spot)
        assert volatility > 0
        assert bid > 0
        assert moneyness == pytest.approx(math.log(strike / spot))
    assert len({strike for strike, *_ in rows}) == len(rows)


def test_a_straddle_is_the_call_and_the_put_of_one_strike(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    output = tmp_path / "greeks"
    fill(output, terminal)
    connection = connect(write_catalog(str(output)))
    ((strike, price, delta),) = ask(
        connection,
        f"select strike, price, delta from straddles where {TEN} order by abs(delta) limit 1",
    )
    both = ask(
        connection,
        f'select "right", (bid + ask) / 2, delta from greeks where {TEN} and '
        f'strike = {strike} order by "right"',
    )
    assert [right for right, *_ in both] == ["C", "P"]
    assert price == pytest.approx(sum(mid for _, mid, _ in both))
    assert delta == pytest.approx(sum(value for *_, value in both))
    assert abs(delta) < 0.1


@pytest.mark.parametrize("greeks", ["first_order", "eod"])
def test_the_term_structure_has_one_volatility_for_an_expiration_and_a_time(
    tmp_path: Path, terminal: TerminalServer, greeks: str
) -> None:
    output = tmp_path / "greeks"
    expirations = (NEXT_DAY, date(2024, 3, 22), date(2024, 4, 12))
    fill(output, terminal, expirations, greeks=greeks)
    connection = connect(write_catalog(str(output)))
    when = TEN if greeks != "eod" else "ny_time = '2024-03-14'"
    rows = ask(
        connection,
        "select expiration, dte, strike, implied_vol, underlying_price from "
        f"term_structure where {when} order by expiration",
    )
    assert [(expiration, dte) for expiration, dte, *_ in rows] == [
        (expiration, (expiration - DAY).days) for expiration in expirations
    ]
    for *_, strike, volatility, spot in rows:
        assert 0.03 < volatility < 1
        assert strike == pytest.approx(spot, rel=0.01)


def test_the_catalog_is_replaced_whole_and_not_written_for_no_files(
    tmp_path: Path, terminal: TerminalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "greeks"
    assert write_catalog(str(output)) is None
    fill(output, terminal, file_format="csv", compression="none")
    (catalog := tmp_path / "greeks.meta" / "catalog.sql").write_text("an old one")
    print_catalog(str(output))
    assert " query 'SELECT * FROM files LIMIT 5' --output " in capsys.readouterr().out
    assert "read_csv" in catalog.read_text("utf-8")
    assert not list(catalog.parent.glob("*.json"))

    catalog.unlink()
    catalog.mkdir()
    print_catalog(str(output))
    assert "no catalog.sql could be written" in capsys.readouterr().err
    assert not list(catalog.parent.glob("*.json"))


def test_what_is_no_entry_of_the_manifest_is_left_out(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    output = tmp_path / "greeks"
    rows = fill(output, terminal)
    strange = tmp_path / "greeks.meta" / "files" / "strange.parquet.json"
    strange.write_text(json.dumps({"state": "committed"}))
    assert ask(connect(write_catalog(str(output))), "select count(*) from greeks") == [(rows,)]


def test_files_of_a_format_that_no_view_reads_are_left_out_and_named(
    tmp_path: Path, terminal: TerminalServer, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "greeks"
    rows = fill(output, terminal)
    (path,) = (path for path in output.rglob("*") if path.is_file())
    documents = tmp_path / "greeks.meta" / "files"
    document = json.loads((documents / f"{path.relative_to(output)}.json").read_text())
    shutil.copyfile(path, output / "own.jsonl")
    own = document | {"format": "jsonl", "compression": "none"}
    (documents / "own.jsonl.json").write_text(json.dumps(own))
    assert ask(connect(write_catalog(str(output))), "select count(*) from greeks") == [(rows,)]
    assert capsys.readouterr().err == "note: not in catalog.sql: 1 file of the format jsonl\n"
    shown = greeks_here(tmp_path, "verify", "--output", "greeks")
    assert f"2 files, {2 * rows:,} rows" in shown
    (output / "own.jsonl").write_bytes(path.read_bytes().swapcase())
    assert "own.jsonl has other bytes" in greeks_here(
        tmp_path, "verify", "--output", "greeks", code=1
    )


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_gamma_exposure_and_max_pain_are_those_of_an_independent_computation(
    tmp_path: Path, terminal: TerminalServer, file_format: str
) -> None:
    output, pattern = tmp_path / "greeks", "{greeks}/{symbol}_{expiration:%Y%m%d}"
    for order in ("second_order", "open_interest"):
        fill(output, terminal, file_format=file_format, greeks=order, pattern=pattern)
    connection = connect(write_catalog(str(output)))
    asked = f"select strike, sum(per_percent) from gamma_exposure where {TEN} group by 1 order by 1"
    found = dict(ask(connection, asked))
    exposure = exposure_of(NEXT_DAY, DAY)
    assert found == pytest.approx(exposure)
    assert max(map(abs, found.values())) > 1e6
    in_all = pytest.approx(sum(exposure.values()))
    asked = f"select expiration, sum(per_percent) from gamma_exposure where {TEN} group by 1"
    assert ask(connection, asked) == [(NEXT_DAY, in_all)]
    asked = f"select sum(per_point * underlying_price / 100) from gamma_exposure where {TEN}"
    assert ask(connection, asked) == [(in_all,)]
    least, paid = pain_of(NEXT_DAY, DAY)
    asked = f"select max_pain, paid from max_pain where trade_date = '{DAY}'"
    assert ask(connection, asked) == [(least, pytest.approx(paid))]
    assert ask(connection, "select count(*) = count(implied_vol) from greeks") == [(True,)]


def test_each_price_of_the_underlying_is_there_once(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    output, pattern = tmp_path / "greeks", "{greeks}/{symbol}_{expiration:%Y%m%d}"
    fill(output, terminal, (NEXT_DAY, date(2024, 3, 22)), pattern=pattern)
    fill(output, terminal, greeks="trade_implied_volatility", interval="tick", pattern=pattern)
    connection = connect(write_catalog(str(output)))
    market, names = Market(), ("underlying_timestamp", "underlying_price")
    expected = {
        tuple(row[name] for name in names)
        for order in ("first_order", "trade_implied_volatility")
        for row in market.rows("SPXW", NEXT_DAY, DAY, "30m", order).select(names).to_pylist()
    }
    asked = "select underlying_timestamp, underlying_price from underlying order by all"
    assert ask(connection, asked) == sorted(expected)
    asked = "select distinct symbol, trade_date from underlying"
    assert ask(connection, asked) == [("SPXW", DAY)]


def test_a_folder_of_open_interest_alone_has_its_views(
    tmp_path: Path, terminal: TerminalServer
) -> None:
    output = tmp_path / "interest"
    rows = fill(output, terminal, greeks="open_interest")
    connection = connect(write_catalog(str(output)))
    assert ask(connection, "select count(*), count(distinct trade_date) from open_interest") == [
        (rows, 1)
    ]
    assert ask(connection, "select count(*) from max_pain") == [(1,)]

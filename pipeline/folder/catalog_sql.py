"""The text of `catalog.sql`: DuckDB views over the files of an output folder.

The views find the files through a variable of the session, `greeks_folder`, which the catalog sets
to where the folder was when it was written, unless it is set already: a folder that was moved
needs one statement and no new catalog.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from transforms.orders import order_of
from transforms.output.layout import COMPRESSIONS
from transforms.schema import ZONE

CSV = tuple(COMPRESSIONS["csv"].values())
(PARQUET,) = set(COMPRESSIONS["parquet"].values())
_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "date32[day]": "DATE",
    "double": "DOUBLE",
    "int64": "BIGINT",
    "int32": "INTEGER",
    f"timestamp[ms, tz={ZONE}]": "TIMESTAMPTZ",
}
_HEAD = """\
-- Views over the option Greeks in {folder}
--   greeks          every row, and ny_time (New York, no zone), trade_date, dte and solved
--   smiles          what a smile is drawn from: out of the money, solved, with a bid
--   term_structure  at the money: the implied volatility of the strike nearest the underlying
{straddles}\
--   files           who made each file, when, with how many rows
--
-- Written again at the end of each run. In a shell: duckdb -init {shell}
-- In Python: duckdb.connect().execute(open({catalog!r}).read())
-- If the folder was moved, set its new place first: SET VARIABLE greeks_folder = '/its/new/place';
-- "right" and "lambda" are words of SQL, and need their quotes.

SET VARIABLE greeks_folder = coalesce(getvariable('greeks_folder'), {literal});
"""
_STRADDLES_HEAD = (
    "--   straddles       a call and a put of one strike: price, delta, theta, vega of both\n"
)
_READ_PARQUET = """\
    SELECT * FROM read_parquet({paths},
        union_by_name = true, hive_partitioning = false)"""
_READ_CSV = """\
    SELECT * FROM read_csv({paths},
        header = true, auto_detect = false, hive_partitioning = false,
        columns = {{{types}}})"""
_GREEKS = """
CREATE OR REPLACE VIEW greeks AS
SELECT
    *,
    timezone('America/New_York', timestamp) AS ny_time,
    CAST(timezone('America/New_York', timestamp) AS DATE) AS trade_date,
    CAST(expiration - CAST(timezone('America/New_York', timestamp) AS DATE) AS INTEGER) AS dte,
    -- ThetaData's marks: a volatility of 0 was not solved, an error of 100 had no price; far from
    -- the money it may be 0 without one. A quote's middle below a cent is none.
    coalesce(implied_vol > 0 AND abs(iv_error) < 100 AND underlying_price > 0, false)
        AND NOT coalesce(bid + ask < 0.015, false) AS solved
FROM (
{rows}
);
"""
_VIEWS = """
CREATE OR REPLACE VIEW smiles AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike, "right",
    ln(strike / underlying_price) AS log_moneyness, implied_vol, bid, ask, underlying_price
FROM greeks
WHERE solved AND bid > 0 AND ("right" = 'C') = (strike >= underlying_price);

CREATE OR REPLACE VIEW term_structure AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike,
    avg(implied_vol) AS implied_vol, any_value(underlying_price) AS underlying_price
FROM (
    SELECT * FROM {source}
    WHERE solved
    QUALIFY strike = first_value(strike) OVER (
        PARTITION BY symbol, expiration, ny_time ORDER BY abs(strike - underlying_price), strike
    )
)
GROUP BY ALL;
"""
_STRADDLES = """
CREATE OR REPLACE VIEW straddles AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike,
    sum(bid) AS bid, sum(ask) AS ask, sum(bid + ask) / 2 AS price,
    {sums},
    any_value(underlying_price) AS underlying_price
FROM {source}
WHERE solved
GROUP BY ALL
HAVING count(*) = 2 AND count(DISTINCT "right") = 2;
"""
# A day's last trades are at a time of their own for each contract: there, the day is the time.
_BY_DAY = "(SELECT * REPLACE (CAST(trade_date AS TIMESTAMP) AS ny_time) FROM greeks)"
_ADDED = ("delta", "theta", "vega", "gamma")
_FILES = """
CREATE OR REPLACE VIEW files AS
SELECT
    request->>'symbol' AS symbol,
    CAST(request->>'expiration' AS DATE) AS expiration,
    CAST(request->>'first_trade_date' AS DATE) AS first_trade_date,
    CAST(request->>'last_trade_date' AS DATE) AS last_trade_date,
    request->>'interval' AS "interval",
    greeks, rows, bytes, provisional, dates_with_rows, source, run_id,
    CAST(time AS TIMESTAMPTZ) AS time, sha256
FROM read_parquet(getvariable('greeks_folder') || @INDEX)
WHERE there;
"""
# A glob can't distinguish orders, and CSV files have no types.
_CSV_OF_ORDER = """\
SET VARIABLE {variable} = (
    SELECT list(
        getvariable('greeks_folder') || '/' || regexp_replace(name, '([[*?])', '[\\1]', 'g')
        ORDER BY name
    )
    FROM read_parquet(getvariable('greeks_folder') || @INDEX)
    WHERE there AND format = 'csv' AND greeks = '{order}'
        AND coalesce(request->>'derive', '') = '{derive}'
);
"""


class Columns(NamedTuple):
    """What the columns of a file follow from.

    Attributes:
        order: the order of data.
        derive: the Greeks that were derived, separated by commas.
    """

    order: str
    derive: str = ""

    @property
    def schema(self) -> pa.Schema:
        """The schema of the files."""
        return order_of(self.order).file_schema(tuple(filter(None, self.derive.split(","))))

    @property
    def variable(self) -> str:
        """The variable that has the names of the CSV files."""
        return "_".join(filter(None, ("greeks_csv", self.order, *self.derive.split(","))))


def catalog_text(
    folder: Path, catalog: Path, index: str, orders: Mapping[Columns, AbstractSet[str]]
) -> str:
    """Returns the SQL of a catalog.

    Args:
        folder: of the data files; made absolute.
        catalog: the path that the text is meant for.
        index: what follows `folder` in the path of the manifest's index.
        orders: the suffixes of the files, by their columns.
    """
    columns = {column for each in orders for column in each.schema.names}
    added = [name for name in _ADDED if name in columns]
    straddles = "delta" in columns
    source = _BY_DAY if all(order_of(each.order).daily for each in orders) else "greeks"
    parts = [
        _HEAD.format(
            folder=_line(folder),
            catalog=_line(catalog),
            shell=_line(Path(shlex.quote(str(catalog)))),
            literal=_literal(str(folder.absolute())),
            straddles=_STRADDLES_HEAD if straddles else "",
        ),
        *(
            _CSV_OF_ORDER.format(variable=each.variable, order=each.order, derive=each.derive)
            for each in _listed(orders)
        ),
        _GREEKS.format(rows="\n    UNION ALL BY NAME\n".join(_readers(orders))),
        _VIEWS.format(source=source),
    ]
    if straddles:
        sums = ", ".join(f"sum({name}) AS {name}" for name in added)
        parts.append(_STRADDLES.format(sums=sums, source=source))
    parts.append(_FILES)
    return "".join(parts).replace("@INDEX", _quoted(index))


def _listed(orders: Mapping[Columns, AbstractSet[str]]) -> list[Columns]:
    """Returns the columns whose CSV files are listed, since there are files of others."""
    with_csv = [order for order, suffixes in orders.items() if suffixes & set(CSV)]
    return with_csv if len(with_csv) > 1 else []


def _readers(orders: Mapping[Columns, AbstractSet[str]]) -> Iterator[str]:
    """A SELECT for the Parquet files, and one for the CSV files of the same columns."""
    # All files in the folder are data, so a glob does, and takes what later runs add.
    if any(PARQUET in suffixes for suffixes in orders.values()):
        yield _READ_PARQUET.format(paths=_globs([PARQUET]))
    for order, suffixes in orders.items():
        if csv := sorted(suffixes & set(CSV)):
            types = ", ".join(
                f"'{field.name}': '{_DUCKDB_TYPES[str(field.type)]}'" for field in order.schema
            )
            listed = f"getvariable('{order.variable}')"
            paths = listed if order in _listed(orders) else _globs(csv)
            yield _READ_CSV.format(paths=paths, types=types)


def _globs(suffixes: Iterable[str]) -> str:
    paths = (f"getvariable('greeks_folder') || {_quoted(f'/**/*{each}')}" for each in suffixes)
    return f"[{', '.join(paths)}]"


def _literal(folder: str) -> str:
    # DuckDB takes a bracket, a star and a question mark in a path for a pattern.
    return _quoted("".join(f"[{c}]" if c in "[*?" else c for c in folder))


def _line(path: Path) -> str:
    # A comment ends where its line does.
    return " ".join(str(path).splitlines())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

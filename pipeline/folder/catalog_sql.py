"""The text of `catalog.sql`: DuckDB views over the files of an output folder.

The views find the files through a variable of the session, `greeks_folder`, which the catalog sets
to where the folder was when it was written, unless it is set already: a folder that was moved
needs one statement and no new catalog.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import pyarrow as pa

from transforms.orders import order_of
from transforms.orders.schema import ZONE
from transforms.output.layout import COMPRESSIONS

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
{views}\
--   files           who made each file, when, with how many rows
--
-- Written again at the end of each run. {how}
-- If the folder was moved, set its new place first: SET VARIABLE greeks_folder = '/its/new/place';
-- "right" and "lambda" are words of SQL, and need their quotes.

SET VARIABLE greeks_folder = coalesce(getvariable('greeks_folder'), {literal});
"""
_HOW = """\
In a shell: duckdb -init {shell}
-- In Python: duckdb.connect().execute(open({catalog!r}).read())"""
_HOW_STORED = """\
In a shell: greeks query "SELECT * FROM files" --output {shell}
-- In DuckDB itself: after LOAD httpfs"""
_GREEKS_HEAD = """\
--   greeks          every row, and ny_time (New York, no zone), trade_date, dte and solved
--   smiles          what a smile is drawn from: out of the money, solved, with a bid
--   term_structure  at the money: the implied volatility of the strike nearest the underlying
"""
_UNDERLYING_HEAD = (
    "--   underlying      each price of the underlying once: symbol, trade_date, when, and in USD\n"
)
_STRADDLES_HEAD = (
    "--   straddles       a call and a put of one strike: price, delta, theta, vega of both\n"
)
_INTEREST_HEAD = """\
--   open_interest   every row, and trade_date: of the report, about 06:30, so that it is what was
--                   open when the trading day before had ended, and what its own session knows
--   max_pain        the strike at which the open options of an expiration are worth least
"""
_EXPOSURE_HEAD = """\
--   gamma_exposure  each row with gamma and its trade date's open interest: in USD, per 1 % move
--                   and per point of the underlying; calls count as bought by dealers, puts as sold
"""
_READ_PARQUET = """\
    SELECT * FROM read_parquet({paths},
        union_by_name = true, hive_partitioning = false)"""
_READ_CSV = """\
    SELECT * FROM read_csv({paths},
        header = true, auto_detect = false, hive_partitioning = false,
        columns = {{{types}}})"""
_ROWS = """
CREATE OR REPLACE VIEW {view} AS
SELECT
    *,
    timezone('America/New_York', timestamp) AS ny_time,
    CAST(timezone('America/New_York', timestamp) AS DATE) AS trade_date,
    CAST(expiration - CAST(timezone('America/New_York', timestamp) AS DATE) AS INTEGER) AS dte{more}
FROM (
{rows}
);
"""
_SOLVED = """,
    -- ThetaData's marks: a volatility of 0 was not solved, an error of 100 had no price; far from
    -- the money it may be 0 without one. A price below a cent is none.
    coalesce(implied_vol > 0 AND abs(iv_error) < 100 AND underlying_price > 0, false)
        AND NOT coalesce({price} < 0.0075, false) AS solved"""
_PRICES = {"greeks": "(bid + ask) / 2", "trade_greeks": "price"}
_MAX_PAIN = """
CREATE OR REPLACE VIEW max_pain AS
SELECT symbol, expiration, trade_date, strike AS max_pain, paid
FROM (
    SELECT
        settled.symbol, settled.expiration, settled.trade_date, settled.strike,
        sum(held.open_interest * 100 * greatest(
            CASE WHEN held."right" = 'C' THEN settled.strike - held.strike
                ELSE held.strike - settled.strike END, 0
        )) AS paid
    FROM (SELECT DISTINCT symbol, expiration, trade_date, strike FROM open_interest) AS settled
    JOIN open_interest AS held USING (symbol, expiration, trade_date)
    GROUP BY ALL
)
QUALIFY row_number() OVER (
    PARTITION BY symbol, expiration, trade_date ORDER BY paid, strike
) = 1;
"""
_EXPOSURE = """
CREATE OR REPLACE VIEW gamma_exposure AS
SELECT
    symbol, expiration, trade_date, dte, ny_time, strike, "right", gamma, underlying_price,
    interest.open_interest,
    CASE WHEN "right" = 'C' THEN 1 ELSE -1 END
        * gamma * interest.open_interest * 100 * underlying_price AS per_point,
    per_point * underlying_price / 100 AS per_percent
FROM greeks
JOIN (
    SELECT symbol, expiration, trade_date, strike, "right", open_interest FROM open_interest
) AS interest USING (symbol, expiration, trade_date, strike, "right")
WHERE solved;
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
_UNDERLYING = """
CREATE OR REPLACE VIEW underlying AS
SELECT DISTINCT symbol, trade_date, underlying_timestamp, underlying_price
FROM ({sources})
WHERE underlying_price > 0;
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
_LISTED = """\
SET VARIABLE {variable} = (
    SELECT list(
        getvariable('greeks_folder') || '/' || regexp_replace(name, '([[*?])', '[\\1]', 'g')
        ORDER BY name
    )
    FROM read_parquet(getvariable('greeks_folder') || @INDEX)
    WHERE there AND format = '{format}' AND {which}
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
    def view(self) -> str:
        """The view that its rows are in."""
        names = self.schema.names
        if "price" in names:
            return "trade_greeks"
        return "greeks" if "implied_vol" in names else self.order

    @property
    def variable(self) -> str:
        """The variable that has the names of the CSV files."""
        return "_".join(filter(None, ("greeks_csv", self.order, *self.derive.split(","))))

    @property
    def which(self) -> str:
        """The condition that its files meet in the index."""
        return f"greeks = '{self.order}' AND coalesce(request->>'derive', '') = '{self.derive}'"


def catalog_text(
    folder: str, catalog: str, index: str, orders: Mapping[Columns, AbstractSet[str]]
) -> str:
    """Returns the SQL of a catalog.

    Args:
        folder: of the data files; absolute, or in a store.
        catalog: the path that the text is meant for.
        index: what follows `folder` in the path of the manifest's index.
        orders: the suffixes of the files, by their columns.
    """
    views: dict[str, list[Columns]] = {}
    for each in orders:
        views.setdefault(each.view, []).append(each)
    columns = {column for each in views.get("greeks", ()) for column in each.schema.names}
    heads, made = [], []
    if columns:
        heads.append(_GREEKS_HEAD)
        daily = all(order_of(each.order).daily for each in views["greeks"])
        source = _BY_DAY if daily else "greeks"
        made.append(_VIEWS.format(source=source))
        if "delta" in columns:
            heads.append(_STRADDLES_HEAD)
            sums = ", ".join(f"sum({name}) AS {name}" for name in _ADDED if name in columns)
            made.append(_STRADDLES.format(sums=sums, source=source))
    if priced := sorted(views.keys() & _PRICES.keys()):
        heads.append(_UNDERLYING_HEAD)
        sources = " UNION ALL BY NAME ".join(f"FROM {view}" for view in priced)
        made.append(_UNDERLYING.format(sources=sources))
    heads += [
        f"--   {view:<14}  every row, with ny_time and trade_date\n"
        for view in sorted(views.keys() - {"greeks", "open_interest"})
    ]
    if "open_interest" in views:
        heads.append(_INTEREST_HEAD)
        made.append(_MAX_PAIN)
        if "gamma" in columns:
            heads.append(_EXPOSURE_HEAD)
            made.append(_EXPOSURE)
    if "://" in folder:
        how = _HOW_STORED.format(shell=_line(shlex.quote(folder)))
    else:
        how = _HOW.format(shell=_line(shlex.quote(catalog)), catalog=_line(catalog))
    head = _HEAD.format(
        folder=_line(folder),
        how=how,
        literal=_quoted(pattern_of(folder)),
        views="".join(heads),
    )
    rows = [
        _ROWS.format(
            view=view,
            more=_SOLVED.format(price=_PRICES[view]) if view in _PRICES else "",
            rows="\n    UNION ALL BY NAME\n".join(_readers(each, orders)),
        )
        for view, each in sorted(views.items())
    ]
    text = "".join([head, *_lists(views, orders), *rows, *made, _FILES])
    return text.replace("@INDEX", _quoted(index))


def _lists(
    views: Mapping[str, Sequence[Columns]], orders: Mapping[Columns, AbstractSet[str]]
) -> Iterator[str]:
    """A variable with the names of each kind's files, where a glob would take those of others."""
    for each, suffixes in orders.items():
        if suffixes & set(CSV) and _mixed(orders, CSV):
            yield _LISTED.format(variable=each.variable, format="csv", which=each.which)
    for view, kinds in sorted(views.items()):
        if _mixed(orders, [PARQUET], kinds) and any(PARQUET in orders[each] for each in kinds):
            which = " OR ".join(f"({each.which})" for each in kinds)
            yield _LISTED.format(variable=f"{view}_parquet", format="parquet", which=f"({which})")


def _mixed(
    orders: Mapping[Columns, AbstractSet[str]],
    suffixes: Iterable[str],
    kinds: Sequence[Columns] = (),
) -> bool:
    """Returns whether files with these suffixes are of several kinds, or of others than `kinds`."""
    there = {each for each, found in orders.items() if found & {*suffixes}}
    return bool(there - {*kinds}) if kinds else len(there) > 1


def _readers(kinds: Sequence[Columns], orders: Mapping[Columns, AbstractSet[str]]) -> Iterator[str]:
    """A SELECT for a view's Parquet files, and one for its CSV files of the same columns."""
    # All files in the folder are data, so a glob does, and takes what later runs add.
    if any(PARQUET in orders[each] for each in kinds):
        listed = f"getvariable('{kinds[0].view}_parquet')"
        paths = listed if _mixed(orders, [PARQUET], kinds) else _globs([PARQUET])
        yield _READ_PARQUET.format(paths=paths)
    for each in kinds:
        if csv := sorted(orders[each] & set(CSV)):
            types = ", ".join(
                f"'{field.name}': '{_DUCKDB_TYPES[str(field.type)]}'" for field in each.schema
            )
            paths = f"getvariable('{each.variable}')" if _mixed(orders, CSV) else _globs(csv)
            yield _READ_CSV.format(paths=paths, types=types)


def _globs(suffixes: Iterable[str]) -> str:
    paths = (f"getvariable('greeks_folder') || {_quoted(f'/**/*{each}')}" for each in suffixes)
    return f"[{', '.join(paths)}]"


def pattern_of(folder: str) -> str:
    """Returns what DuckDB, which reads patterns, takes for just this folder."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in folder)


def _line(path: str) -> str:
    # A comment ends where its line does.
    return " ".join(path.splitlines())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

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

from pipeline.folder import catalog_views as sql
from transforms.orders import order_of
from transforms.orders.schema import ZONE
from transforms.output.layout import COMPRESSIONS

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "date32[day]": "DATE",
    "double": "DOUBLE",
    "int64": "BIGINT",
    "int32": "INTEGER",
    f"timestamp[ms, tz={ZONE}]": "TIMESTAMPTZ",
}


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

    def variable(self, form: str) -> str:
        """Returns the variable that has the names of its files of a format."""
        return "_".join(filter(None, ("greeks", form, self.order, *self.derive.split(","))))

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
        heads.append(sql.GREEKS_HEAD)
        daily = sorted({each.order for each in views["greeks"] if order_of(each.order).daily})
        by_day = sql.BY_DAY.format(daily=", ".join(map(_quoted, daily)))
        source = by_day if daily else "greeks"
        made.append(sql.VIEWS.format(source=source))
        if "delta" in columns:
            heads.append(sql.STRADDLES_HEAD)
            sums = ", ".join(f"sum({name}) AS {name}" for name in sql.ADDED if name in columns)
            made.append(sql.STRADDLES.format(sums=sums, source=source))
    if priced := sorted(views.keys() & sql.PRICES.keys()):
        heads.append(sql.UNDERLYING_HEAD)
        sources = " UNION ALL BY NAME ".join(f"FROM {view}" for view in priced)
        made.append(sql.UNDERLYING.format(sources=sources))
    heads += [
        f"--   {view:<14}  every row, with ny_time and trade_date\n"
        for view in sorted(views.keys() - {"greeks", "open_interest"})
    ]
    if "open_interest" in views:
        heads.append(sql.INTEREST_HEAD)
        made.append(sql.MAX_PAIN)
        if "gamma" in columns:
            heads.append(sql.EXPOSURE_HEAD)
            made.append(sql.EXPOSURE)
    if "://" in folder:
        how = sql.HOW_STORED.format(shell=_line(shlex.quote(folder)))
    else:
        how = sql.HOW.format(shell=_line(shlex.quote(catalog)), catalog=_line(catalog))
    head = sql.HEAD.format(
        folder=_line(folder),
        how=how,
        literal=_quoted(pattern_of(folder)),
        views="".join(heads),
    )
    rows = [
        sql.ROWS.format(
            view=view,
            more=sql.SOLVED.format(price=sql.PRICES[view]) if view in sql.PRICES else "",
            rows="\n    UNION ALL BY NAME\n".join(_readers(each, orders)),
        )
        for view, each in sorted(views.items())
    ]
    text = "".join([head, *_lists(orders), *rows, *made, sql.FILES])
    return text.replace("@INDEX", _quoted(index))


def _lists(orders: Mapping[Columns, AbstractSet[str]]) -> Iterator[str]:
    """A variable with the names of each kind's files, where a glob would take those of others."""
    for form in COMPRESSIONS:
        if len(kinds := _kinds(orders, form)) > 1:
            for each in kinds:
                yield sql.LISTED.format(variable=each.variable(form), format=form, which=each.which)


def _kinds(orders: Mapping[Columns, AbstractSet[str]], form: str) -> dict[Columns, list[str]]:
    """Returns the suffixes of the files of a format, by their columns."""
    found = {each: sorted(orders[each] & {*COMPRESSIONS[form].values()}) for each in orders}
    return {each: suffixes for each, suffixes in found.items() if suffixes}


def _readers(kinds: Sequence[Columns], orders: Mapping[Columns, AbstractSet[str]]) -> Iterator[str]:
    """A SELECT for a view's files of each format and of the same columns."""
    for form, template in (("parquet", sql.READ_PARQUET), ("csv", sql.READ_CSV)):
        there = _kinds(orders, form)
        for each in kinds:
            if each in there:
                types = ", ".join(
                    f"'{field.name}': '{_DUCKDB_TYPES[str(field.type)]}'" for field in each.schema
                )
                # All files in the folder are data, so a glob does, and takes what later runs add.
                listed = f"getvariable('{each.variable(form)}')"
                paths = listed if len(there) > 1 else _globs(there[each])
                yield template.format(paths=paths, types=types, order=each.order)


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

"""Which data files the prices of a symbol and trade date are made from, by the manifest."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from transforms.model import served_dates
from transforms.model.trade_dates import within
from transforms.orders import ORDERS
from transforms.output.entry import EMPTY
from transforms.output.index import Window
from transforms.output.layout import COMPRESSIONS

_HEAD = "trade_date="
_VERSION = b"1"


class Source(NamedTuple):
    """A data file that has the underlying's prices.

    Attributes:
        name: of the file, below the output folder.
        symbol: of its rows.
        sha256: of its bytes by the manifest, in hexadecimal.
        form: its format and compression.
        is_there: whether it is, with the size that the manifest has.
        prices: the names of the files of prices that are made from it, in order.
    """

    name: str
    symbol: str
    sha256: str
    form: tuple[str, str]
    is_there: bool
    prices: list[str]


class NoPrices(ValueError):
    """The data files have no prices of the underlying, or a form that no file of them can have."""


def day_of(name: str) -> str:
    """Returns the trade date of a file of prices, as ISO 8601, from its name."""
    return name[len(_HEAD) :].partition("/")[0]


def with_source(digest: bytes | None, source: Source) -> bytes:
    """Returns the hash of what a file of prices is made from, with one more data file.

    Args:
        digest: of those before, in order of their names; None if there are none.
        source: the data file.
    """
    return sha256((digest or _VERSION) + source.sha256.encode()).digest()


def digests_of(sources: Iterable[Source]) -> dict[str, bytes]:
    """Returns the hash of what each file of prices is to be made from, by its name.

    Args:
        sources: all of the folder's, in order.
    """
    digests: dict[str, bytes] = {}
    for source in sources:
        for name in source.prices:
            digests[name] = with_source(digests.get(name), source)
    return digests


def sources_in(window: Window, first: str = "", last: str = "~") -> Iterator[Source]:
    """Yields the data files of some entries that have the underlying's prices.

    Args:
        window: the entries.
        first: no file is needed whose trade dates all are before this one, as ISO 8601.
        last: likewise, or all after this one.

    Raises:
        NoPrices: a file is of somebody's own format.
    """
    for row in window.rows.to_pylist():
        spans = row["dates_with_rows"]
        if spans and (spans[:10] > last or spans[-10:] < first):
            continue
        if row["state"] == EMPTY or not ORDERS[row["greeks"]].has_underlying:
            continue
        form = row["format"], row["compression"]
        if form[0] not in COMPRESSIONS:
            raise NoPrices(f"{row['name']} has the format {form[0]!r}, which is not known here")
        request = json.loads(row["request"])
        symbol = request["symbol"]
        end = f"{symbol}{COMPRESSIONS[form[0]][form[1]]}"
        folders = _folders(symbol, request["expiration"], request["trade_dates"], spans)
        prices = [folder + end for folder in folders]
        yield Source(row["name"], symbol, row["sha256"], form, row["there"], prices)


@lru_cache(maxsize=1024)
def _folders(symbol: str, expiration: str, trade_dates: str, spans: str) -> list[str]:
    """Returns the folders of the prices of the trade dates that have rows."""
    days = tuple(map(date.fromisoformat, trade_dates.split(",")))
    served = served_dates(symbol, date.fromisoformat(expiration), days)
    # An entry of before the trade dates were noted may have rows on each that it can have.
    return [f"{_HEAD}{day}/" for day in within(spans, served) or served]

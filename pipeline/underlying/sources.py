"""Which data files the prices of a symbol and trade date are made from, by the manifest."""

from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from transforms.model.trade_dates import within
from transforms.orders import ORDERS
from transforms.output.entry import EMPTY, Entry
from transforms.output.index import Window, entry_in
from transforms.output.layout import COMPRESSIONS

_HEAD = "trade_date="
_VERSION = b"1"


class Source(NamedTuple):
    """A data file that has the underlying's prices.

    Attributes:
        name: of the file, below the output folder.
        entry: that the manifest has of it.
        is_there: whether it is, with the bytes of its entry.
        prices: the names of the files of prices that are made from it, by trade date.
    """

    name: str
    entry: Entry
    is_there: bool
    prices: dict[date, str]


class Wanted(NamedTuple):
    """What a file of prices is to be made from.

    Attributes:
        digest: of the data files' SHA-256, in order of their names.
        files: how many they are.
    """

    digest: bytes = _VERSION
    files: int = 0

    def with_file(self, entry: Entry) -> "Wanted":
        """Returns the same with one more data file."""
        return Wanted(sha256(self.digest + entry.sha256.encode()).digest(), self.files + 1)


class NoPrices(ValueError):
    """The data files have no prices of the underlying, or of a form that has no files of them."""


def prices_name(symbol: str, day: date, suffix: str) -> str:
    """Returns the name of a file of prices, below the folder of the prices."""
    return f"{_HEAD}{day}/{symbol}{suffix}"


def day_of(name: str) -> str:
    """Returns the trade date of a file of prices, from its name."""
    return name[len(_HEAD) :].partition("/")[0]


def wanted_by(sources: Iterable[Source]) -> dict[str, Wanted]:
    """Returns what each file of prices is to be made from, by its name.

    Args:
        sources: all of the folder's, in order.
    """
    wanted: dict[str, Wanted] = {}
    for source in sources:
        for name in source.prices.values():
            wanted[name] = wanted.get(name, Wanted()).with_file(source.entry)
    return wanted


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
        if row["state"] == EMPTY or not ORDERS[row["greeks"]].has_underlying:
            continue
        spans = row["dates_with_rows"]
        if spans and (spans[:10] > last or spans[-10:] < first):
            continue
        entry = entry_in(row)
        if entry.format not in COMPRESSIONS:
            raise NoPrices(f"{row['name']} has the format {entry.format!r}, which is not known")
        suffix = COMPRESSIONS[entry.format][entry.compression]
        # An entry of before the trade dates were noted may have rows on each that it can have.
        days = within(spans, entry.served_dates) or entry.served_dates
        prices = {day: prices_name(entry.request["symbol"], day, suffix) for day in days}
        yield Source(row["name"], entry, row["there"], prices)

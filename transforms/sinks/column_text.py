"""Columns as text, whichever way is fastest; every way gives the same text.

To print a number takes several times as long as to look its text up, and an answer has few kinds of
columns: small numbers of four decimals (most Greeks), few distinct ones (strikes, quotes, the
underlying, the minutes of a day), and the rest. A column is of the same kind from one block to the
next, so what was found out once is tried first.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrays import Ints
from transforms.sinks.csv_text import decimal_text, timestamp_text

_SCALE = 10_000
_SPAN = 1 << 17  # up to 13.1, by the table's 2.8 MB
_AGAIN = 16  # blocks after which a column's kind is found out anew
_FEW = 1 / 3
_MOST_KNOWN = 1 << 14

TABLE, DISTINCT, PRINT = "table", "distinct", "print"


class Decimals:
    """Prints one column of float64, block by block, as `decimal_text` does."""

    def __init__(self) -> None:
        self._way = TABLE
        self._blocks = 0

    def text(self, values: pa.Array) -> pa.Array:
        """Returns the numbers as text; null is null."""
        if self._blocks % _AGAIN == 0:
            self._way = TABLE
        self._blocks += 1
        if self._way == TABLE:
            found = _from_table(values)
            if found is not None:
                return found
            self._way = DISTINCT
        if self._way == DISTINCT:
            encoded = values.dictionary_encode()
            if len(encoded.dictionary) <= len(values) * _FEW:
                return pc.take(decimal_text(encoded.dictionary), encoded.indices)
            self._way = PRINT
        return decimal_text(values)


def _from_table(values: pa.Array) -> pa.Array | None:
    """Returns the numbers as text, or None if one of them is not in the table."""
    if values.null_count or not len(values):
        return None
    numbers = values.to_numpy()
    if not max(numbers.max(), -numbers.min()) < _SPAN / _SCALE:
        return None
    places = np.rint(numbers * _SCALE)
    # The nearest float64 to so many ten thousandths: only then is this its shortest text.
    if not np.array_equal(places / _SCALE, numbers):
        return None
    places += _SPAN
    return pc.take(_table(), pa.array(places.astype(np.int32)))


@cache
def _table() -> pa.Array:
    return decimal_text(pa.array(np.arange(-_SPAN, _SPAN) / _SCALE))


class Timestamps:
    """Prints zoned timestamps, block by block, as `timestamp_text` does: each distinct one once."""

    def __init__(self) -> None:
        self._known: Ints = np.array([], np.int64)
        self._texts = pa.array([], pa.string())

    def text(self, instants: pa.Array) -> pa.Array:
        """Returns the instants as text; null is null."""
        if instants.null_count or not len(instants):
            return timestamp_text(instants)
        values = instants.view(pa.int64()).to_numpy()
        places = self._places(values)
        if places is None:
            known = np.unique(values)
            if len(self._known) < _MOST_KNOWN:
                known = np.union1d(self._known, known)
            self._known = known
            self._texts = timestamp_text(pa.array(known).view(instants.type))
            places = np.searchsorted(known, values)
        return pc.take(self._texts, pa.array(places))

    def _places(self, values: Ints) -> Ints | None:
        """Returns where each value is among the known ones, or None if one is not."""
        if not len(self._known):
            return None
        places = np.searchsorted(self._known, values)
        np.minimum(places, len(self._known) - 1, out=places)
        return places if np.array_equal(self._known[places], values) else None

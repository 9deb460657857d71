"""The rows of every expiration on one trade date, on this machine's disk, to be read one by one.

A file is a row of compressed batches, each of one expiration, in the order in which the Terminal
served them. The batches are small: the files of a month's trade dates are read side by side.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from transforms.arrays import Floats, Ints
from transforms.market.clock import EPOCH

_ROWS = 128
_CODEC = "zstd"


class DayFile:
    """A file of one trade date, whole.

    Args:
        path: of the file.
        schema: of its batches.
        places: of each expiration's batches: where each begins, its bytes there and expanded.

    Attributes:
        path: as given.
        bytes: its size.
    """

    def __init__(self, path: Path, schema: pa.Schema, places: dict[date, "array[int]"]) -> None:
        self.path = path
        self.bytes = path.stat().st_size
        self._schema = schema
        self._places = places

    @classmethod
    def write(
        cls,
        path: Path,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        last: date = date.max,
    ) -> "DayFile":
        """Writes rows as they come, and returns their file; of an error nothing is left.

        Args:
            path: of the file.
            schema: of the batches.
            batches: rows of any expirations, each of a size that memory has room for.
            last: the last expiration of which rows are kept.

        Raises:
            OSError: names the file: the disk is full, or broken.
            Exception: what `batches` raises.
        """
        places: dict[date, array[int]] = {}
        codec, at = pa.Codec(_CODEC), 0
        try:
            with path.open("wb") as file:
                for batch in batches:
                    for expiration, rows in _by_expiration(batch):
                        if expiration > last:
                            break
                        own = places.setdefault(expiration, array("Q"))
                        for start in range(0, rows.num_rows, _ROWS):
                            whole = rows.slice(start, _ROWS).serialize()
                            packed = codec.compress(whole)
                            file.write(packed)
                            own.extend((at, packed.size, whole.size))
                            at += packed.size
            return cls(path, schema, places)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError) and not error.filename:
                raise OSError(error.errno, error.strerror or str(error), str(path)) from error
            raise

    def __contains__(self, expiration: date) -> bool:
        """Returns whether there are rows of an expiration."""
        return expiration in self._places

    def batches(self, expiration: date) -> Iterator[pa.RecordBatch]:
        """Yields the rows of an expiration, as they were served."""
        places, codec = self._places[expiration], pa.Codec(_CODEC)
        with self.path.open("rb", buffering=0) as file:
            for at, size, expanded in zip(places[::3], places[1::3], places[2::3], strict=True):
                file.seek(at)
                whole = codec.decompress(file.read(size), expanded)
                yield ipc.read_record_batch(whole, self._schema)

    def contracts(self, expiration: date) -> Floats:
        """Returns the contract of each row of an expiration: its strike, a put's below 0."""
        found = []
        for batch in self.batches(expiration):
            signs = np.where(batch["right"].to_numpy(zero_copy_only=False) == "P", -1.0, 1.0)
            found.append(signs * batch["strike"].to_numpy())
        return np.concatenate(found)


def in_order(
    files: Sequence[DayFile], expiration: date, batch_size: int
) -> Iterator[pa.RecordBatch] | None:
    """Returns the rows of an expiration as one answer for all trade dates has them, or None.

    That is contract by contract, and each contract's by trade date. The order of the contracts is
    that of the files, which must agree on it. Memory holds a batch of each file.

    Args:
        files: of the trade dates, ascending, each with rows of the expiration.
        expiration: of the rows.
        batch_size: the most rows of a batch.

    Returns:
        None if the files do not determine an order.
    """
    if len(files) < 2:
        return (
            batch.slice(start, batch_size)
            for file in files
            for batch in file.batches(expiration)
            for start in range(0, batch.num_rows, batch_size)
        )
    places = _places([file.contracts(expiration) for file in files])
    return None if places is None else _merged(files, expiration, places, batch_size)


def _by_expiration(batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
    """Yields the expirations of a batch, ascending, and the rows of each in the batch's order."""
    days = batch["expiration"].cast(pa.int32()).to_numpy()
    order = np.argsort(days, kind="stable")
    sorted_days = days[order]
    ends = np.flatnonzero(np.diff(sorted_days, append=sorted_days[-1:] + 1)) + 1
    for start, end in pairwise((0, *ends.tolist())):
        expiration = date.fromordinal(EPOCH + int(sorted_days[start]))
        first, last = int(order[start]), int(order[end - 1])
        if last - first == end - start - 1:
            yield expiration, batch.slice(first, end - start)
        else:
            yield expiration, batch.take(pa.array(order[start:end]))


def _places(days: Sequence[Floats]) -> list[Ints] | None:
    """Returns the place of each row's contract in an order that every day keeps, or None."""
    largest = max(days, key=len)
    known = np.unique(np.concatenate(days))
    strikes, puts = np.abs(known), known < 0
    # The order of the day that has all; where none has, one of the usual ones.
    _, firsts = np.unique(largest, return_index=True)
    orders = [largest[np.sort(firsts)]]
    for keys in ((puts, strikes), (~puts, strikes), (strikes, puts), (strikes, ~puts)):
        orders.append(known[np.lexsort(keys)])
    for order in orders:
        if len(order) != len(known):
            continue
        place_of = np.argsort(order)
        places = [place_of[np.searchsorted(known, day)] for day in days]
        if all((np.diff(each) >= 0).all() for each in places):
            return places
    return None


def _merged(
    files: Sequence[DayFile], expiration: date, places: Sequence[Ints], batch_size: int
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of all files by their places, and those of one place file by file."""
    rows_before = np.cumsum(np.bincount(np.concatenate(places)))
    days = [_Rows(file.batches(expiration)) for file in files]
    place = done = 0
    while place < len(rows_before):
        # As many contracts as a batch has room for, and one at least.
        end = max(place + 1, int(np.searchsorted(rows_before, done + batch_size, "right")))
        pieces, at = [], []
        for day, own in zip(days, places, strict=True):
            low, high = np.searchsorted(own, (place, end)).tolist()
            pieces += day.take(high - low)
            at.append(own[low:high])
        order = np.argsort(np.concatenate(at), kind="stable")
        rows = pa.Table.from_batches(pieces).combine_chunks().take(pa.array(order))
        yield from rows.to_batches(max_chunksize=batch_size)
        place, done = end, int(rows_before[end - 1])


class _Rows:
    """The rows of batches, taken some at a time."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._rest: pa.RecordBatch | None = None

    def take(self, number: int) -> list[pa.RecordBatch]:
        """Returns the next rows, which are there."""
        taken = []
        while number:
            batch = self._rest if self._rest is not None else next(self._batches)
            taken.append(batch.slice(0, number))
            number -= taken[-1].num_rows
            left = batch.slice(taken[-1].num_rows)
            self._rest = left if left.num_rows else None
        return taken

"""Gathers batches into groups of rows: what is written, and looked at, at a time."""

from collections.abc import Iterator

import pyarrow as pa

from transforms.workers.turns import CONVERTING

GROUP_ROWS = 3 << 12
"""Rows of a group: 1.5 MB of first-order Greeks.

Each costs 14 KiB of a Parquet file's own notes until the file is closed, so that fewer rows would
take more memory where a file is large; more rows take more where many files are written at once.
"""


class Gathering:
    """Cuts a stream of batches anew: what comes out depends on its rows alone."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Takes a batch; yields groups of `GROUP_ROWS` rows as soon as there are so many."""
        while self._rows + batch.num_rows >= GROUP_ROWS:
            missing = GROUP_ROWS - self._rows
            self._batches.append(batch.slice(0, missing))
            batch = batch.slice(missing)
            yield self._take()
        if batch.num_rows:
            self._batches.append(batch)
            self._rows += batch.num_rows

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows that are left, if there are any, as the last group."""
        if self._batches:
            yield self._take()

    def _take(self) -> pa.RecordBatch:
        batches, self._batches, self._rows = self._batches, [], 0
        with CONVERTING:
            return pa.concat_batches(batches)

"""Row groups: the pieces of equal size in which rows are written and checked."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from transforms.workers.turns import CONVERTING

GROUP_ROWS = 6 << 12
"""Rows of a group: 3 MB of first-order Greeks.

Each costs 14 KiB of a Parquet file's own notes until the file is closed, and a tenth of the
processor's time more where it has half as many rows; twice as many take 20 MiB more at four
requests at a time.
"""


class RowGroups:
    """Cuts a stream of batches into groups of `GROUP_ROWS` rows; only the last one has fewer.

    The groups depend on the rows and their order alone, not on how the batches were cut: so do the
    bytes of a file and the findings of a check. The batches that wait for a full group are held
    here, and nowhere else.

    >>> batch = pa.record_batch({"strike": pa.array([5000.0] * 20_000)})
    >>> [group.num_rows for group in RowGroups.of([batch, batch])]
    [24576, 15424]
    """

    def __init__(self) -> None:
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yields the groups of a whole stream; none has no rows."""
        groups = cls()
        for batch in batches:
            yield from groups.add(batch)
        yield from groups.rest()

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Takes a batch, of the schema of those before; yields the groups that it fills.

        The batch is taken only as the groups are: the iterator must be exhausted.

        Raises:
            pa.ArrowInvalid: the batch has another schema.
        """
        while self._rows + batch.num_rows >= GROUP_ROWS:
            missing = GROUP_ROWS - self._rows
            self._waiting.append(batch.slice(0, missing))
            batch = batch.slice(missing)
            yield self._take()
        if batch.num_rows:
            self._waiting.append(batch)
            self._rows += batch.num_rows

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows that are left, if there are any, as the last group."""
        if self._waiting:
            yield self._take()

    def _take(self) -> pa.RecordBatch:
        batches, self._waiting, self._rows = self._waiting, [], 0
        with CONVERTING:
            return pa.concat_batches(batches)

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.model import row_groups
from transforms.model.row_groups import GROUP_ROWS, RowGroups


def gathered(sizes: Sequence[int]) -> list[pa.RecordBatch]:
    taken, start = RowGroups(), 0
    groups: list[pa.RecordBatch] = []
    for size in sizes:
        batch = pa.record_batch({"n": pa.array(range(start, start + size), pa.int64())})
        groups += taken.add(batch)
        start += size
    return [*groups, *taken.rest()]


@given(sizes=st.lists(st.integers(0, 25), max_size=12))
def test_groups_are_full_but_for_the_last_and_hold_every_row_in_order(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_groups, "GROUP_ROWS", 7)
        groups = gathered(sizes)
    assert [group.num_rows for group in groups[:-1]] == [7] * (len(groups) - 1)
    assert all(group.num_rows for group in groups)
    assert [n for group in groups for n in group["n"].to_pylist()] == list(range(sum(sizes)))


def test_rows_leave_as_soon_as_there_are_enough() -> None:
    taken = RowGroups()
    batch = pa.record_batch({"n": pa.array(range(GROUP_ROWS - 1), pa.int64())})
    assert not list(taken.add(batch))
    (group,) = taken.add(batch.slice(0, 2))
    assert group.num_rows == GROUP_ROWS
    (rest,) = taken.rest()
    assert rest["n"].to_pylist() == [1]
    assert not list(taken.rest())

import random
from collections.abc import Sequence
from datetime import date, datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.market.clock import NEW_YORK
from transforms.orders import schema_of
from transforms.thetadata.day_file import DayFile, in_order

SCHEMA = schema_of("open_interest")
NEAR, FAR = date(2024, 3, 15), date(2024, 4, 19)
DAYS = [date(2024, 3, day) for day in (11, 12, 13)]

Contract = tuple[float, str]
CONTRACTS = st.lists(
    st.tuples(st.sampled_from([100.0, 102.5, 5000.0]), st.sampled_from("CP")),
    unique=True,
    min_size=1,
)


def rows(expiration: date, day: date, contracts: Sequence[Contract]) -> pa.RecordBatch:
    """Rows whose open interest numbers the contracts by themselves."""
    at = datetime(day.year, day.month, day.day, 6, 30, tzinfo=NEW_YORK)
    return pa.RecordBatch.from_pylist(
        [
            dict(zip(SCHEMA.names, ("SPXW", expiration, strike, right, at, n), strict=True))
            for n, (strike, right) in enumerate(contracts)
        ],
        SCHEMA,
    )


def written(folder: Path, *batches: pa.RecordBatch) -> DayFile:
    return DayFile.write(folder / f"{len(list(folder.iterdir()))}.arrow", SCHEMA, batches)


def of(files: Sequence[DayFile], expiration: date = NEAR, size: int = 1000) -> pa.Table | None:
    found = in_order(files, expiration, size)
    if found is None:
        return None
    batches = list(found)
    assert all(0 < batch.num_rows <= size for batch in batches)
    return pa.Table.from_batches(batches, SCHEMA)


def test_rows_of_mixed_expirations_are_read_back_by_expiration_in_their_order(
    tmp_path: Path,
) -> None:
    mixed = [rows(NEAR if n % 3 else FAR, DAYS[0], [(n + 1.0, "C")]) for n in range(700)]
    table = pa.Table.from_batches(mixed)
    file = written(tmp_path, *table.combine_chunks().to_batches(300))
    for expiration in (NEAR, FAR):
        own = pa.Table.from_batches(
            [each for each in mixed if each["expiration"][0].as_py() == expiration]
        )
        assert of([file], expiration) == own
        assert file.contracts(expiration).tolist() == own["strike"].to_pylist()
    assert date(2024, 5, 17) not in file


@given(CONTRACTS, st.data())
def test_rows_of_several_days_come_contract_by_contract_in_the_order_of_the_fullest_day(
    tmp_path_factory: pytest.TempPathFactory, contracts: list[Contract], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("days")
    served = [
        [each for each in contracts if data.draw(st.booleans())] or contracts[:1] for _ in DAYS[1:]
    ]
    batches = [
        rows(NEAR, day, of_day) for day, of_day in zip(DAYS, [contracts, *served], strict=True)
    ]
    size = data.draw(st.integers(1, 7))
    table = of([written(folder, batch) for batch in batches], size=size)
    expected = sorted(
        chain.from_iterable(batch.to_pylist() for batch in batches),
        key=lambda row: contracts.index((row["strike"], row["right"])),
    )
    assert table is not None
    assert table.to_pylist() == expected


@pytest.mark.parametrize("calls_first", [True, False])
@pytest.mark.parametrize("by_right", [True, False])
def test_where_no_day_has_all_contracts_the_usual_orders_are_known(
    tmp_path: Path, calls_first: bool, by_right: bool
) -> None:
    def place(contract: Contract) -> tuple[object, ...]:
        key = (contract[0], (contract[1] == "P") == calls_first)
        return key[::-1] if by_right else key

    contracts = sorted(((n * 5.0, right) for n in range(1, 60) for right in "CP"), key=place)
    some = random.Random(3)
    days = [sorted(some.sample(contracts, 80), key=place) for _ in DAYS]
    files = [written(tmp_path, rows(NEAR, *each)) for each in zip(DAYS, days, strict=True)]
    table = of(files, size=50)
    assert table is not None
    found = list(
        dict.fromkeys(zip(*table.select(["strike", "right"]).to_pydict().values(), strict=True))
    )
    assert found == [each for each in contracts if any(each in day for day in days)]


def test_expirations_after_the_last_one_that_is_needed_are_not_kept(tmp_path: Path) -> None:
    mixed = [rows(NEAR if n % 2 else FAR, DAYS[0], [(n + 1.0, "C")]) for n in range(50)]
    batch = pa.Table.from_batches(mixed).combine_chunks().to_batches()[0]
    file = DayFile.write(tmp_path / "near.arrow", SCHEMA, [batch], NEAR)
    assert NEAR in file
    assert FAR not in file


def test_reading_days_side_by_side_holds_little_of_them(tmp_path: Path) -> None:
    contracts = [(n * 1.0, right) for n in range(1, 1501) for right in "CP"]
    files = [written(tmp_path, rows(NEAR, day, contracts)) for day in DAYS * 7]
    found = in_order(files, NEAR, 1000)
    assert found is not None
    before = most = pa.total_allocated_bytes()
    number = size = 0
    for batch in found:
        most = max(most, pa.total_allocated_bytes())
        number, size = number + batch.num_rows, size + batch.nbytes
    assert number == len(files) * len(contracts)
    assert most - before < size / 5


def test_days_that_disagree_on_the_order_of_contracts_give_none(tmp_path: Path) -> None:
    contracts = [(100.0, "C"), (105.0, "C"), (95.0, "P")]
    files = [
        written(tmp_path, rows(NEAR, DAYS[0], contracts)),
        written(tmp_path, rows(NEAR, DAYS[1], contracts[::-1])),
    ]
    assert of(files) is None


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "full.arrow"
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device.*full\.arrow"):
        DayFile.write(path, SCHEMA, [rows(NEAR, DAYS[0], [(100.0, "C")])])
    assert list(tmp_path.iterdir()) == []

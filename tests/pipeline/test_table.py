import pytest

from pipeline.table import WRAP, Column, Table

COLUMNS = (
    Column("symbol", 8, leaves=2),
    Column("rows", 10, right=True),
    Column("time", 10, right=True, leaves=1),
)
PATH = "trade_date=2024-03-14/SPXW_20240315.parquet"


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (None, ["symbol", "rows", "time", "file"]),
        (80, ["symbol", "rows", "time", "file"]),
        (70, ["symbol", "rows", "file"]),
        (60, ["rows", "file"]),
        (30, ["rows", "file"]),
    ],
)
def test_columns_leave_where_it_is_narrow_and_the_path_last(
    width: int | None, headings: list[str]
) -> None:
    table = Table(COLUMNS, "file", len(PATH), width=width)
    assert table.heading().split() == headings
    (line,) = table.lines(("SPXW", 7, "1 s"), PATH)
    assert width is None or len(line) <= width
    # Of a path that has no room, the end is what tells files apart.
    assert line.endswith("SPXW_20240315.parquet"[-17:])
    assert (PATH in line) == (width != 30)


def test_words_without_room_go_on_below_themselves() -> None:
    table = Table(COLUMNS, "why", 20, width=40, overflow=WRAP)
    lines = list(table.lines(("SPXW", 7, "1 s"), "one two three four five six seven eight nine"))
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
    assert {len(line) - len(line.lstrip()) for line in lines[1:]} == {20}


def test_a_cell_that_is_too_long_is_cut_and_not_run_into_the_next() -> None:
    (line,) = Table(COLUMNS).lines(("AVERYLONGROOT", 7, "1 s"))
    assert line.startswith("AVERYL…  ")

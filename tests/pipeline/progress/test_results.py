import pytest

from pipeline.progress.results import ResultTable
from tests.support.data import request_for
from transforms.model import INTERRUPTED, WRITTEN, ExpirationResult

REQUEST = request_for("2024-03-15")
NAMES = {
    False: "2024-03-15/SPXW_20240315.csv",
    True: "trade_date=2024-03-14/SPXW_20240315.parquet",
}


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("by_day", [False, True])
def test_a_result_fits_the_terminal_with_its_path_below_the_output(
    width: int, by_day: bool
) -> None:
    name = NAMES[by_day]
    table = ResultTable("/data/greeks/", by_day=by_day, room=len(name), width=width)
    path = f"/data/greeks/{name}"
    result = ExpirationResult(REQUEST, WRITTEN, 1_234_567, 150_000_000, 123.4, 1, path=path)
    blank, heading, line = table.lines(result.describe())
    assert not blank
    assert max(len(heading), len(line)) <= width
    assert "/data/greeks" not in line
    assert "1,234,567" in line
    assert name in line or (width == 60 and by_day and line.endswith("/SPXW_20240315.parquet"))
    assert ("trade date" in heading) == by_day
    assert ("123.40 s" in line) == (width >= 120)


def test_a_result_without_a_file_is_named_where_its_columns_left() -> None:
    table = ResultTable("data", room=28, width=60)
    *_, line = table.lines(ExpirationResult(REQUEST, INTERRUPTED).describe())
    assert line.endswith("SPXW 2024-03-15")

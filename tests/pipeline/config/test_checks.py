import math
from collections.abc import Callable

import pytest

from pipeline.config.checks import (
    above_zero,
    between,
    finite,
    folder_problem,
    positive_integer,
    readable,
    time_of_day,
)


def test_a_closed_interval_has_both_of_its_ends() -> None:
    check = between(1, 1000, "rows", ", or so")
    assert [check(value, None) for value in (1, 1000)] == ["", ""]
    assert check(0, None) == "is 0, not 1 to 1,000 rows, or so"
    assert check(1000.5, None) == "is 1000.5, not 1 to 1,000 rows, or so"
    assert check(math.nan, None).startswith("is nan, not 1 to")


def test_0_is_not_above_0() -> None:
    check = above_zero(10, "seconds")
    assert check(10, None) == check(1e-9, None) == ""
    assert check(0, None) == "is 0, not above 0 and at most 10 seconds"
    assert check(math.nan, None) != ""


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (finite, "-0.5", "inf"),
        (finite, "1e3", "one"),
        (positive_integer, "1", "0"),
        (positive_integer, "20", "1.5"),
        (time_of_day, "09:30:00", "9:30:00"),
        (time_of_day, "23:59:59.999", "24:00:00"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(
    parse: Callable[[str], object], good: str, bad: str
) -> None:
    check = readable(parse)
    assert check(good, None) == ""
    with pytest.raises(ValueError):
        check(bad, None)


@pytest.mark.parametrize("folder", ["", "/", ".", "..", "a/..", "a/../", " "])
def test_what_names_no_folder_is_a_problem(folder: str) -> None:
    assert "names no folder" in folder_problem(folder)


@pytest.mark.parametrize("folder", ["data", "/data/x/", "s3://bucket/x", "..x"])
def test_what_names_a_folder_is_none(folder: str) -> None:
    assert folder_problem(folder) == ""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data import request_for
from transforms.model import GreeksRequest
from transforms.output.layout import BY_EXPIRATION, FIELDS, PATTERNS, Layout, check_pattern, expand

REQUEST = request_for("2024-03-15")


def test_the_default_is_a_folder_and_a_file_by_expiration() -> None:
    layout = Layout("data/greeks", ".csv", "run-1")
    assert layout.path(REQUEST) == "data/greeks/2024-03-15/SPXW_20240315.csv"


def test_what_is_not_data_lives_beside_the_output_folder() -> None:
    layout = Layout("data/greeks/", ".csv", "run-1")
    assert layout.folder.meta == "data/greeks.meta"
    assert layout.temporary_path().startswith("data/greeks.meta/")
    assert layout.temporary_path() != layout.temporary_path()


def test_every_field_can_be_used() -> None:
    request = GreeksRequest("SPX", date(2024, 3, 15), (date(2024, 3, 13), date(2024, 3, 14)), "1m")
    pattern = "/".join(f"{{{name}}}" for name in FIELDS)
    check_pattern(pattern)
    assert expand(pattern, request) == "SPX/2024-03-15/2024-03-13/2024-03-14/1m/first_order"


@pytest.mark.parametrize(
    "pattern",
    [PATTERNS[BY_EXPIRATION], "{symbol}/{expiration}", "{symbol}-{expiration:%d%b%y}-{interval}"],
)
def test_these_patterns_are_fine(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("../{symbol}_{expiration}", "must stay inside"),
        ("/tmp/{symbol}_{expiration}", "must stay inside"),
        ("a//{symbol}_{expiration}", "must stay inside"),
        ("{symbol}_{expiration}/", "must stay inside"),
        ("a/./{symbol}_{expiration}", "must stay inside"),
        (".{symbol}_{expiration}", "must stay inside"),
        ("_{symbol}_{expiration}", "must stay inside"),
        ("a\\{symbol}_{expiration}", "must stay inside"),
        ("{symbol}", "symbols and expirations"),
        ("{expiration}", "symbols and expirations"),
        ("{expiration:%d}/{symbol}/{strike}", "not a field"),
        ("{symbol.__class__}_{expiration}", "not a field"),
        ("{0}_{expiration}", "not a field"),
        ("{symbol!r}_{expiration}", "not a field"),
        ("{symbol_{expiration}", "is not a file name pattern"),
        ("", "must stay inside"),
    ],
)
def test_a_pattern_that_could_do_harm_is_refused(pattern: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        check_pattern(pattern)


@given(st.text(alphabet="{}symbol_expiration/.:%Y~ \\", max_size=30))
def test_a_pattern_that_passes_stays_inside(pattern: str) -> None:
    try:
        check_pattern(pattern)
    except ValueError:
        return
    parts = expand(pattern, REQUEST).split("/")
    assert all(part and part not in (".", "..") for part in parts)

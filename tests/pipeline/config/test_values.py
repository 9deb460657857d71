import argparse
from datetime import date, timedelta

import pytest

from pipeline.config.values import dates, iso_date, text_of, words
from transforms.market import clock


@pytest.mark.parametrize("text", ["2024-03-14", "20240314", " 2024-03-14 "])
def test_a_date_has_two_forms(text: str) -> None:
    assert iso_date(text) == date(2024, 3, 14)


def test_yesterday_is_the_day_before_today_in_new_york() -> None:
    before = clock.now().date()
    assert before <= iso_date("today") <= clock.now().date()
    assert iso_date("Yesterday") in (before - timedelta(1), before)


@pytest.mark.parametrize("text", ["14.3.2024", "2024-02-30", "", "tomorrow"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a date: YYYY-MM-DD"):
        iso_date(text)


def test_a_list_has_commas_and_no_empty_words() -> None:
    assert words(" a, b,,c ,") == ("a", "b", "c")
    assert words("") == ()


def test_dates_come_in_order_and_each_once() -> None:
    assert dates("20240318,2024-03-15,20240318") == (date(2024, 3, 15), date(2024, 3, 18))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (300.0, "300"),
        (0.1234567891, "0.1234567891"),
        (1e-07, "1e-07"),
        (5, "5"),
        (("SPXW", "SPX"), "SPXW,SPX"),
        ((date(2024, 3, 15),), "2024-03-15"),
        ("as it is ", "as it is "),
    ],
)
def test_a_value_is_typed_with_all_of_its_digits(value: object, text: str) -> None:
    assert text_of(value) == text

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.market.calendar import trading_days
from transforms.model.trade_dates import missing, spans, within

YEARS = trading_days(date(2015, 1, 1), date(2034, 12, 31))
WEEK = YEARS[:6]


@given(st.sets(st.sampled_from(WEEK)))
def test_spans_give_back_the_trade_dates_they_were_made_of(days: set[date]) -> None:
    assert set(within(spans(days, WEEK), WEEK)) == days


def test_twenty_years_without_a_hole_are_one_span() -> None:
    assert spans(set(YEARS), YEARS) == f"{YEARS[0]}/{YEARS[-1]}"


@pytest.mark.parametrize("provisional", [False, True])
def test_missing_is_what_has_no_rows_after_the_first_that_has(provisional: bool) -> None:
    for pattern in itertools.product([False, True], repeat=len(WEEK)):
        known = [day for day, there in zip(WEEK, pattern, strict=True) if there]
        last = (known[-1] if provisional else WEEK[-1]) if known else date.min
        wanted = {d for d in WEEK if known and known[0] < d <= last and d not in known}
        found = missing(spans(set(known), WEEK), WEEK, provisional=provisional)
        assert set(within(found, WEEK)) == wanted


@pytest.mark.parametrize("text", ["2024-03-11 to 2024-03-12", "none", "2024-01-01/2024-01-02/3"])
def test_what_are_no_trade_dates_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        within(text, WEEK)

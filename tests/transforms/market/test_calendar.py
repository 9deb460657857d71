"""The trading calendar against dates that the NYSE published, and a library that keeps them."""

from datetime import date, timedelta

import exchange_calendars
import pytest

from transforms.market.calendar import (
    CLOSE_MS,
    EARLY_CLOSE_MS,
    ONE_OFF_CLOSURES,
    OPEN_MS,
    closing_time,
    early_closes,
    easter,
    holidays,
    is_trading_day,
    nth_weekday,
    on_or_after,
    on_or_before,
    trading_days,
)


def days(year: int, text: str) -> set[date]:
    return {date(year, *map(int, day.split("-"))) for day in text.split()}


@pytest.mark.parametrize(
    ("year", "closed"),
    [
        (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
        (2018, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25"),
        (2020, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25"),
        (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25"),
        (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
        (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"),
    ],
)
def test_the_years_holidays_are_those_of_the_nyse(year: int, closed: str) -> None:
    assert holidays(year) == days(year, closed)


@pytest.mark.parametrize(
    ("year", "early"),
    [
        (2012, "07-03 11-23 12-24"),
        (2015, "11-27 12-24"),
        (2016, "11-25"),
        (2021, "11-26"),
        (2023, "07-03 11-24"),
        (2024, "07-03 11-29 12-24"),
        (2026, "11-27 12-24"),
    ],
)
def test_the_years_early_closes_are_those_of_the_nyse(year: int, early: str) -> None:
    assert early_closes(year) == days(year, early)


# The library's own use of pandas.
@pytest.mark.filterwarnings("ignore:Series.values returning")
def test_every_day_of_2012_to_2026_is_what_exchange_calendars_has() -> None:
    first, last = date(2012, 1, 1), date(2026, 12, 31)
    nyse = exchange_calendars.get_calendar("XNYS", start=first, end=last)
    ours = {
        day: (closing_time(day) // 60_000, OPEN_MS // 60_000) for day in trading_days(first, last)
    }
    theirs = {
        day.date(): tuple(
            moment.hour * 60 + moment.minute
            for moment in (
                nyse.session_close(day).tz_convert(nyse.tz),
                nyse.session_open(day).tz_convert(nyse.tz),
            )
        )
        for day in nyse.sessions
    }
    assert ours == theirs
    assert len({close for close, _ in ours.values()}) == 2
    closed = {date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)}
    assert closed == ONE_OFF_CLOSURES.keys()
    assert not closed & ours.keys()


@pytest.mark.parametrize("year", [1, 1969, 2011, 2036, 9999])
def test_rows_of_any_year_have_a_closing_time(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(n) for n in range(365)]
    assert {closing_time(day) for day in days} == {CLOSE_MS, EARLY_CLOSE_MS}
    assert 1 <= sum(closing_time(day) == EARLY_CLOSE_MS for day in days) <= 3


def test_easter_is_right_at_its_extremes() -> None:
    assert [easter(year) for year in (2008, 2011, 2024, 2035)] == [
        date(2008, 3, 23),
        date(2011, 4, 24),
        date(2024, 3, 31),
        date(2035, 3, 25),
    ]


def test_the_last_weekday_of_a_month_is_counted_from_its_end() -> None:
    assert nth_weekday(2024, 5, 0, -1) == date(2024, 5, 27)
    assert nth_weekday(2024, 12, 1, -1) == date(2024, 12, 31)
    assert nth_weekday(2024, 12, 1, -2) == date(2024, 12, 24)


def test_an_early_close_is_at_13_00() -> None:
    assert closing_time(date(2024, 12, 24)) == EARLY_CLOSE_MS == 13 * 3_600_000
    assert closing_time(date(2024, 12, 23)) == CLOSE_MS == 16 * 3_600_000


def test_no_weekend_and_no_holiday_is_a_trading_day() -> None:
    assert trading_days(date(2024, 3, 27), date(2024, 4, 2)) == [
        date(2024, 3, 27),
        date(2024, 3, 28),
        date(2024, 4, 1),
        date(2024, 4, 2),
    ]
    assert on_or_before(date(2024, 3, 31)) == date(2024, 3, 28)
    assert on_or_after(date(2024, 3, 29)) == date(2024, 4, 1)


def test_a_year_has_252_trading_days_or_nearly() -> None:
    for year in range(2012, 2036):
        assert 249 <= len(trading_days(date(year, 1, 1), date(year, 12, 31))) <= 253


def test_a_year_outside_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="covers 2012 to 2035, not 2036"):
        is_trading_day(date(2036, 1, 2))

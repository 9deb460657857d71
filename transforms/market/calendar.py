"""The NYSE's trading calendar by its rules, for 2012 to 2035.

Source of the rules: the NYSE's published holidays and early closes of 2012 to 2027. Closures that
no rule foresees are listed in `ONE_OFF_CLOSURES`; years to come may bring others.
"""

from datetime import date, timedelta
from functools import cache

FIRST_YEAR, LAST_YEAR = 2012, 2035

OPEN_MS = (9 * 60 + 30) * 60_000
"""When every trading day begins, in milliseconds since midnight, New York time."""
CLOSE_MS = 16 * 3_600_000
"""When a trading day ends, unless it is one of `early_closes`; likewise."""
EARLY_CLOSE_MS = 13 * 3_600_000

ONE_OFF_CLOSURES = {
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): "mourning for George H. W. Bush",
    date(2025, 1, 9): "mourning for Jimmy Carter",
}

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6
_DAY = timedelta(days=1)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """Returns the nth such weekday of the month (Monday is 0), counting from its end if negative.

    Args:
        year: the year.
        month: 1 to 12.
        weekday: 0 to 6.
        nth: 1 for the first, -1 for the last.
    """
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - _DAY
    return last - timedelta(days=(last.weekday() - weekday) % 7 - 7 * (nth + 1))


def easter(year: int) -> date:
    """Returns Easter Sunday by the anonymous Gregorian algorithm (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _observed(day: date) -> date:
    """Returns the weekday on which a holiday of that date is kept."""
    if day.weekday() == _SATURDAY:
        return day - _DAY
    return day + _DAY if day.weekday() == _SUNDAY else day


def holidays(year: int) -> frozenset[date]:
    """Returns the weekdays of the year on which the exchange is closed all day.

    >>> sorted(holidays(2024))[:3]
    [datetime.date(2024, 1, 1), datetime.date(2024, 1, 15), datetime.date(2024, 2, 19)]

    Raises:
        ValueError: the year is outside the calendar.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the trading calendar covers {FIRST_YEAR} to {LAST_YEAR}, not {year}")
    return _closed(year)


@cache
def _closed(year: int) -> frozenset[date]:
    """Returns the holidays of any year, by the rules of the calendar's years."""
    days = {
        nth_weekday(year, 1, _MONDAY, 3),  # Martin Luther King, Jr. Day
        nth_weekday(year, 2, _MONDAY, 3),  # Washington's Birthday
        easter(year) - 2 * _DAY,  # Good Friday
        nth_weekday(year, 5, _MONDAY, -1),  # Memorial Day
        _observed(date(year, 7, 4)),
        nth_weekday(year, 9, _MONDAY, 1),  # Labor Day
        nth_weekday(year, 11, _THURSDAY, 4),  # Thanksgiving Day
        _observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    # On a Saturday it is not made up for: the Friday before ends the accounting year.
    if new_year.weekday() != _SATURDAY:
        days.add(_observed(new_year))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))  # Juneteenth
    days.update(day for day in ONE_OFF_CLOSURES if day.year == year)
    return frozenset(days)


@cache
def early_closes(year: int) -> frozenset[date]:
    """Returns the days of the year on which trading ends at 13:00.

    They are the day before Independence Day, the day after Thanksgiving Day and Christmas Eve,
    where these are trading days. Years outside the calendar go by the same rules: rows of any date
    can be checked.

    >>> sorted(early_closes(2023))
    [datetime.date(2023, 7, 3), datetime.date(2023, 11, 24)]
    """
    candidates = {
        date(year, 7, 3),
        nth_weekday(year, 11, _THURSDAY, 4) + _DAY,
        date(year, 12, 24),
    }
    return frozenset(day for day in candidates if _opens(day, _closed(year)))


def is_trading_day(day: date) -> bool:
    """Returns whether the exchange opens on that day.

    Raises:
        ValueError: the day is outside the calendar.
    """
    return _opens(day, holidays(day.year))


def _opens(day: date, closed: frozenset[date]) -> bool:
    return day.weekday() < _SATURDAY and day not in closed


def closing_time(day: date) -> int:
    """Returns when trading ends on a trading day, in milliseconds since midnight, New York time.

    >>> closing_time(date(2024, 7, 3)) // 3_600_000
    13
    """
    return EARLY_CLOSE_MS if day in early_closes(day.year) else CLOSE_MS


def trading_days(first: date, last: date) -> list[date]:
    """Returns the trading days from `first` to `last`, both included, ascending.

    Raises:
        ValueError: a day is outside the calendar.
    """
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if is_trading_day(day)]


def on_or_before(day: date) -> date:
    """Returns the last trading day that is not after `day`."""
    while not is_trading_day(day):
        day -= _DAY
    return day


def on_or_after(day: date) -> date:
    """Returns the first trading day that is not before `day`."""
    while not is_trading_day(day):
        day += _DAY
    return day

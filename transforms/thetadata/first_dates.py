"""From which trade date on expirations have data, so that no more is asked for than that.

An expiration may be listed months before it has a quote. Asked day by day, each of these days costs
a request that is answered with 472. The Terminal lists the dates with quotes of an expiration; that
list is believed if the Terminal has nothing for the trading day before the first one, either.
"""

import threading
from collections.abc import Iterable
from datetime import date, timedelta

from transforms.market import calendar
from transforms.model import GreeksRequest, served_dates
from transforms.orders import MONTH

_ANSWERS = 2
"""Trade dates without data after which the list is asked for: that takes two requests itself."""
_DAYS = 10
"""Calendar days of which at least one is a trading day."""

_Expiration = tuple[str, str, date]


class FirstDates:
    """What is known of some expirations, for any number of clients and threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._empty: dict[_Expiration, int] = {}
        self._first: dict[_Expiration, date] = {}

    def is_before(self, url: str, request: GreeksRequest, day: date) -> bool:
        """Returns whether an expiration is known to have no data on a day, nor on any before it.

        Args:
            url: the Terminal's address: another one may have an older history.
            request: of the expiration.
            day: the day.
        """
        first = self._first.get(_key(url, request))
        return first is not None and day < first

    def should_ask(self, url: str, request: GreeksRequest) -> bool:
        """Takes that a trade date has no data, and returns whether it is time to ask for the list.

        That is so after two of them; and where that taught nothing, after four, eight and so on.
        """
        if request.order.request_span == MONTH or "bid" not in request.order.columns:
            return False
        key = _key(url, request)
        with self._lock:
            self._empty[key] = empty = self._empty.get(key, 0) + 1
            return empty >= _ANSWERS and empty.bit_count() == 1

    def learn(self, url: str, request: GreeksRequest, first: date) -> None:
        """Takes the first date with data of an expiration."""
        self._first[_key(url, request)] = first


def first_after(
    request: GreeksRequest, empty: date, listed: Iterable[date]
) -> tuple[date, date] | None:
    """Returns the first date with data by a list, and the last trading day before it.

    Args:
        request: of the expiration.
        empty: a trade date of it that is known to have no data.
        listed: the dates with data; if there is none, the first one is the day after the
            expiration.

    Returns:
        None if the list does not agree with the empty date, or the calendar does not reach so far.
    """
    first = min(listed, default=request.expiration + timedelta(days=1))
    if not empty < first <= request.expiration + timedelta(days=1):
        return None
    if first.year > calendar.LAST_YEAR:
        return None
    since = max(empty, first - timedelta(days=_DAYS))
    days = tuple(calendar.trading_days(since, first - timedelta(days=1)))
    served = served_dates(request.symbol, request.expiration, days)
    return first, max(served, default=empty)


def _key(url: str, request: GreeksRequest) -> _Expiration:
    return url, request.symbol, request.expiration

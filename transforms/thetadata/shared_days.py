"""Trade dates that the requests of a run share: one answer feeds the files of every expiration.

ThetaData serves the end of day and open interest for all expirations at once (`*` in v3, 0 in v2),
a trade date at a time. Here is the rule by which that is done, and the count of requests that it
comes to; `shared_answers` does it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from transforms.market import clock, sessions
from transforms.model import GreeksRequest
from transforms.thetadata.dialect import Part, parts_of

WORTH = 2
"""Requests that a shared one must replace, at least."""


@dataclass(slots=True, eq=False)
class SharedDay:
    """A trade date of some requests.

    Attributes:
        day: the trade date.
        month: that it is in.
        alone: requests that need it and no other trade date of its month.
        needing: the requests that need it.
        reach: the most calendar days from it to an expiration that is needed.
    """

    day: date
    month: "_Month"
    alone: int = 0
    needing: int = 0
    reach: int = 0

    @property
    def shared(self) -> bool:
        """Whether one answer is to serve all, which must replace enough requests."""
        return self.month.shared or self.alone >= WORTH

    @property
    def query(self) -> tuple[GreeksRequest, Part]:
        """What its one HTTP request asks for, as clients take it."""
        return self.month.request, Part(self.day, self.day, reach=self.reach)


@dataclass(slots=True, eq=False)
class _Month:
    """The trade dates of a month that some requests of a symbol need.

    Attributes:
        request: one of them.
        days: by trade date.
        spanning: HTTP requests by expiration for several of them.
    """

    request: GreeksRequest
    days: dict[date, SharedDay] = field(default_factory=dict)
    spanning: int = 0

    @property
    def shared(self) -> bool:
        """Whether all its trade dates are shared, those that a request needs together, too."""
        alone = sum(each.alone for each in self.days.values())
        return self.spanning > 0 and self.spanning + alone >= WORTH * len(self.days)


class SharedDays:
    """Which trade dates of a run's requests are shared; iterated, these in the order of need.

    A trade date is shared if `WORTH` requests need it and no other of its month; and all trade
    dates of a month are, if that takes no more than the `WORTH`th part of the requests by
    expiration. Not shared are trade dates that may still change, and those of requests with a
    `strike_range`: what lies around the money of each expiration is not documented.

    Args:
        requests: to begin with.
        now: the time in New York.
    """

    def __init__(
        self, requests: Iterable[GreeksRequest] = (), now: Callable[[], datetime] = clock.now
    ) -> None:
        self._now = now()
        self._months: dict[tuple[object, ...], _Month] = {}
        self._by_itself = 0
        for request in requests:
            self.add(request)

    def add(self, request: GreeksRequest) -> None:
        """Adds a request of the run, before the first one is fetched."""
        if not request.order.daily:
            self._by_itself += len(request.served_dates)
            return
        for part in parts_of(request):
            if not self._may_share(request, part):
                self._by_itself += 1
                continue
            month, days = self._month_of(request, part.first), _days(request, part)
            month.spanning += len(days) > 1
            for day in days:
                each = month.days.setdefault(day, SharedDay(day, month))
                each.needing += 1
                each.alone += len(days) == 1
                each.reach = max(each.reach, (request.expiration - day).days)

    def _month_of(self, request: GreeksRequest, day: date) -> _Month:
        key = _key(request, day)
        if key not in self._months:
            # Of its trade dates one will do: there may be thousands.
            self._months[key] = _Month(replace(request, trade_dates=(day,)))
        return self._months[key]

    @property
    def requests(self) -> int:
        """HTTP requests for all requests, if each shared answer has what is needed of it."""
        number = self._by_itself
        for month in self._months.values():
            number += 0 if month.shared else month.spanning
            number += sum(1 if each.shared else each.alone for each in month.days.values())
        return number

    def __iter__(self) -> Iterator[SharedDay]:
        """Yields the trade dates that are shared."""
        for month in self._months.values():
            yield from (each for each in month.days.values() if each.shared)

    def of(self, request: GreeksRequest, part: Part) -> list[SharedDay]:
        """Returns the trade dates of a part if it is to be read from shared answers, else none."""
        month = self._months.get(_key(request, part.first))
        if month is None or not self._may_share(request, part):
            return []
        dates = _days(request, part)
        days = [month.days[day] for day in dates if day in month.days]
        shared = month.shared if len(dates) > 1 else all(each.shared for each in days)
        return days if shared and len(days) == len(dates) else []

    def _may_share(self, request: GreeksRequest, part: Part) -> bool:
        order = request.order
        return (
            order.daily
            and order.every_expiration
            and "strike_range" not in dict(request.parameters)
            and not sessions.may_change(order, part.last, self._now)
        )


def _key(request: GreeksRequest, day: date) -> tuple[object, ...]:
    return request.greeks, request.symbol, request.parameters, day.year, day.month


def _days(request: GreeksRequest, part: Part) -> list[date]:
    return [day for day in request.served_dates if part.first <= day <= part.last]

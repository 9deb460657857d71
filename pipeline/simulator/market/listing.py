"""Which contracts exist: the expirations of each symbol, and the strikes of each expiration.

Like a real exchange, the simulated one lists distant expirations with few, widely spaced strikes
and adds closer ones around the price as the expiration draws near. So an expiration within days
has several times the contracts of one a month away.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from pipeline.simulator.market.underlying import Underlying
from transforms.market import calendar

FIRST_EXPIRATION = date(2012, 6, 1)
_DAILY_FROM = date(2022, 5, 16)
# Until then, monthly contracts expired on the Saturday after the third Friday.
_NO_MORE_SATURDAYS = date(2015, 2, 1)
_FRIDAY = 4
_DAY = timedelta(days=1)
# Until then, on Mondays and Wednesdays: where these are closed, on the day after or before.
_BEFORE_DAILY = {0: _DAY, 2: -_DAY}


@dataclass(frozen=True)
class Root:
    """The features of one symbol's options.

    Attributes:
        symbol: such as `SPXW`.
        underlying: the name of the index or stock.
        schedule: `daily`, `monthly` or `weekly`.
        settles_at_open: the last trading day is the one before the expiration.
        index: strikes and ticks are those of index options.
    """

    symbol: str
    underlying: str
    schedule: str
    settles_at_open: bool = False
    index: bool = False


_ROOTS = {
    "SPXW": Root("SPXW", "SPX", "daily", index=True),
    "SPX": Root("SPX", "SPX", "monthly", settles_at_open=True, index=True),
}


def root_of(symbol: str) -> Root:
    """Returns the root of a symbol; any but SPXW and SPX has weeklies on a stock of that name."""
    return _ROOTS.get(symbol) or Root(symbol, symbol, "weekly")


def _scheduled(day: date) -> bool:
    """Returns whether contracts could be listed for that day, as nobody foresees a closure."""
    return calendar.is_trading_day(day) or day in calendar.ONE_OFF_CLOSURES


def _moved(day: date, step: timedelta) -> date:
    while not _scheduled(day):
        day += step
    return day


def monthly(year: int, month: int) -> date:
    """Returns the date of the standard monthly expiration."""
    friday = calendar.nth_weekday(year, month, _FRIDAY, 3)
    return friday + _DAY if friday < _NO_MORE_SATURDAYS else _moved(friday, -_DAY)


@lru_cache(maxsize=64)
def _listed(root: Root, last: date) -> tuple[tuple[date, date], ...]:
    """Returns (expiration, first date of listing) for everything listed up to `last`."""
    found: dict[date, int] = {}

    def add(expiration: date, days: int) -> None:
        found[expiration] = max(days, found.get(expiration, 0))

    end = min(last + timedelta(days=380), date(calendar.LAST_YEAR, 12, 31))
    is_daily = root.schedule == "daily"
    for year in range(FIRST_EXPIRATION.year, end.year + 1):
        for month in range(1, 13):
            third_friday = calendar.nth_weekday(year, month, _FRIDAY, 3)
            add(_moved(third_friday, -_DAY) if is_daily else monthly(year, month), 370)
    day = FIRST_EXPIRATION
    while day <= end and root.schedule != "monthly":
        is_third = day == calendar.nth_weekday(day.year, day.month, _FRIDAY, 3)
        if day.weekday() == _FRIDAY and not (is_third and root.schedule == "weekly"):
            add(_moved(day, -_DAY), 70 if is_daily else 45)
        elif is_daily and day >= _DAILY_FROM and _scheduled(day):
            add(day, 45)
        elif is_daily and day < _DAILY_FROM and day.weekday() in _BEFORE_DAILY:
            add(_moved(day, _BEFORE_DAILY[day.weekday()]), 45)
        day += _DAY
    dated = ((day, day - timedelta(days=days)) for day, days in sorted(found.items()))
    return tuple((day, since) for day, since in dated if day >= FIRST_EXPIRATION and since <= last)


def expirations(root: Root, last: date) -> tuple[date, ...]:
    """Returns every expiration listed from 2012-06-01 until `last`, ascending."""
    return tuple(day for day, _ in _listed(root, last))


@dataclass(frozen=True)
class Expiration:
    """The contracts of one symbol that expire on one date.

    Attributes:
        root: the features of the symbol's options.
        underlying: its prices.
        expires: the date on which they do.
    """

    root: Root
    underlying: Underlying
    expires: date

    @property
    def last_trading_day(self) -> date:
        """The last day on which the contracts trade.

        It is the expiration itself (for a Saturday, the Friday before), and for contracts that
        settle at the open, the trading day before it.
        """
        day = calendar.on_or_before(self.expires)
        return calendar.on_or_before(day - _DAY) if self.root.settles_at_open else day


# Days before the expiration at which strikes are added, and which: (strike steps between two of
# them, from and to, as multiples of the price).
_Rings = tuple[tuple[int, tuple[tuple[int, float, float], ...]], ...]
_INDEX_RINGS: _Rings = (
    (400, ((5, 0.90, 1.08), (20, 0.55, 1.25))),
    (25, ((2, 0.965, 1.035), (5, 0.86, 1.10))),
    (9, ((1, 0.97, 1.03), (2, 0.93, 1.05), (5, 0.80, 1.12))),
    (4, ((1, 0.94, 1.05), (2, 0.88, 1.08), (5, 0.75, 1.15))),
)
_STOCK_RINGS: _Rings = (
    (400, ((2, 0.80, 1.25), (8, 0.40, 1.80))),
    (25, ((1, 0.85, 1.20),)),
    (9, ((1, 0.80, 1.25), (2, 0.60, 1.50))),
)


def _step(root: Root, price: float) -> int:
    """Returns the smallest distance between two strikes, in thousandths of a dollar."""
    if root.index:
        return 5000
    return 500 if price < 25 else 1000 if price < 100 else 2500


@lru_cache(maxsize=4096)
def strikes(of: Expiration, last: date) -> tuple[tuple[int, date], ...]:
    """Returns (strike, first trade date) for every strike of an expiration added until `last`.

    Args:
        of: one that `expirations` returns; any other has no strikes.
        last: nothing that was added after this date is returned.

    Returns:
        Ascending strikes in thousandths of a dollar.
    """
    listed = _listed(of.root, last)
    place = bisect_right(listed, of.expires, key=lambda pair: pair[0]) - 1
    if place < 0 or listed[place][0] != of.expires:
        return ()
    since = max(listed[place][1], date(calendar.FIRST_YEAR, 1, 3))
    added: dict[int, date] = {}
    for days, rings in _INDEX_RINGS if of.root.index else _STOCK_RINGS:
        day = calendar.on_or_after(max(since, of.expires - timedelta(days=days)))
        if day > last:
            break
        price = of.underlying.previous_close(day)
        for steps, low, high in rings:
            width = _step(of.root, price) * steps
            first, end = int(price * low * 1000 / width) + 1, int(price * high * 1000 / width)
            for n in range(first, end + 1):
                added.setdefault(n * width, day)
    return tuple(sorted(added.items()))

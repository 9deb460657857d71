"""The simulated underlyings: one price path for each, from 2012 to 2035, and the interest rate.

A path depends on the seed and the underlying's name alone: neither on the process, nor on what
was asked for before. Daily closes wander between levels of the real past, where these are known
here; each day's seconds lead from its open to its close.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from hashlib import sha256

import numpy as np

from transforms.arrays import Floats, Ints
from transforms.market import calendar

DAILY_VOLATILITY = 0.009
OPEN = calendar.OPEN_MS // 1000
"""Seconds from midnight, New York time, to the first price of a trading day."""
SECONDS = calendar.CLOSE_MS // 1000 - OPEN + 1
"""Prices of a full trading day: one a second from 09:30:00 to 16:00:00, both included."""

# Round closing levels of the real index; the simulated path passes through them.
_LEVELS: dict[str, dict[date, float]] = {
    "SPX": {
        date(2012, 1, 3): 1277,
        date(2013, 1, 2): 1462,
        date(2014, 1, 2): 1832,
        date(2015, 1, 2): 2058,
        date(2016, 1, 4): 2013,
        date(2017, 1, 3): 2258,
        date(2018, 1, 2): 2696,
        date(2019, 1, 2): 2510,
        date(2020, 1, 2): 3258,
        date(2020, 3, 23): 2237,
        date(2021, 1, 4): 3701,
        date(2022, 1, 3): 4797,
        date(2023, 1, 3): 3824,
        date(2024, 1, 2): 4743,
        date(2024, 3, 13): 5165,
        date(2025, 1, 2): 5869,
        date(2026, 1, 2): 6858,
    },
    "AAPL": {date(2012, 1, 3): 120, date(2024, 3, 13): 171, date(2024, 11, 1): 222},
}

# SOFR of each date, in steps: roughly the real rate, and exactly 5.30 % on 2023-09-11, 5.32 % on
# 2023-11-10, 4.82 % on 2024-11-04, 4.36 % on 2025-05-02 and 4.14 % on 2025-09-19, which published
# rows imply. A row has the rate of its own trade date, not the last one published before it: live
# rows imply 5.38 to 5.41 % on 2024-09-17, and 4.80 to 4.825 % on 2024-09-19, the day after a cut.
# There was no SOFR before 2018-04-03.
_SOFR = (
    (date(2012, 1, 1), 0.0),
    (date(2018, 4, 3), 0.0175),
    (date(2018, 10, 1), 0.0220),
    (date(2019, 8, 1), 0.0215),
    (date(2019, 11, 1), 0.0160),
    (date(2020, 3, 16), 0.0006),
    (date(2022, 3, 17), 0.0030),
    (date(2022, 6, 16), 0.0145),
    (date(2022, 9, 22), 0.0300),
    (date(2022, 12, 15), 0.0430),
    (date(2023, 3, 23), 0.0481),
    (date(2023, 7, 27), 0.0530),
    (date(2023, 11, 1), 0.0532),
    (date(2024, 1, 2), 0.0531),
    (date(2024, 9, 16), 0.0539),
    (date(2024, 9, 19), 0.0482),
    (date(2024, 12, 19), 0.0436),
    (date(2025, 9, 18), 0.0414),
    (date(2025, 12, 11), 0.0365),
)


def sofr(day: date) -> float:
    """Returns the interest rate of a trade date, per year (0.0531 is 5.31 %)."""
    return _SOFR[bisect_right(_SOFR, day, key=lambda step: step[0]) - 1][1]


def generator(*names: object) -> np.random.Generator:
    """Returns random numbers that depend on the names alone, whatever the process."""
    digest = sha256("/".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


@dataclass(frozen=True)
class Underlying:
    """The prices of one index or stock.

    Attributes:
        name: such as `SPX`.
        seed: of the whole market.
    """

    name: str
    seed: int

    @cached_property
    def _days(self) -> dict[date, int]:
        days = calendar.trading_days(
            date(calendar.FIRST_YEAR, 1, 1), date(calendar.LAST_YEAR, 12, 31)
        )
        return {day: n for n, day in enumerate(days)}

    @cached_property
    def _closes(self) -> Floats:
        """Log closes: a random walk, tied down at the known levels."""
        random = generator(self.seed, self.name, "closes")
        walk = np.cumsum(random.standard_normal(len(self._days)) * DAILY_VOLATILITY)
        levels = _LEVELS.get(self.name) or {date(2024, 3, 13): 20 + random.integers(0, 380)}
        known = [self._days[day] for day in levels]
        logs = np.log(np.array(list(levels.values()), dtype=np.float64))
        # 7 % a year after the last known level, and before the first.
        growth = (
            0.07 / 252 * (np.arange(len(walk)) - np.clip(np.arange(len(walk)), known[0], known[-1]))
        )
        bridge = np.interp(np.arange(len(walk)), known, logs - walk[known])
        return np.asarray(walk + bridge + growth)

    def previous_close(self, day: date) -> float:
        """Returns the last close before a trading day, in dollars."""
        return float(np.exp(self._closes[max(self._days[day] - 1, 0)]))

    def stress(self, day: date) -> float:
        """Returns how volatile the market is on that day, as a factor around 1.

        It is about 2 after a loss of 10 % within a month, and 0.8 after a gain of 5 %.
        """
        n = self._days[day]
        gain = self._closes[max(n - 1, 0)] - self._closes[max(n - 22, 0)]
        return float(np.exp(np.clip(-6 * gain, -0.25, 1.0)))

    def cents(self, day: date) -> Ints:
        """Returns the price at each second of a trading day, in cents, as `SECONDS` integers.

        After an early close the last price stands.
        """
        return _seconds(self, day)


@lru_cache(maxsize=256)
def _seconds(underlying: Underlying, day: date) -> Ints:
    n = underlying._days[day]
    random = generator(underlying.seed, underlying.name, day.isoformat())
    last, close = underlying._closes[max(n - 1, 0)], underlying._closes[n]
    open_ = last + (close - last) * random.uniform(0.0, 0.6)
    length = calendar.closing_time(day) // 1000 - OPEN
    steps = random.standard_normal(length) * (0.8 * DAILY_VOLATILITY / np.sqrt(length))
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    time = np.arange(length + 1) / length
    path = open_ + walk - walk[-1] * time + (close - open_) * time
    cents = np.rint(np.exp(path) * 100).astype(np.int64)
    cents = np.pad(cents, (0, SECONDS - len(cents)), mode="edge")
    cents.flags.writeable = False
    return cents

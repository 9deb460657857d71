"""What the expirations and trade dates around one show of its rate."""

from bisect import bisect_left
from dataclasses import dataclass, field

from transforms.audit.vendor_rate import ImpliedRate, narrowed

VAGUE = 1e-4
"""A rate that is known no better than this, a basis point, is vague."""

_MOST_A_DAY = 0.03  # SOFR's largest step, in September 2019, was 2.8 %


@dataclass
class RatesByDate:
    """The rates that rows imply, by symbol and trade date.

    ThetaData takes one rate for all expirations of a trade date: that date's SOFR, or a treasury's.
    """

    _rates: dict[str, dict[int, ImpliedRate]] = field(default_factory=dict)
    _sharp: dict[str, list[int]] = field(default_factory=dict)

    def add(self, symbol: str, day: int, rate: ImpliedRate) -> None:
        """Takes what the rows of one more expiration imply; `day` is days since 1970."""
        self._sharp.clear()
        days = self._rates.setdefault(symbol, {})
        sharp, other = sorted([days.get(day, rate), rate], key=lambda one: one.doubt)
        days[day] = narrowed(sharp, other)

    def around(self, symbol: str, day: int, rate: ImpliedRate) -> ImpliedRate:
        """Returns a rate as narrow as the others of its date make it, and those of the next dates.

        Those before and after that have a rate which is not vague; from one date to the next, no
        rate moves by more than 3 %.
        """
        days = self._rates[symbol]
        rate = narrowed(rate, days[day])
        if symbol not in self._sharp:
            self._sharp[symbol] = sorted(one for one in days if days[one].doubt <= VAGUE)
        sharp = self._sharp[symbol]
        place = bisect_left(sharp, day)
        for near in sharp[max(place - 1, 0) : place + 1]:
            rate = narrowed(rate, days[near], _MOST_A_DAY)
        return rate

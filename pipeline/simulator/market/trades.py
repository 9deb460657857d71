"""The simulated trades of a day: one by one, and as bars."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.simulator.market.listing import Expiration
from pipeline.simulator.market.quotes import EXCHANGES, Instants, instants, quotes, uniform
from pipeline.simulator.market.underlying import OPEN, SECONDS
from transforms.arrays import Flags, Floats, Ints
from transforms.market import calendar
from transforms.market.clock import DAY_MS

_SAMPLES = 14  # times of day at which a contract can trade
_TIMES = calendar.OPEN_MS + (SECONDS - 1) // _SAMPLES * 1000 * np.arange(1, _SAMPLES + 1)
_CONDITION = 18  # of a regular trade
_MOST = 4000  # trades of a contract in a trade date are fewer


@dataclass(frozen=True)
class Sessions:
    """What some contracts trade on some dates.

    Attributes:
        traded: whether there is a trade at all; the others mean nothing where there is none.
        first: the place of the first trade's time among the times of day.
        last: that of the last one's.
        count: trades.
        volume: contracts.
        before: milliseconds from a trade to the full second that follows it.
        prices: at each time of day: a further axis.
        instants: for each trade date, each time of day.
    """

    traded: Flags
    first: Ints
    last: Ints
    count: Ints
    volume: Ints
    before: Ints
    prices: Ints
    instants: Instants

    @property
    def ends(self) -> Ints:
        """The second at each time of day, since midnight: of shape (days, times)."""
        return self.instants.seconds.reshape(-1, _SAMPLES) + OPEN


def sessions(of: Expiration, strikes: Ints, at: Instants) -> Sessions:
    """Returns the trades of each contract and date. The further from the money, the fewer."""

    def chance(number: int) -> Floats:
        # Quotes take their chances from the seconds of the session; these lie beyond it.
        return uniform(of.expires, strikes, at.days * 86400 + 60_000 + number)

    width = at.volatility * np.sqrt(np.maximum(at.years, 1 / 365))
    distance = np.abs(np.log(strikes[:, None] * 0.1 / at.spot)) / width
    liquidity = np.exp(-0.35 * distance)[:, None]
    first = (chance(1) * _SAMPLES).astype(np.int64)
    last = first + (chance(2) * (_SAMPLES - first)).astype(np.int64)
    samples = instants(of, at.dates, _TIMES)
    shape = (len(strikes), 2, len(at.days), _SAMPLES)
    low, high = (cents.reshape(shape) for cents in quotes(of, strikes, samples))
    keys = samples.days * 86400 + samples.seconds + 30_000
    at_bid = uniform(of.expires, strikes, keys).reshape(shape) < 0.5
    count = last - first + 1 + (liquidity * chance(3) ** 3 * 1500).astype(np.int64)
    return Sessions(
        traded=chance(0) < liquidity,
        first=first,
        last=last,
        count=count,
        volume=(count * (1 + 9 * chance(4))).astype(np.int64),
        before=(chance(5) * 1000).astype(np.int64),
        prices=np.where(at_bid & (low > 0), low, high),
        instants=samples,
    )


@dataclass(frozen=True)
class Trades:
    """Trades, by contract, then by time; every array has one element for each.

    Attributes:
        contract: twice its strike's place, and one more if it is a put.
        at: when, and what the underlying's last price was.
        numbers: the columns of a trade by name.
    """

    contract: Ints
    at: Instants
    numbers: dict[str, Ints]

    def part(self, which: Flags) -> "Trades":
        """Returns some of the trades."""
        numbers = {name: values[which] for name, values in self.numbers.items()}
        return Trades(self.contract[which], self.at.part(which), numbers)


def trades(of: Expiration, strikes: Ints, at: Instants) -> Trades:
    """Returns every trade of some contracts, those that the end of the day sums up.

    A contract trades several times within the second before each of its times of day, at the price
    that it is quoted then; the underlying's price is that of the second before.
    """
    found = sessions(of, strikes, at)
    count = (found.count * found.traded).ravel()
    total = int(count.sum())
    cell = np.repeat(np.arange(len(count)), count)  # its contract and trade date
    number = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    place, day = np.divmod(cell, len(at.days))
    first, last, each = (values.ravel()[cell] for values in (found.first, found.last, found.count))
    span = last - first + 1
    time = number * span // each
    begins, ends = -(-time * each // span), -(-(time + 1) * each // span)
    sample = first + time
    before = found.before.ravel()[cell]
    apart = (ends - 1 - number) * (999 - before) // (ends - begins)
    milliseconds = found.ends[day, sample] * 1000 - before - apart
    earlier = instants(of, at.dates, _TIMES - 1000)
    when = replace(earlier.part(day * _SAMPLES + sample), milliseconds=milliseconds)
    contract = strikes[place // 2] // 1000 + place % 2
    # After an early close, several times of day are one second.
    order = np.lexsort((number, milliseconds, cell))
    volume = found.volume.ravel()[cell]
    numbers = {
        "sequence": when.seconds[order] * _MOST + number,
        **{f"ext_condition{n}": np.full(total, 255) for n in (1, 2, 3, 4)},
        "condition": np.full(total, _CONDITION),
        "size": volume // each + (number < volume % each),
        "exchange": EXCHANGES[(contract + 7 * number) % len(EXCHANGES)],
        "price": found.prices.reshape(-1, _SAMPLES)[cell, sample][order],
        **dict.fromkeys(("condition_flags", "price_flags", "volume_type"), np.zeros(total, int)),
        "records_back": np.zeros(total, int),
    }
    return Trades(place, when.part(order), numbers)


def bars(found: Trades, contracts: int, at: Instants, interval: int) -> dict[str, Ints]:
    """Returns bars by column.

    A bar has the trades from its instant to before the interval's end; all is 0 without one. The
    average price is that of all bars of the trade date so far.

    Args:
        found: trades.
        contracts: how many there are.
        at: the beginnings of the bars.
        interval: milliseconds of a bar.
    """
    begins = at.days * DAY_MS + at.milliseconds
    times = found.at.days * DAY_MS + found.at.milliseconds
    bar = np.searchsorted(begins, times, "right") - 1
    inside = (bar >= 0) & (times < begins[bar] + interval)
    of = (found.contract * len(begins) + bar)[inside]
    price, size = (found.numbers[name][inside] for name in ("price", "size"))
    cells = contracts * len(begins)
    made = {name: np.zeros(cells, np.int64) for name in ("open", "high", "low", "close")}
    made["open"][of[::-1]] = price[::-1]
    made["close"][of] = price
    np.maximum.at(made["high"], of, price)
    made["low"][of] = price
    np.minimum.at(made["low"], of, price)
    made["volume"] = np.bincount(of, size, cells).astype(np.int64)
    made["count"] = np.bincount(of, minlength=cells)
    by_day = (contracts, len(np.unique(at.days)), -1)
    paid = np.bincount(of, size * price, cells).reshape(by_day).cumsum(-1)
    so_far = made["volume"].reshape(by_day).cumsum(-1)
    average = np.rint(paid / np.maximum(so_far, 1)).astype(np.int64).ravel()
    made["vwap"] = average * (made["count"] > 0)
    return {name: values.reshape(-1, 2, len(begins)) for name, values in made.items()}

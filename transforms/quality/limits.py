"""The names of the quality rules, and the limits that turn a finding into a failure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MISSING_DATES = "missing_dates"
"""The rule that counts trade dates; all others count rows."""

RULES: dict[str, str] = {
    "missing_values": "a number or a time is null, or a number is not finite",
    "delta_bounds": "a call's delta outside 0 to 1, or a put's outside -1 to 0",
    "gamma_bounds": "gamma below 0",
    "vega_bounds": "vega below 0",
    "iv_bounds": "an implied volatility below 0",
    "open_interest_bounds": "open interest below 0",
    "size_bounds": "a size, a volume or a number of trades below 0",
    "bar_bounds": "an opening or closing price outside the lowest and the highest",
    "price_bounds": "a bid, an ask or a trade below 0, or an underlying or a strike not above 0",
    "zero_greeks": "every Greek is 0, although the price has a volatility",
    "unsolved_iv": "implied volatility 0, although the price has one",
    "iv_error": "the volatility's own value is further from the price than the solver stops",
    "zero_bids": "no bid in the money, or no quote at the money, after the opening",
    "crossed_quotes": "the bid is above the ask",
    "stale_underlying": "the underlying's price is more than five minutes older than the row",
    "future_underlying": "the underlying's price is more than a minute newer than the row",
    "outside_hours": "a row outside 09:30 to 16:15 in New York, or on a weekend",
    "off_grid": "a time of day that was not requested: between two of the interval, or outside it",
    "one_right": "a trade date with only calls or only puts, although both were requested",
    "strike_range": "a strike further from the underlying's price than was requested",
    "after_expiration": "a row after the contract's expiration",
    "duplicates": "the same contract and time again; of trades, the same one",
    "out_of_order": "a row before an earlier row of its contract",
    "holes": "a time is missing for a contract that has rows on that trade date",
    MISSING_DATES: "a requested trade date, after the first one with rows, has none",
}
"""The rules that are checked while rows pass by, and what breaks each."""

TOGETHER: dict[str, str] = {
    "recomputed_iv": "an implied volatility that the row's own price does not have",
    "recomputed_greeks": "a Greek that the row's own volatility does not have",
    "put_call_parity": "a call and a put whose quotes allow riskless profit",
    "monotonicity": "two strikes whose quotes allow riskless profit",
    "convexity": "three strikes whose quotes allow riskless profit",
    "calendar_arbitrage": "two expirations whose quotes allow riskless profit",
}
"""What `greeks check` looks for besides: it takes many rows at once."""

ANY = "any"
"""Stands for every rule: the sum of all findings."""

_LIMIT = re.compile(r"(\w+)\s*(?:>\s*(\d+(?:\.\d+)?)\s*(%?))?")


@dataclass(frozen=True)
class Limit:
    """How much of a finding passes.

    Attributes:
        rule: its name, or `ANY`.
        most: the largest number that passes, a count, or a share of the rows.
        share: whether `most` is a share, from 0 to 1.
    """

    rule: str
    most: float = 0.0
    share: bool = False

    def __str__(self) -> str:
        return f"{self.rule}>{self.most * 100:g}%" if self.share else f"{self.rule}>{self.most:g}"

    def exceeded(self, counts: Mapping[str, int], rows: int) -> str | None:
        """Returns a sentence if a count is above the limit, or None.

        Args:
            counts: how many findings each rule has; none if it is not there.
            rows: that were looked at.
        """
        count = sum(counts.values()) if self.rule == ANY else counts.get(self.rule, 0)
        # Holes are rows that are not there: a share of those that should be.
        whole = rows + (count if self.rule == "holes" else 0)
        whole = 0 if self.rule == MISSING_DATES else whole
        found = count / whole if self.share and whole else count
        if found <= self.most:
            return None
        share = f" ({_percent(count / whole)} of {whole:,} rows)" if 0 < count <= whole else ""
        what = RULES.get(self.rule) or TOGETHER.get(self.rule) or "findings of every rule"
        return f"{self} is exceeded: {count:,}{share} with {what}"


def _percent(share: float) -> str:
    return f"{share * 100:.2g}%" if share < 0.1 else f"{share:.0%}"


def parse_limits(text: str, known: Iterable[str] = RULES) -> tuple[Limit, ...]:
    """Returns the limits that a text such as `zero_greeks>5%,holes>1%,duplicates` sets.

    A rule alone lets none pass; with a number, that many rows; with a percent sign,
    that share of the rows. `any` is the sum of all rules.

    Raises:
        ValueError: a limit can't be read, names no rule, or a share is above 100 %.
    """
    limits = []
    for part in filter(None, (word.strip() for word in text.split(","))):
        match = _LIMIT.fullmatch(part)
        if match is None:
            raise ValueError(
                f"{part!r} is not a limit: write a rule and the most that passes, such as "
                "zero_greeks>5%, duplicates>10 or holes"
            )
        rule, number, percent = match.groups()
        if rule not in (*known, ANY):
            raise ValueError(f"{rule!r} is not a rule: they are {', '.join([*known, ANY])}")
        most = float(number or 0) / (100 if percent else 1)
        if percent and rule == MISSING_DATES:
            raise ValueError(f"{part!r}: trade dates are no share of the rows; write {rule}>1")
        if percent and most > 1:
            raise ValueError(f"{part!r} is more than every row")
        limits.append(Limit(rule, most, bool(percent)))
    return tuple(limits)


def broken(limits: Iterable[Limit], counts: Mapping[str, int], rows: int) -> list[str]:
    """Returns a sentence for each limit that a count is above."""
    found = (limit.exceeded(counts, rows) for limit in limits)
    return [sentence for sentence in found if sentence]

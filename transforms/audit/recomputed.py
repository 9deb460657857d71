"""The result of a recomputation."""

from dataclasses import dataclass

from transforms.arrays import Flags, Floats
from transforms.audit.vendor_rate import ImpliedRate, is_plausible


@dataclass(frozen=True)
class Recomputed:
    """What a block of rows should say.

    Attributes:
        price: what the volatility is solved for, in dollars.
        version: how time is counted, `latest` or `1`.
        years: to expiration.
        rate: of each row.
        doubt: by how much that may be off.
        dividend_yield: of each row.
        implied_vol: solved from the price; 0 where it has none.
        iv_error: of that; where a row has three volatilities, the mean of the three.
        solved: the rows that have a volatility, here and there: only these have Greeks to compare.
        right_iv: whether the vendor's volatility is one that its solver may stop at.
        sides: likewise (ours, whether theirs is right) of `bid_implied_vol` and `ask_implied_vol`,
            where the rows have them.
        volatility: what the Greeks are computed from: ours, or the vendor's own where both are
            right but differ, for the solver stops anywhere within a tenth of a cent.
        greeks: by name, those that the rows have.
        rates: of each trade date, by days since 1970; None where no row implies one.
    """

    price: Floats
    version: str
    years: Floats
    rate: Floats
    doubt: Floats
    dividend_yield: Floats
    implied_vol: Floats
    iv_error: Floats
    solved: Flags
    right_iv: Flags
    sides: dict[str, tuple[Floats, Flags]]
    volatility: Floats
    greeks: dict[str, Floats]
    rates: dict[int, ImpliedRate | None]

    @property
    def plausible(self) -> bool:
        """Whether each trade date has a rate, and one that was ever paid."""
        return all(rate is not None and is_plausible(rate) for rate in self.rates.values())

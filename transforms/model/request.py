"""What is asked for: one expiration over its trade dates, as the whole graph knows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import pyarrow as pa

from transforms.orders import DEFAULT, PARAMETERS, Order, order_of

_SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)?")

AM_SETTLED = frozenset({"SPX"})
"""Roots whose options settle in the morning of their expiration: no data on that day."""


@lru_cache(1024)
def checked_symbol(symbol: str) -> str:
    """Returns `symbol` in upper case.

    Raises:
        ValueError: it is not a ticker: letters and digits, with at most one dot inside
            (`SPXW`, `BRK.B`). Path parts are refused here, since symbols name files.
    """
    upper = symbol.strip().upper()
    if not _SYMBOL.fullmatch(upper):
        raise ValueError(
            f"{symbol!r} is not a symbol: a letter, then letters and digits, with at most one "
            "dot inside, such as SPXW or BRK.B"
        )
    return upper


def served_dates(symbol: str, expiration: date, trade_dates: tuple[date, ...]) -> tuple[date, ...]:
    """Returns the trade dates on which there can be rows: all that there are, but for `AM_SETTLED`.

    Args:
        symbol: the option root.
        expiration: of the contracts.
        trade_dates: ascending.
    """
    if symbol in AM_SETTLED and trade_dates[-1:] == (expiration,):
        # Settled before the market opens: the Terminal has nothing for that day, by rule.
        return trade_dates[:-1]
    return trade_dates


Key = tuple[str, str, str, str, str]
"""The values of `GreeksRequest.key_fields`: no two requests of a run share all."""


def key_of(described: Mapping[str, Any]) -> Key:
    """Returns the key of a request or result that is described as a document.

    Results of before runs had several orders do not name theirs: it is empty there.

    Raises:
        KeyError: the document lacks a field of the key.
    """
    return (
        str(described["symbol"]),
        str(described["expiration"]),
        str(described["first_trade_date"]),
        str(described["last_trade_date"]),
        str(described.get("greeks", "")),
    )


def named(greeks: str, symbol: str, expiration: str, *trade_dates: str) -> str:
    """Returns a request as a person reads it: with its order of data, if that is not the usual one.

    >>> named("eod", "SPXW", "2024-03-15", "2024-03-14", "2024-03-15")
    'eod of SPXW expiring 2024-03-15 on 2024-03-14 to 2024-03-15'
    """
    order = f"{greeks} of " if greeks not in ("", DEFAULT) else ""
    return f"{order}{symbol} expiring {expiration} on {' to '.join(dict.fromkeys(trade_dates))}"


@dataclass(frozen=True)
class GreeksRequest:
    """One output file's worth of Greeks: one expiration over its trade dates.

    Attributes:
        symbol: the option root, such as `SPXW`.
        expiration: the date on which the contracts expire.
        trade_dates: the trade dates to request, ascending, none after `expiration`. The client
            sends one HTTP request for each.
        interval: the time between two rows of a contract, one of its order's `intervals`.
        greeks: the order of data, a key of `ORDERS`.
        parameters: more of the v3 API's parameters, as (name, value), by name: those of its order.
        derived: Greeks that are computed from the rows, in the order of `ALL_GREEKS`; of those that
            its order does not have.

    Raises:
        ValueError: on construction, if a field is out of its range.
    """

    symbol: str
    expiration: date
    trade_dates: tuple[date, ...]
    interval: str = "5m"
    greeks: str = DEFAULT
    parameters: tuple[tuple[str, str], ...] = ()
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if checked_symbol(self.symbol) != self.symbol:
            raise ValueError(f"the symbol {self.symbol!r} must be in upper case")
        if not self.trade_dates:
            raise ValueError(f"{self}: no trade dates")
        if len(self.trade_dates) > 1 and list(self.trade_dates) != sorted(set(self.trade_dates)):
            raise ValueError(f"{self}: trade dates must ascend, each once")
        if self.last_trade_date > self.expiration:
            raise ValueError(f"{self}: a trade date is after the expiration")
        if self.interval not in self.order.intervals:
            known = ", ".join(self.order.intervals)
            raise ValueError(f"{self.interval!r} is not one of {known}")
        if self.parameters or self.derived:  # few have any, and 100,000 are made
            self._check_more()

    def _check_more(self) -> None:
        names = [name for name, _ in self.parameters]
        if names != sorted(set(names) & set(PARAMETERS)):
            raise ValueError(f"{self}: {names} are not names of {PARAMETERS}, sorted, each once")
        if absent := set(names).difference(self.order.v3.parameters):
            raise ValueError(f"{self}: {self.greeks} has no {', '.join(sorted(absent))}")
        derivable = self.order.derivable
        if list(self.derived) != [name for name in derivable if name in self.derived]:
            raise ValueError(
                f"{self}: {self.derived} can't be derived from {self.greeks}; "
                f"{', '.join(derivable) or 'nothing'} can, in this order"
            )

    @classmethod
    def of(cls, described: Any) -> "GreeksRequest":
        """Returns the request that a document describes.

        Args:
            described: what `describe` returns.

        Raises:
            ValueError: it is not; the first field that can't be.
        """
        if not isinstance(described, dict):
            raise ValueError(f"it is {described!r:.80}, not an object")  # noqa: TRY004 -- a document is data
        for name, value in described.items():
            if not isinstance(value, str):
                raise ValueError(f"its {name} is {value!r:.80}, not a text")  # noqa: TRY004 -- likewise
        try:
            request = cls(
                described["symbol"],
                date.fromisoformat(described["expiration"]),
                tuple(map(date.fromisoformat, described["trade_dates"].split(","))),
                described["interval"],
                described["greeks"],
                tuple((name, described[name]) for name in PARAMETERS if name in described),
                tuple(described["derive"].split(",")) if "derive" in described else (),
            )
        except KeyError as error:
            raise ValueError(f"it has no {error.args[0]}") from None
        own = request.describe()
        differs = [name for name in {**own, **described} if described.get(name) != own.get(name)]
        if differs:
            raise ValueError(f"its {differs[0]} is {described.get(differs[0])!r:.80}")
        return request

    def key_fields(self) -> dict[str, str]:
        """Returns the fields by which a request is known in results, messages and the manifest.

        No two requests of a run share all five; dates are ISO 8601.

        >>> day = date(2024, 3, 14)
        >>> list(GreeksRequest("SPXW", date(2024, 3, 15), (day,)).key_fields().values())
        ['SPXW', '2024-03-15', '2024-03-14', '2024-03-14', 'first_order']
        """
        return {
            "symbol": self.symbol,
            "expiration": self.expiration.isoformat(),
            "first_trade_date": self.first_trade_date.isoformat(),
            "last_trade_date": self.last_trade_date.isoformat(),
            "greeks": self.greeks,
        }

    @property
    def key(self) -> Key:
        """The values of `key_fields`, as `key_of` returns them."""
        return key_of(self.key_fields())

    @property
    def order(self) -> Order:
        """The declaration of its order."""
        return order_of(self.greeks)

    @property
    def schema(self) -> pa.Schema:
        """The schema of its file: the order's, and the derived Greeks."""
        return self.order.file_schema(self.derived)

    def origin(self, source: str) -> str:
        """Returns the source of its rows, as the manifest distinguishes them.

        Args:
            source: `live` or a simulated market, followed by `, v2` where that generation serves
                it: it counts time otherwise in the last week. An order that the generations compute
                from different prices names v3, too.
        """
        prices = {each.priced_by for each in self.order.endpoints.values()}
        return source if len(prices) == 1 or source.endswith(", v2") else f"{source}, v3"

    @property
    def served_dates(self) -> tuple[date, ...]:
        """The trade dates on which there can be rows."""
        return served_dates(self.symbol, self.expiration, self.trade_dates)

    @property
    def first_trade_date(self) -> date:
        """The first trade date."""
        return self.trade_dates[0]

    @property
    def last_trade_date(self) -> date:
        """The last trade date."""
        return self.trade_dates[-1]

    def describe(self) -> dict[str, str]:
        """Returns all fields of the request, as JSON-ready text.

        Two requests with equal descriptions have the same rows.
        """
        return {
            **self.key_fields(),
            "trade_dates": ",".join(day.isoformat() for day in self.trade_dates),
            "interval": self.interval,
            **dict(self.parameters),
            **({"derive": ",".join(self.derived)} if self.derived else {}),
        }

    def __str__(self) -> str:
        dates = [day.isoformat() for day in self.trade_dates[:1] + self.trade_dates[-1:]]
        return named(self.greeks, self.symbol, str(self.expiration), *dates)

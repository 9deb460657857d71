"""The elements that flow through the graph: small frozen values, nothing else."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timezone
from typing import Any, Union

import pyarrow as pa

from transforms import trade_dates as dates
from transforms.foreign import MOST, on_a_line
from transforms.orders import DEFAULT, PARAMETERS, Order, order_of
from transforms.secrets import hide

_SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)?")

AM_SETTLED = frozenset({"SPX"})
"""Roots whose options settle in the morning of their expiration: no data on that day."""


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


Key = tuple[str, str, str, str]
"""The values of `GreeksRequest.key_fields`: no two requests of a run share all."""


def key_of(described: Mapping[str, Any]) -> Key:
    """Returns the key of a request or result that is described as a document.

    Raises:
        KeyError: the document lacks a field of the key.
    """
    return (
        str(described["symbol"]),
        str(described["expiration"]),
        str(described["first_trade_date"]),
        str(described["last_trade_date"]),
    )


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
        if list(self.trade_dates) != sorted(set(self.trade_dates)):
            raise ValueError(f"{self}: trade dates must ascend, each once")
        if self.last_trade_date > self.expiration:
            raise ValueError(f"{self}: a trade date is after the expiration")
        if self.interval not in self.order.intervals:
            known = ", ".join(self.order.intervals)
            raise ValueError(f"{self.interval!r} is not one of {known}")
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
        differs = [
            name
            for name in {**request.describe(), **described}
            if described.get(name) != request.describe().get(name)
        ]
        if differs:
            raise ValueError(f"its {differs[0]} is {described.get(differs[0])!r:.80}")
        return request

    def key_fields(self) -> dict[str, str]:
        """Returns the fields by which a request is known in results, messages and the manifest.

        No two requests of a run share all four; dates are ISO 8601.

        >>> day = date(2024, 3, 14)
        >>> list(GreeksRequest("SPXW", date(2024, 3, 15), (day,)).key_fields().values())
        ['SPXW', '2024-03-15', '2024-03-14', '2024-03-14']
        """
        return {
            "symbol": self.symbol,
            "expiration": self.expiration.isoformat(),
            "first_trade_date": self.first_trade_date.isoformat(),
            "last_trade_date": self.last_trade_date.isoformat(),
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
            "greeks": self.greeks,
            **dict(self.parameters),
            **({"derive": ",".join(self.derived)} if self.derived else {}),
        }

    def __str__(self) -> str:
        dates = [day.isoformat() for day in self.trade_dates[:1] + self.trade_dates[-1:]]
        span = " to ".join(dict.fromkeys(dates))
        return f"{self.symbol} expiring {self.expiration} on {span}"


@dataclass(frozen=True)
class Failure:
    """Why an expiration has no file, as text, so that it crosses processes.

    Attributes:
        error_type: the name of the exception's class.
        message: what happened and what to do next.
    """

    error_type: str
    message: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Returns the failure that an error is, in at most `foreign.MOST` characters."""
        return cls(type(error).__name__, on_a_line(hide(str(error) or repr(error)), 2 * MOST))


@dataclass(frozen=True)
class Restart:
    """Begins a request's stream again: the batches before it must be thrown away."""


@dataclass(frozen=True)
class Withdrawn:
    """Ends a request's stream: the Terminal failed, and another one is to fetch the request.

    Attributes:
        failure: why this one could not answer.
        terminal: its address, where the request is to be dealt again; None where it is back in a
            queue, so that it has no result here.
    """

    failure: Failure
    terminal: str | None = None


@dataclass(frozen=True)
class Trailer:
    """Ends a request's stream: its counts, or why it is incomplete.

    Attributes:
        batches: the number of batches that were emitted before it.
        rows: the number of rows in them.
        requests: HTTP requests sent for them, the repeated ones included.
        waited: seconds spent waiting before retries.
        seconds: from the first request to the end of the last answer.
        failure: None, or why the stream ends early: its rows must be discarded.
        interrupted: the run was asked to stop before the stream was complete.
        provisional: a trade date's session had not ended when it was fetched.
    """

    batches: int
    rows: int
    requests: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    failure: Failure | None = None
    interrupted: bool = False
    provisional: bool = False


WRITTEN, EMPTY, SKIPPED, FAILED, INTERRUPTED = (
    "written",
    "empty",
    "skipped",
    "failed",
    "interrupted",
)
STATUSES = (WRITTEN, EMPTY, SKIPPED, FAILED, INTERRUPTED)
WITHDRAWN = "withdrawn"
"""Between two Terminals: the first one failed, and `DealAgain` gives the request to another."""


@dataclass(frozen=True)
class ExpirationResult:
    """The result of one request.

    Attributes:
        request: the request.
        status: one of `STATUSES`, or `WITHDRAWN` where `SlotWork` allows it.
        rows: rows in the committed file, also in one that was skipped, as an earlier run wrote it.
        bytes: size of that file on disk.
        seconds: from the first request to the Terminal to the commit.
        requests: HTTP requests sent to the Terminal.
        waited: seconds spent waiting before retries.
        provisional: a trade date's session had not ended: the next run fetches it again.
        dates_with_rows: the trade dates that have rows in that file, as `trade_dates.spans`; empty
            if there is none, or if an earlier run wrote it without noting them.
        path: the committed file, or None.
        failure: why it failed, or None.
        quality: `Quality.describe()` of its rows, or None if they were not checked.
        reason: why it was skipped, or None.
        rows_by_second: rows handed to the sink in each second of wall-clock time, as
            (Unix second, rows) pairs; the run's peak throughput comes from them.
        started: when the first request was sent, in Unix seconds; None if none was.
        withdrawn_from: the address of the Terminal that failed, if it is withdrawn.
    """

    request: GreeksRequest
    status: str
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    waited: float = 0.0
    provisional: bool = False
    dates_with_rows: str = ""
    path: str | None = None
    failure: Failure | None = None
    quality: dict[str, Any] | None = None
    reason: str | None = None
    rows_by_second: tuple[tuple[int, int], ...] = ()
    started: float | None = None
    withdrawn_from: str | None = None

    @property
    def missing_dates(self) -> str:
        """The trade dates between or after those that have no rows, as `trade_dates.spans`."""
        served = self.request.served_dates
        return dates.missing(self.dates_with_rows, served, provisional=self.provisional)

    def describe(self) -> dict[str, Any]:
        """Returns the result as the run summary lists it."""
        return {
            **self.request.key_fields(),
            "status": self.status,
            "rows": self.rows,
            "bytes": self.bytes,
            "started": None if self.started is None else _text(self.started),
            "seconds": round(self.seconds, 3),
            "requests": self.requests,
            "waited": round(self.waited, 3),
            "provisional": self.provisional,
            "dates_with_rows": self.dates_with_rows,
            "missing_dates": self.missing_dates,
            "path": self.path,
            "quality": self.quality,
            **({"reason": self.reason} if self.reason else {}),
            **({"error": asdict(self.failure)} if self.failure else {}),
        }


Item = Union[pa.RecordBatch, Restart, Withdrawn, Trailer, ExpirationResult]  # noqa: UP007 -- Beam reads it
"""An element of a request's stream; a result alone is of a request that is done already."""


def _text(instant: float) -> str:
    return datetime.fromtimestamp(instant, timezone.utc).isoformat(timespec="milliseconds")

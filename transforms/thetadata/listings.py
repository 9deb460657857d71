"""The small answers of a Theta Terminal: its state, expirations, strikes, the trading calendar."""

import json
import warnings
from collections.abc import Callable
from datetime import date, time, timedelta

from transforms.model import GreeksRequest, checked_symbol
from transforms.thetadata.body import UNPROVEN
from transforms.thetadata.closures import closures_of
from transforms.thetadata.dialect import Dialect, Query
from transforms.thetadata.errors import (
    BrokenResponse,
    MalformedResponse,
    NoData,
    NotServed,
    StatusError,
    TerminalUnreachable,
    ThetaError,
)
from transforms.thetadata.http import Http
from transforms.thetadata.retry import Attempts, RetryPolicy
from transforms.thetadata.small_csv import MOST_BYTES, date_of, rows_of, strike_of
from transforms.thetadata.v2 import V2
from transforms.thetadata.v3 import V3, listing
from transforms.workers.stop import Stop

DIALECTS: dict[str, Dialect] = {"v3": V3(), "v2": V2()}
"""The generations of the API, newest first."""

_STATUS_BYTES = 1 << 12
_STATS_BYTES = 1 << 16
_MOST_SEED = 1 << 64
_ONCE = RetryPolicy(attempts=1)


class Listings:
    """Asks one Theta Terminal, of either generation, for lists and states, as often as it takes.

    The arguments are those of `ThetaClient`.

    Attributes:
        waited: seconds spent waiting to ask again.
    """

    def __init__(
        self,
        url: str,
        *,
        api: str,
        timeout: float,
        policy: RetryPolicy,
        stop: Stop,
        waiting: Callable[[ThetaError, float], None],
        heard: Callable[[], None],
    ) -> None:
        # A silence that is allowed is no slowness.
        self._http = Http(url, timeout, stop, max(policy.seconds, timeout), heard)
        self._dialect = DIALECTS[api]
        self._policy = policy
        self._stop = stop
        self._waiting = waiting
        self.waited = 0.0

    def close(self) -> None:
        """Closes the client's connections."""
        self._http.close()

    @property
    def requests(self) -> int:
        """HTTP requests sent so far."""
        return self._http.requests

    def status(self) -> str:
        """Returns the state of the Terminal's session with ThetaData, such as `CONNECTED`.

        Raises:
            ThetaError: nothing answers, or not with a status.
        """
        text, _ = self._http.text(self._dialect.status, {}, _STATUS_BYTES)
        return text.strip()

    def check(self) -> None:
        """Returns if the Terminal can answer requests.

        Raises:
            TerminalUnreachable: nothing answers, or not this generation, or it has no session.
        """
        try:
            status = self.status()
        except StatusError as error:
            raise TerminalUnreachable(
                f"no {self._dialect.name} Terminal answers at {self._http.base}: {error}"
            ) from error
        # For equality: "DISCONNECTED" contains it.
        if status != "CONNECTED":
            raise TerminalUnreachable(
                f"the Theta Terminal at {self._http.base} says {status[:80]!r}, not 'CONNECTED': "
                "wait until it has connected, or look at its log (UNVERIFIED: wrong credentials)"
            )

    def simulation(self) -> str | None:
        """Returns which simulated market this is, or None for a real Terminal.

        Raises:
            ThetaError: the Terminal does not answer any more.
        """
        try:
            text, _ = self._http.text("/stats", {}, _STATS_BYTES)
            stats = json.loads(text)
            seed, simulated = stats["seed"], stats["stand_in"]
        except (StatusError, MalformedResponse, ValueError, KeyError, TypeError, RecursionError):
            return None
        known = isinstance(seed, int) and abs(seed) < _MOST_SEED
        return f"seed {seed}" if simulated is True and known else None

    def expirations(self, symbol: str) -> list[date]:
        """Returns every expiration of `symbol`, ascending; none if the symbol is unknown.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of expirations.
        """
        query, column = self._dialect.expirations(checked_symbol(symbol))
        return sorted({date_of(cell, query[0]) for cell in self._cells(query, column)})

    def expirations_on(self, symbol: str, day: date) -> set[date]:
        """Returns the expirations of `symbol` that have quotes on a trade date; v3 alone.

        They are requested once: what is not known is requested by expiration.

        Raises:
            NotServed: the Terminal is a v2 one.
            ThetaError: the Terminal did not answer, or not with a list of contracts.
        """
        if self._dialect.name != "v3":
            raise NotServed("the expirations of a trade date are not requested from a v2 Terminal")
        query = listing("contracts/quote", symbol=symbol, date=day.isoformat())
        rows = self._rows(query, ("expiration",), _ONCE)
        return {date_of(cell, query[0]) for cell in {row["expiration"] for row in rows}}

    def listed_contracts(self, request: GreeksRequest) -> int:
        """Returns how many contracts of an expiration are listed: two for each strike.

        Not all of them have rows on every trade date.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of strikes.
        """
        query = self._dialect.strikes(request)
        return 2 * len({strike_of(cell, query[0]) for cell in self._cells(query, "strike")})

    def dates(self, request: GreeksRequest) -> list[date]:
        """Returns the dates on which a request's expiration has quotes, ascending; v3 alone.

        They are requested once: no row depends on them.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of dates.
        """
        expiration = request.expiration.isoformat()
        query = listing("dates/quote", symbol=request.symbol, expiration=expiration)
        return sorted({date_of(cell, query[0]) for cell in self._cells(query, "date", _ONCE)})

    def closures(
        self, year: int, note: Callable[[str], None] = warnings.warn
    ) -> dict[date, time | None]:
        """Returns the year's special days: None for a day without trading, else when it closes.

        A type of day that is not known never counts as closed: the exchange's usual calendar says
        what the day is. So it does for the year if the answer has no day at all.

        Args:
            year: of the days.
            note: takes a sentence wherever the usual calendar was used.

        Raises:
            NotServed: a v2 Terminal has none.
            ThetaError: the Terminal did not answer, or not with a calendar.
        """
        if self._dialect.name != "v3":
            raise NotServed("a v2 Terminal has no trading calendar")
        path = "/v3/calendar/year_holidays"
        query = (path, {"year": str(year), "format": "csv"})
        rows = self._rows(query, ("date", "type", "close"))
        return closures_of(rows, year, path, note)

    def trading_days(
        self, first: date, last: date, note: Callable[[str], None] = warnings.warn
    ) -> tuple[date, ...]:
        """Returns the days from `first` to `last`, both included, on which the market opens.

        The holidays are the Terminal's own.

        Args:
            first: of the days.
            last: of the days.
            note: takes a sentence wherever the usual calendar was used instead.

        Raises:
            ThetaError: the Terminal did not answer, or not with a calendar.
        """
        closed = {
            day
            for year in range(first.year, last.year + 1)
            for day, close in self.closures(year, note).items()
            if close is None
        }
        days = (first + timedelta(n) for n in range((last - first).days + 1))
        return tuple(day for day in days if day.weekday() < 5 and day not in closed)

    def _attempts(self, policy: RetryPolicy | None = None) -> Attempts:
        return Attempts(policy or self._policy, self._stop.is_set, waiting=self._waiting)

    def _wait(self, attempts: Attempts, error: ThetaError) -> None:
        before = attempts.waited
        attempts.failed(error)
        self.waited += attempts.waited - before

    def _cells(self, query: Query, column: str, policy: RetryPolicy | None = None) -> set[str]:
        """Returns the cells of a list, which is empty where the Terminal has no data."""
        try:
            return {row[column] for row in self._rows(query, (column,), policy)}
        except NoData:
            return set()

    def _rows(
        self, query: Query, columns: tuple[str, ...], policy: RetryPolicy | None = None
    ) -> list[dict[str, str]]:
        """Returns the `columns` of a small CSV answer, requested as often as it takes."""
        attempts = self._attempts(policy)
        unproven: str | None = None
        while True:
            try:
                text, proven = self._http.text(*query, MOST_BYTES)
                rows = rows_of(text, query, columns)
            except ThetaError as error:
                failure = error
            else:
                if proven or text == unproven:
                    return rows
                unproven, failure = text, BrokenResponse(f"{query[0]}: {UNPROVEN}")
            self._wait(attempts, failure)

"""The small answers of a Theta Terminal: its state, expirations, strikes, the trading calendar."""

import csv
import json
from collections.abc import Callable
from datetime import date, time, timedelta

from transforms.model import GreeksRequest, checked_symbol
from transforms.thetadata.dialect import Dialect, Query
from transforms.thetadata.errors import (
    MalformedResponse,
    NoData,
    NotServed,
    StatusError,
    TerminalUnreachable,
    ThetaError,
)
from transforms.thetadata.http import Http
from transforms.thetadata.retry import Attempts, RetryPolicy
from transforms.thetadata.v2 import V2
from transforms.thetadata.v3 import V3
from transforms.workers.stop import NEVER, Stop

DIALECTS: dict[str, Dialect] = {"v3": V3(), "v2": V2()}
"""The generations of the API, newest first."""


def untold(_error: ThetaError, _seconds: float) -> None:
    """Tells nobody of a wait."""


class Listings:
    """Asks one Theta Terminal, of either generation, for what is small, as often as it takes.

    Args:
        url: the Terminal's address.
        api: the generation that answers there, a key of `DIALECTS`.
        timeout: seconds to wait for the first byte, and between two bytes, of an answer.
        policy: how often, and how long, an answer is asked for again.
        stop: once it is set, no answer is waited for.
        waiting: told before each wait why, and for how many seconds.

    Attributes:
        waited: seconds spent waiting to ask again.

    Not safe for use by several threads at once: make one for each.
    """

    def __init__(
        self,
        url: str,
        *,
        api: str,
        timeout: float,
        policy: RetryPolicy,
        stop: Stop = NEVER,
        waiting: Callable[[ThetaError, float], None] = untold,
    ) -> None:
        self._http = Http(url, timeout, stop)
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
        return self._http.text(self._dialect.status, {}).strip()

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
            told = json.loads(self._http.text("/stats", {}))
            return f"seed {told['seed']}" if told["stand_in"] else None
        except (StatusError, ValueError, KeyError, TypeError):
            return None

    def expirations(self, symbol: str) -> list[date]:
        """Returns every expiration of `symbol`, ascending; none if the symbol is unknown.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of expirations.
        """
        query, column = self._dialect.expirations(checked_symbol(symbol))
        try:
            rows = self._rows(query, (column,))
        except NoData:
            return []
        return sorted({_iso_date(row[column], query[0]) for row in rows})

    def listed_contracts(self, request: GreeksRequest) -> int:
        """Returns how many contracts of an expiration are listed: two for each strike.

        Not all of them have rows on every trade date.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of strikes.
        """
        try:
            return 2 * len(self._rows(self._dialect.strikes(request), ("strike",)))
        except NoData:
            return 0

    def closures(self, year: int) -> dict[date, time | None]:
        """Returns the year's special days: None for a day without trading, else when it closes.

        Raises:
            NotServed: a v2 Terminal has none.
            ThetaError: the Terminal did not answer, or not with a calendar.
        """
        if self._dialect.name != "v3":
            raise NotServed("a v2 Terminal has no trading calendar")
        path = "/v3/calendar/year_holidays"
        query = (path, {"year": str(year), "format": "csv"})
        rows = self._rows(query, ("date", "type", "close"))
        try:
            return {
                _iso_date(row["date"], path): (
                    time.fromisoformat(row["close"]) if row["type"] == "early_close" else None
                )
                for row in rows
            }
        except ValueError as error:
            raise MalformedResponse(f"{path}: {error}") from None

    def trading_days(self, first: date, last: date) -> tuple[date, ...]:
        """Returns the days from `first` to `last`, both included, on which the market opens.

        The holidays are the Terminal's own.

        Raises:
            ThetaError: the Terminal did not answer, or not with a calendar.
        """
        closed = {
            day
            for year in range(first.year, last.year + 1)
            for day, close in self.closures(year).items()
            if close is None
        }
        days = (first + timedelta(n) for n in range((last - first).days + 1))
        return tuple(day for day in days if day.weekday() < 5 and day not in closed)

    def _attempts(self) -> Attempts:
        return Attempts(self._policy, self._stop.is_set, waiting=self._waiting)

    def _wait(self, attempts: Attempts, error: ThetaError) -> None:
        before = attempts.waited
        attempts.failed(error)
        self.waited += attempts.waited - before

    def _rows(self, query: Query, columns: tuple[str, ...]) -> list[dict[str, str]]:
        """Returns a small CSV answer as rows that have at least `columns`, whatever it takes."""
        attempts = self._attempts()
        while True:
            try:
                return self._rows_once(query, columns)
            except ThetaError as error:
                self._wait(attempts, error)

    def _rows_once(self, query: Query, columns: tuple[str, ...]) -> list[dict[str, str]]:
        lines = [line for line in self._http.text(*query).splitlines() if line.strip()]
        rows = csv.DictReader(lines, skipinitialspace=True, restval="")
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise MalformedResponse(
                f"{query[0]}: line 1 of the answer lacks {', '.join(missing)}; it is "
                f"{(lines or [''])[0][:80]!r}"
            )
        return list(rows)


def _iso_date(text: str, path: str) -> date:
    digits = text.replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise MalformedResponse(f"{path}: {text!r} is not a date") from None

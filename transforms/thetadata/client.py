"""A client of the Theta Terminal: expirations, the trading calendar, and Greeks as Arrow."""

import csv
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import date, time, timedelta
from functools import partial
from types import TracebackType

import pyarrow as pa

from transforms.model import GreeksRequest, checked_symbol
from transforms.schema import schema_of
from transforms.thetadata.csv_reader import CsvReader, blocks_of_lines
from transforms.thetadata.errors import (
    MalformedResponse,
    NoData,
    StatusError,
    Stopped,
    TerminalUnreachable,
)
from transforms.thetadata.http import Http

DEFAULT_URL = "http://127.0.0.1:25503"
BATCH_SIZE = 1000


def _never() -> bool:
    return False


class ThetaClient:
    """Talks to one v3 Theta Terminal.

    ```python
    with ThetaClient() as client:
        expirations = client.expirations("SPXW")
        table = client.table(client.request("SPXW", date(2024, 3, 15), date(2024, 3, 14)))
    ```

    Args:
        url: the Terminal's address.
        timeout: seconds to wait for the first byte, and between two bytes, of an answer.
        stop: asked before each block of an answer is read; once it returns True, `stream`
            raises `Stopped`.

    Not safe for use by several threads at once: make one for each.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, timeout: float = 300.0, stop: Callable[[], bool] = _never
    ) -> None:
        self._http = Http(url, timeout)
        self._stop = stop

    def __enter__(self) -> "ThetaClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
        return self._http.text("/v3/terminal/mdds/status", {}).strip()

    def check(self) -> None:
        """Returns if the Terminal can answer requests.

        Raises:
            TerminalUnreachable: nothing answers, or the Terminal has no session.
        """
        status = self.status()
        # For equality: "DISCONNECTED" contains it.
        if status != "CONNECTED":
            raise TerminalUnreachable(
                f"the Theta Terminal at {self._http.base} says {status[:80]!r}, not 'CONNECTED': "
                "wait until it has connected, or look at its log (UNVERIFIED: wrong credentials)"
            )

    def is_simulated(self) -> bool:
        """Returns whether this is the stand-in Terminal, whose market is simulated."""
        try:
            return '"stand_in"' in self._http.text("/stats", {})
        except (StatusError, MalformedResponse):
            return False

    def expirations(self, symbol: str) -> list[date]:
        """Returns every expiration of `symbol`, ascending; none if the symbol is unknown.

        Raises:
            ThetaError: the Terminal did not answer, or not with a list of expirations.
        """
        path = "/v3/option/list/expirations"
        try:
            rows = self._rows(path, {"symbol": checked_symbol(symbol)}, "expiration")
        except NoData:
            return []
        return sorted({_iso_date(row["expiration"], path) for row in rows})

    def closures(self, year: int) -> dict[date, time | None]:
        """Returns the year's special days: None for a day without trading, else when it closes.

        Raises:
            ThetaError: the Terminal did not answer, or not with a calendar.
        """
        path = "/v3/calendar/year_holidays"
        rows = self._rows(path, {"year": str(year)}, "date", "type", "close")
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

    def request(
        self,
        symbol: str,
        expiration: date,
        first_trade_date: date,
        last_trade_date: date | None = None,
        *,
        interval: str = "5m",
    ) -> GreeksRequest:
        """Returns the request for one expiration over the trading days of a range of dates.

        Raises:
            ValueError: the market is closed on all of them, or a field is out of its range.
            ThetaError: the Terminal did not give its calendar.
        """
        last = min(last_trade_date or first_trade_date, expiration)
        days = self.trading_days(first_trade_date, last)
        return GreeksRequest(checked_symbol(symbol), expiration, days, interval)

    def stream(
        self, request: GreeksRequest, batch_size: int = BATCH_SIZE
    ) -> Iterator[pa.RecordBatch]:
        """Yields the request's rows as record batches of 1 to `batch_size` rows.

        Rows come by trade date, then as the Terminal serves them. Each trade date is one HTTP
        request; its answer is parsed while it arrives and never held whole. A trade date for
        which the Terminal has nothing yields nothing. The schema is `schema_of(request.greeks)`.

        Raises:
            ThetaError: an answer is refused, broken or malformed. The batches that were yielded
                before it are incomplete: throw them away.
            ValueError: `batch_size` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
        for day in request.trade_dates:
            # Closing the generator ends the HTTP answer, too.
            with closing(self._stream_day(request, day, batch_size)) as batches:
                yield from batches

    def table(self, request: GreeksRequest) -> pa.Table:
        """Returns the same rows as `stream`, in the same order, as one table.

        Raises:
            ThetaError: as `stream`; nothing is returned then.
        """
        return pa.Table.from_batches(self.stream(request, 1 << 20), schema_of(request.greeks))

    def _stream_day(
        self, request: GreeksRequest, day: date, batch_size: int
    ) -> Generator[pa.RecordBatch, None, None]:
        if self._stop():
            raise Stopped("asked to stop")
        parameters = {
            "symbol": request.symbol,
            "expiration": request.expiration.isoformat(),
            "date": day.isoformat(),
            "interval": request.interval,
            "format": "csv",
        }
        reader = CsvReader(
            schema_of(request.greeks),
            request.symbol,
            request.expiration,
            day,
            f"{request.symbol} expiring {request.expiration} on {day}",
        )
        path = f"/v3/option/history/greeks/{request.greeks}"
        try:
            with self._http.stream(path, parameters) as read:
                yield from reader.batches(blocks_of_lines(partial(self._next, read)), batch_size)
        except NoData:
            return

    def _next(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self._stop():
            raise Stopped("asked to stop")
        return read(size)

    def _rows(self, path: str, parameters: dict[str, str], *columns: str) -> list[dict[str, str]]:
        """Returns a small CSV answer as rows that have at least `columns`."""
        text = self._http.text(path, {**parameters, "format": "csv"})
        lines = [line for line in text.splitlines() if line.strip()]
        rows = csv.DictReader(lines, skipinitialspace=True)
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise MalformedResponse(
                f"{path}: line 1 of the answer lacks {', '.join(missing)}; it is {text[:80]!r}"
            )
        return list(rows)


def _iso_date(text: str, path: str) -> date:
    digits = text.replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise MalformedResponse(f"{path}: {text!r} is not a date") from None
